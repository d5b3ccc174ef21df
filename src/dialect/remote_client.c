#include "dialect/remote_client.h"

#include <stdlib.h>

enum { ACCOUNT_BYTES = 4, CONN_BYTES = 8 };

void remote_client_introduce(extra_writer *w, const participant *p)
{
    const remote_client client = {.account = p->account, .conn = participant_host_of(p)->id(p)};
    remote_client_put(w, &client);
}

void remote_client_put(extra_writer *w, const remote_client *client)
{
    extra_put(w, client->account, ACCOUNT_BYTES);
    extra_put(w, client->conn, CONN_BYTES);
}

void remote_client_read(extra_reader *from, remote_client *client)
{
    client->account = (uint32_t)extra_take(from, ACCOUNT_BYTES);
    client->conn = extra_take(from, CONN_BYTES);
}

slice remote_client_mark(const dialect_hall *hall)
{
    return hall->is_quiet ? SLICE_LITERAL("q") : (slice){NULL, 0};
}

bool remote_client_open(remote *r, slice extra, bool is_moved)
{
    (void)is_moved; /* it is the same */
    remote_client *client = calloc(1, sizeof(*client));
    extra_reader from = {.rest = extra};
    if (client == NULL)
        return false;
    r->kept = client;
    remote_client_read(&from, client);
    return extra_is_whole(&from);
}

void remote_client_close(remote *r)
{
    free(r->kept);
    r->kept = NULL;
}

void remote_client_pack(const remote *r, bytes **extra)
{
    const remote_client *client = r->kept;
    extra_writer w = {.len = 0};
    remote_client_put(&w, client);
    (void)bytes_append(extra, w.data, w.len); /* or it does not open where it goes, and its edge is told */
}

bool remote_client_on_signal(remote *r, const wire_message *signal)
{
    dialect_remote_of(r)->hall->is_quiet = signal->extra.len > 0;
    return (r->peer.face->kinds & SIGNAL_BIT(signal->code)) != 0;
}

uint32_t remote_client_account(const room_peer *peer)
{
    const remote_client *client = remote_of_peer(peer)->kept;
    return client->account;
}

uint64_t remote_client_id(const room_peer *peer)
{
    const remote_client *client = remote_of_peer(peer)->kept;
    return client->conn;
}

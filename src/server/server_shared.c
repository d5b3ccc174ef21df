#include "server/server_shared.h"

#include "base/clock.h"
#include "server/embedder.h"
#include "session/session_life.h"

#include <assert.h>

/* ---- The functions that sessions call: see session_shared ---- */

static void hand_over(session_group *group, session *s, int shard)
{
    signal_server *server = group->shared->context;
    assert(shard >= 0 && shard < group->shared->shards && shard != group->shard);
    mailbox *mb = &server->workers[shard].mailbox;
    if (mailbox_push(mb, &s->connection.entry, &io_thread_of(group)->to_wake) != 0)
        session_take_back(s, group);
}

/* Only acceptors read requests, so the thread of this group is an acceptor's. */
static bool admit(session_group *group, session *s, const address *client)
{
    assert(group->shard == SESSION_NO_SHARD);
    return acceptor_admit((acceptor *)io_thread_of(group), s, client);
}

/* The group may be another thread's: a session can end on its way between two. So its loop is not asked for
 * the time. */
static void on_gone(session_group *group, session *s)
{
    const signal_server *server = group->shared->context;
    admission_leave(server->admission, admission_place_of(s->connection.allowance), clock_monotonic_us());
}

static void on_place_free(session_group *group, net_allowance *place)
{
    const signal_server *server = group->shared->context;
    admission_leave(server->admission, admission_place_of(place), clock_monotonic_us());
}

/* ---- Limits ---- */

static bool allows_origin(void *context, slice origin)
{
    const signal_server *server = context;
    return origins_allow(&server->origins, origin);
}

static net_limits net_limits_of(signal_server *server)
{
    const signal_server_options *o = &server->options;
    return (net_limits){
        .handshake = {.path = "/signal",
                      .page_path = o->turn_urls[0] != '\0' ? "/ice" : NULL,
                      .max_head_bytes = o->max_request_head_bytes,
                      .allows_origin = allows_origin,
                      .context = server,
                      .requires_origin = o->require_origin},
        .max_message_bytes = o->max_message_bytes,
        .max_output_bytes = o->max_output_bytes,
        .memory = &server->shared.memory,
        .message_timeout_ms = o->message_timeout_ms,
        .frame_rate = {.per_second = o->message_rate, .burst = o->message_burst},
        .client_frame_rate = {.per_second = o->message_rate_per_address,
                              .burst = o->message_burst_per_address},
        .client_byte_rate = {.per_second = o->byte_rate_per_address, .burst = o->byte_burst_per_address},
        .handshake_timeout_ms = o->handshake_timeout_ms,
        .ping_interval_ms = o->ping_interval_ms,
        .pong_timeout_ms = o->pong_timeout_ms,
        .close_timeout_ms = o->close_timeout_ms,
    };
}

static session_limits session_limits_of(const signal_server_options *o)
{
    return (session_limits){
        .rooms = {.capacity = o->room_capacity,
                  .pending_max_messages = o->pending_max_messages,
                  .pending_max_bytes = o->pending_max_bytes,
                  .pending_ttl_ms = o->pending_ttl_ms,
                  .probe_timeout_ms = o->probe_timeout_ms},
        .dialects = {.max_name_bytes = o->max_name_bytes,
                     .faults = {.per_second = o->fault_burst == 0 ? 0 : 1, .burst = o->fault_burst},
                     .ping_interval_ms = o->ping_interval_ms,
                     .resume_for_ms = o->resume_for_ms,
                     .outbox_max_messages = o->outbox_max_messages,
                     .outbox_max_bytes = o->outbox_max_bytes,
                     .ice_ttl_ms = o->turn_ttl_ms},
        .log_lines = {.per_second = o->log_rate_per_address, .burst = 10 * o->log_rate_per_address},
        .guesses = {.per_minute = o->guess_rate, .burst = o->guess_burst},
    };
}

int server_shared_init(signal_server *server)
{
    const signal_server_options *o = &server->options;
    session_shared *shared = &server->shared;
    address_list_fault fault;
    int error = address_list_parse(&shared->proxies, slice_of_text(o->trusted_proxies), &fault);
    if (error == 0)
        error = address_list_parse(&shared->exempt, slice_of_text(o->exempt_addresses), &fault);
    if (error == 0)
        error = keyed_hash_init(&shared->hash);
    if (error != 0)
        return error;
    shared->ice = (ice_settings){.secret = slice_of_text(o->turn_secret), .ttl_s = o->turn_ttl_ms / 1000};
    shared->net = net_limits_of(server);
    shared->limits = session_limits_of(o);
    shared->shards = (int)o->workers;
    shared->memory.limit = o->max_buffered_bytes;
    shared->memory.share = o->max_buffered_bytes / 2 / (o->workers + o->acceptor_threads);
    shared->memory.other = &shared->budget.taken;
    /* The other half is for what connections hold. */
    shared->budget.limit = o->pending_max_total_bytes < o->max_buffered_bytes / 2 ? o->pending_max_total_bytes
                                                                                  : o->max_buffered_bytes / 2;
    shared->budget.address_limit = o->pending_max_bytes_per_address;
    shared->budget.spare = session_budget_spare(shared->budget.limit, o->workers);
    shared->budget.charged = server->queue_places;
    shared->hooks = embedder_hooks(o);
    shared->hand_over = hand_over;
    shared->admit = admit;
    shared->on_gone = on_gone;
    shared->on_place_free = on_place_free;
    shared->context = server;
    return 0;
}

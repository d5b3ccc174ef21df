#include "session/upgrade.h"

#include "base/clock.h"
#include "net/connection_handshake.h"
#include "proxy/forwarded.h"
#include "session/session.h"
#include "websocket/subprotocol.h"

#include <stdlib.h>
#include <string.h>

static const char log_namespace[] = "HomeCall_Signal_Session";

/* ---- The client's address ---- */

/* How many header fields of one name are looked at. */
enum { MAX_FORWARDED_LINES = 16 };

/* The values of all header fields of this name, or of the last ones if there are more: the nearest proxy
 * writes the last one. `lines` has space for them, and is used by the result. */
static forwarded_values values_of(slice fields, slice name, slice lines[MAX_FORWARDED_LINES])
{
    size_t count = 0;
    slice value;
    while (ws_handshake_next_field(&fields, name, &value)) {
        if (count == MAX_FORWARDED_LINES)
            memmove(lines, lines + 1, --count * sizeof(lines[0]));
        lines[count++] = value;
    }
    return (forwarded_values){lines, count};
}

/* The client's address: the peer's, or if that is a trusted proxy, the one that the proxy reports. Without
 * the port, so that all connections of a client have the same address. */
static address find_client(const session *s, const ws_handshake *handshake)
{
    address peer = *connection_peer(&s->connection);
    peer.port = 0;
    const address_list *proxies = &session_group_of(s)->shared->proxies;
    if (!address_list_has(proxies, &peer))
        return peer;

    slice common[MAX_FORWARDED_LINES];
    slice standard[MAX_FORWARDED_LINES];
    address client;
    (void)forwarded_find_client(&peer, proxies,
                                values_of(handshake->fields, SLICE_LITERAL("X-Forwarded-For"), common),
                                values_of(handshake->fields, SLICE_LITERAL("Forwarded"), standard), &client);
    client.port = 0;
    return client;
}

/* ---- The answer ---- */

static bool may_ask_ice(const session_group *group, const address *client)
{
    const session_shared *shared = group->shared;
    return address_list_has(&shared->exempt, client) ||
           ice_rate_take(group->ice_rate, &shared->hash, client, net_loop_now_ms(group->loop));
}

/* Answer GET /ice. Returns 0, or the status of the fault that is to be answered instead. */
static int answer_ice(session *s, const ws_handshake *handshake, const address *client)
{
    session_group *group = session_group_of(s);
    const session_shared *shared = group->shared;
    if (!may_ask_ice(group, client))
        return 429;
    ice_page page;
    if (ice_page_make(&shared->ice, &shared->hash, client, handshake->origin, clock_utc_ms() / 1000, &page) !=
        0)
        return 503;
    connection_answer(&s->connection, slice_of_text(page.head), slice_of_text(page.body));
    free(page.head);
    free(page.body);
    return 0;
}

static const char *log_event_of(int status)
{
    return status == 101 ? "upgraded" : status == 0 ? "ice servers told" : "request refused";
}

static void log_answer(const session *s, const ws_handshake *handshake, const address *client, int status)
{
    char text[ADDRESS_MAX_TEXT];
    slice client_text = {text, address_format(client, text)};
    LOG_PARTICIPANT(LOG_INFO, log_namespace, log_event_of(status), &s->participant,
                    LOG_NUMBER("status", (uint64_t)(status == 0 ? 200 : status)),
                    LOG_LITERAL("dialect", status == 101 ? dialect_of(&s->participant)->name : "none"),
                    LOG_PRIVATE("address", client_text), LOG_BYTES("path", handshake->path),
                    LOG_BYTES("origin", handshake->origin));
}

/* ---- The dialect ---- */

/* protocol/README.md, "Connecting": by the subprotocol, else by the query, else the one that asks for
 * nothing. */
static const dialect *choose_dialect(const dialects *list, const dialect_limits *limits,
                                     const ws_handshake *handshake)
{
    const char *known[DIALECT_COUNT];
    size_t known_count = 0;
    for (int i = 0; i < DIALECT_COUNT; i++) {
        if (list->all[i].subprotocol != NULL)
            known[known_count++] = list->all[i].subprotocol;
    }
    const char *asked =
        handshake->offers_protocols ? ws_subprotocol_choose(handshake->fields, known, known_count) : NULL;
    for (int i = 0; i < DIALECT_COUNT; i++) {
        if (asked != NULL && list->all[i].subprotocol == asked)
            return &list->all[i];
    }
    char invitation[DIALECT_MAX_INVITATION];
    for (int i = 0; i < DIALECT_COUNT; i++) {
        const dialect *d = &list->all[i];
        if (d->find_invitation != NULL && d->find_invitation(handshake->query, limits, invitation) > 0)
            return d;
    }
    return dialects_default(list);
}

/* From here on the session speaks what the request asks for. What tells ICE servers is charged for them, as
 * GET /ice is. */
static void set_dialect(session *s, ws_handshake *handshake, const address *client)
{
    const session_group *group = session_group_of(s);
    const session_shared *shared = group->shared;
    const dialect *d = choose_dialect(&shared->dialects, &shared->limits.dialects, handshake);
    s->participant.peer.face = &d->face;
    handshake->protocol = d->subprotocol;
    s->participant.join.may_have_ice =
        d->tells_ice_servers && shared->ice.urls.len > 0 && may_ask_ice(group, client);
}

/* ---- The request ---- */

int upgrade_answer(connection *c, ws_handshake *handshake)
{
    session *s = session_of(c);
    session_group *group = session_group_of(s);
    const address client = find_client(s, handshake);
    int status = handshake->status;
    if (!group->shared->admit(group, s, &client))
        status = 503;
    if (group->shared->hooks.may_join != NULL)
        s->client[0] = client;
    s->participant.account =
        session_client(s) == NULL ? 0 : session_budget_account(&group->shared->hash, &client);
    if (status == 101)
        set_dialect(s, handshake, &client);
    if (status == 200)
        status = answer_ice(s, handshake, &client);
    if (log_is_on(LOG_INFO))
        log_answer(s, handshake, &client, status);
    return status;
}

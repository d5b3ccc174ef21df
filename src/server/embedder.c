#include "server/embedder.h"

#include "websocket/utf8.h"

#include <assert.h>
#include <string.h>

static_assert((int)SIGNAL_SERVER_REFUSAL_MAX == (int)PARTICIPANT_REFUSAL_MAX, "the same buffer");
static_assert((int)SIGNAL_SERVER_PEER_ID_MAX == ROOM_PEER_ID_LEN + 1, "an id and its NUL");

static const char not_allowed[] = "Not allowed";

static signal_server_space space_of(room_space space)
{
    switch (space) {
    case ROOM_SPACE_ROOMS:
        break;
    case ROOM_SPACE_SESSIONS:
        return SIGNAL_SERVER_SPACE_SESSIONS;
    }
    return SIGNAL_SERVER_SPACE_ROOMS;
}

/* ---- Joins ---- */

/* A text that can be sent: what the program has left without an end is cut, and what is no UTF-8 is ours. */
static void make_sendable(char refusal[PARTICIPANT_REFUSAL_MAX])
{
    utf8_state state = {0};
    refusal[PARTICIPANT_REFUSAL_MAX - 1] = '\0';
    size_t len = strlen(refusal);
    if (len == 0 || !utf8_check(&state, (const uint8_t *)refusal, len) || !utf8_is_complete(&state))
        memcpy(refusal, not_allowed, sizeof(not_allowed));
}

static bool may_join(void *context, const session_join_request *join, char refusal[PARTICIPANT_REFUSAL_MAX])
{
    const signal_server_options *options = context;
    char client[ADDRESS_MAX_TEXT];
    (void)address_format(join->client, client);
    const signal_server_join told = {
        .dialect = join->dialect,
        .space = space_of(join->space),
        .room = join->room.data,
        .room_len = join->room.len,
        .user = join->user.len == 0 ? "" : join->user.data,
        .user_len = join->user.len,
        .client_address = client,
        .connection = join->connection,
    };
    memset(refusal, 0, PARTICIPANT_REFUSAL_MAX);
    memcpy(refusal, not_allowed, sizeof(not_allowed));
    if (options->may_join(options->context, &told, refusal))
        return true;
    make_sendable(refusal);
    return false;
}

/* ---- Rooms ---- */

static signal_server_room_event_kind kind_of(room_event_kind kind)
{
    switch (kind) {
    case ROOM_EVENT_OPENED:
        return SIGNAL_SERVER_ROOM_OPENED;
    case ROOM_EVENT_JOINED:
        return SIGNAL_SERVER_ROOM_JOINED;
    case ROOM_EVENT_LEFT:
        return SIGNAL_SERVER_ROOM_LEFT;
    case ROOM_EVENT_FREED:
        break;
    }
    return SIGNAL_SERVER_ROOM_FREED;
}

static signal_server_leave_reason reason_of(const room_event *event)
{
    if (event->kind != ROOM_EVENT_LEFT)
        return SIGNAL_SERVER_LEAVE_NONE;
    return event->why == ROOM_NEWS_LEFT       ? SIGNAL_SERVER_LEAVE_LEFT
           : event->why == ROOM_NEWS_REPLACED ? SIGNAL_SERVER_LEAVE_REPLACED
                                              : SIGNAL_SERVER_LEAVE_LOST;
}

static void on_room(void *context, const room_event *event)
{
    const signal_server_options *options = context;
    signal_server_room_event told = {
        .kind = kind_of(event->kind),
        .space = space_of(event->space),
        .room = event->room.data,
        .room_len = event->room.len,
        .members = event->members,
        .user = event->user.len == 0 ? "" : event->user.data,
        .user_len = event->user.len,
        .connection = event->peer == NULL ? 0 : event->peer->face->id(event->peer),
        .reason = reason_of(event),
    };
    assert(event->id.len < sizeof(told.peer));
    if (event->id.len > 0)
        memcpy(told.peer, event->id.data, event->id.len);
    options->on_room_event(options->context, &told);
}

session_hooks embedder_hooks(const signal_server_options *options)
{
    return (session_hooks){
        .may_join = options->may_join == NULL ? NULL : may_join,
        .on_room = options->on_room_event == NULL ? NULL : on_room,
        .context = (void *)(uintptr_t)options,
    };
}

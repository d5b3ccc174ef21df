/* Session hooks: what whoever embeds the server wants to be asked and told. The server fills them in from its
 * options (server/embedder.c). A hook that is NULL costs a join one comparison and a signal nothing.
 *
 * Both are called on the thread that has the room. */
#ifndef HOMECALL_SESSION_SESSION_HOOKS_H
#define HOMECALL_SESSION_SESSION_HOOKS_H

#include "base/address.h"
#include "dialect/participant.h"
#include "rooms/room_effects.h"

/* Who wants to join what. All of it is borrowed for the call. */
typedef struct session_join_request {
    const char *dialect; /* the name of the dialect: a literal */
    room_space space;
    slice room;
    slice user;            /* empty where the client gave none */
    const address *client; /* without a port; that of the client behind a trusted proxy */
    uint64_t connection;   /* the number that log lines know the connection by */
} session_join_request;

typedef struct session_hooks {
    /* NULL, or: may it join? If not, `refusal` is what the client is told: UTF-8 with a NUL at its end. */
    bool (*may_join)(void *context, const session_join_request *join, char refusal[PARTICIPANT_REFUSAL_MAX]);
    /* NULL, or: this has happened in a room of this thread. */
    void (*on_room)(void *context, const room_event *event);
    void *context; /* borrowed, for the two */
} session_hooks;

#endif

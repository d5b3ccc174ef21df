/* The session dialect of HomeCall Signal (protocol/README.md, "The session dialect"): a connection names its
 * session in its URL, and is in it until it ends. A hangup ends a call. */
#include "wire/dialect.h"

#include <stdio.h>

static void request_target(char *out, const char *path, const dialect_names *names)
{
    snprintf(out, DIALECT_MAX_TEXT, "%.200s?sessionId=%.*s", path, (int)names->room.len, names->room.data);
}

/* A client may leave out `sessionId`. It is written as the server will write it. */
static size_t signal_head(char *out, load_kind kind, const dialect_names *names)
{
    static const slice heads[LOAD_KINDS] = {
        [LOAD_OFFER] = {"{\"type\":\"offer\",\"sessionId\":\"", 29},
        [LOAD_ANSWER] = {"{\"type\":\"answer\",\"sessionId\":\"", 30},
        [LOAD_CANDIDATE] = {"{\"type\":\"candidate\",\"sessionId\":\"", 33},
        [LOAD_HANGUP] = {"{\"type\":\"hangup\",\"sessionId\":\"", 30},
    };
    char *at = dialect_put(out, heads[kind]);
    at = dialect_put(at, names->room);
    slice key = kind == LOAD_CANDIDATE ? SLICE_LITERAL("\",\"candidate\":")
                : kind == LOAD_HANGUP  ? SLICE_LITERAL("\",\"reason\":")
                                       : SLICE_LITERAL("\",\"sdp\":");
    return (size_t)(dialect_put(at, key) - out);
}

const load_dialect dialect_homecall_session = {
    .name = "session",
    .joins_by_connecting = true,
    .has_hangup = true,
    .request_target = request_target,
    .signal_head = signal_head,
    .signal_tail = {"}", 1},
};

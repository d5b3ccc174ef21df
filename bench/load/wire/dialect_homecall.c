#include "wire/dialect.h"

static size_t write_membership(char *out, slice head, const dialect_names *names)
{
    char *at = dialect_put(out, head);
    at = dialect_put(at, names->room);
    at = dialect_put(at, SLICE_LITERAL("\",\"user\":\""));
    at = dialect_put(at, names->from);
    return (size_t)(dialect_put(at, SLICE_LITERAL("\"}")) - out);
}

static size_t join(char *out, const dialect_names *names)
{
    return write_membership(out, SLICE_LITERAL("{\"type\":\"join\",\"room\":\""), names);
}

static size_t leave(char *out, const dialect_names *names)
{
    return write_membership(out, SLICE_LITERAL("{\"type\":\"leave\",\"room\":\""), names);
}

/* A client may leave out `room` and `from`. They are written as the server will write them, so that a relay
 * which passes on each message unchanged can be checked as well. */
static size_t signal_head(char *out, load_kind kind, const dialect_names *names)
{
    static const slice heads[LOAD_KINDS] = {
        [LOAD_OFFER] = {"{\"type\":\"offer\",\"room\":\"", 24},
        [LOAD_ANSWER] = {"{\"type\":\"answer\",\"room\":\"", 25},
        [LOAD_CANDIDATE] = {"{\"type\":\"candidate\",\"room\":\"", 28},
    };
    char *at = dialect_put(out, heads[kind]);
    at = dialect_put(at, names->room);
    at = dialect_put(at, SLICE_LITERAL("\",\"from\":\""));
    at = dialect_put(at, names->from);
    slice key = kind == LOAD_CANDIDATE ? SLICE_LITERAL("\",\"candidate\":") : SLICE_LITERAL("\",\"sdp\":");
    return (size_t)(dialect_put(at, key) - out);
}

const load_dialect dialect_homecall = {
    .name = "homecall",
    .join = join,
    .leave = leave,
    .signal_head = signal_head,
    .signal_tail = {"}", 1},
};

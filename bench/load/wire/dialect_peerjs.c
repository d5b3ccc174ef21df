/* PeerServer has no rooms: a connection gives its id in its URL, and a signal contains the id of its
 * receiver. Signals for an id that is not connected are queued for it, as in a room. */
#include "wire/dialect.h"

#include <stdio.h>

static void request_target(char *out, const char *path, const dialect_names *names)
{
    snprintf(out, DIALECT_MAX_TEXT, "%.200s?key=peerjs&id=%.*s&token=%.*s", path, (int)names->from.len,
             names->from.data, (int)names->from.len, names->from.data);
}

static size_t signal_head(char *out, load_kind kind, const dialect_names *names)
{
    static const slice heads[LOAD_KINDS] = {
        [LOAD_OFFER] = {"{\"type\":\"OFFER\",\"src\":\"", 23},
        [LOAD_ANSWER] = {"{\"type\":\"ANSWER\",\"src\":\"", 24},
        [LOAD_CANDIDATE] = {"{\"type\":\"CANDIDATE\",\"src\":\"", 27},
    };
    char *at = dialect_put(out, heads[kind]);
    at = dialect_put(at, names->from);
    at = dialect_put(at, SLICE_LITERAL("\",\"dst\":\""));
    at = dialect_put(at, names->to);
    return (size_t)(dialect_put(at, SLICE_LITERAL("\",\"payload\":")) - out);
}

static bool is_notice(slice text)
{
    return slice_equals(text, SLICE_LITERAL("{\"type\":\"OPEN\"}"));
}

const load_dialect dialect_peerjs = {
    .name = "peerjs",
    .joins_by_connecting = true,
    .keeps_lost_names = true,
    .request_target = request_target,
    .signal_head = signal_head,
    .signal_tail = {"}", 1},
    .is_notice = is_notice,
};

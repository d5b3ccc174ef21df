#include "dialect_2/extra_2.h"

#include "protocol/json_scan.h"
#include "websocket/utf8.h"

enum { NUMBER_BYTES = 8, TYPE_BYTES = 1, FLAG_BYTES = 1 };

/* ---- What others have written ---- */

/* Is it one JSON value, of at most `max` bytes, and nothing else? */
static bool is_value(slice text, size_t max, json_type *type)
{
    static const char head[] = "{\"v\":";
    enum { HEAD_LEN = sizeof(head) - 1, LONGEST = 2048 };
    char whole[HEAD_LEN + LONGEST + 1];
    utf8_state utf8 = {0};
    json_scan scan = {.rest = {whole, HEAD_LEN + text.len + 1}};
    json_member member, more;
    if (text.len > max || text.len > LONGEST || !utf8_check(&utf8, (const uint8_t *)text.data, text.len) ||
        !utf8_is_complete(&utf8))
        return false;
    memcpy(whole, head, HEAD_LEN);
    memcpy(whole + HEAD_LEN, text.data, text.len);
    whole[HEAD_LEN + text.len] = '}';
    bool is_one = json_scan_next(&scan, &member) == 1 && json_scan_next(&scan, &more) == 0 &&
                  slice_equals(member.value, text);
    *type = member.type;
    return is_one;
}

static bool is_data(slice data)
{
    json_type type;
    return data.len == 0 || is_value(data, MESSAGE_2_MAX_DATA_BYTES, &type);
}

/* A string. Its bound is looked at where it is decoded, at the edge; here it is that of its raw text. */
static bool is_text(slice text)
{
    enum { LONGEST_ESCAPE = 6, QUOTES = 2 };
    json_type type;
    return text.len == 0 ||
           (is_value(text, LONGEST_ESCAPE * MESSAGE_2_MAX_TEXT_BYTES + QUOTES, &type) && type == JSON_STRING);
}

/* ---- A join ---- */

enum { JOIN_HAS_TOKEN = 1, JOIN_HAS_SHOWN = 2, JOIN_HAS_SEEN = 4, JOIN_MAY_HAVE_ICE = 8, JOIN_ALL = 15 };

void extra_2_put_join(extra_writer *w, const message_2 *m, bool may_have_ice)
{
    token shown;
    bool has_token = token_read(m->token, &shown);
    unsigned flags = (has_token ? JOIN_HAS_TOKEN : 0U) | (m->token.len > 0 ? JOIN_HAS_SHOWN : 0U) |
                     (m->has_seen ? JOIN_HAS_SEEN : 0U) | (may_have_ice ? JOIN_MAY_HAVE_ICE : 0U);
    extra_put(w, flags, FLAG_BYTES);
    if (has_token)
        extra_put_raw(w, shown.bytes, TOKEN_BYTES);
    if (m->has_seen)
        extra_put(w, m->seen, NUMBER_BYTES);
    extra_put_text(w, m->formerly);
    extra_put_text(w, m->data);
    explicit_bzero(&shown, sizeof(shown));
}

bool extra_2_take_join(extra_reader *from, extra_2_join *join)
{
    *join = (extra_2_join){.seen = 0};
    unsigned flags = (unsigned)extra_take(from, FLAG_BYTES);
    join->has_token = (flags & JOIN_HAS_TOKEN) != 0;
    join->has_shown = (flags & JOIN_HAS_SHOWN) != 0;
    join->has_seen = (flags & JOIN_HAS_SEEN) != 0;
    join->may_have_ice = (flags & JOIN_MAY_HAVE_ICE) != 0;
    const uint8_t *bytes_of_token = join->has_token ? extra_take_raw(from, TOKEN_BYTES) : NULL;
    if (bytes_of_token != NULL)
        memcpy(join->token.bytes, bytes_of_token, TOKEN_BYTES);
    if (join->has_seen)
        join->seen = extra_take(from, NUMBER_BYTES);
    join->formerly = extra_take_text(from, MESSAGE_2_MAX_PEER_BYTES);
    join->data = extra_take_text(from, MESSAGE_2_MAX_DATA_BYTES);
    return extra_is_whole(from) && flags <= JOIN_ALL && (join->has_shown || !join->has_token) &&
           join->seen <= FIELDS_MAX_INTEGER && message_2_is_identifier(join->formerly) && is_data(join->data);
}

/* ---- Other messages ---- */

enum { SAID_HAS_N = 1, SAID_HAS_ACK = 2, SAID_IS_QUIET = 4, SAID_ALL = 7 };

void extra_2_put_said(extra_writer *w, const message_2 *m, int fault, bool is_quiet)
{
    extra_put(w, (uint64_t)m->type, TYPE_BYTES);
    extra_put(w, (uint64_t)fault, TYPE_BYTES);
    extra_put(
        w, (m->has_n ? SAID_HAS_N : 0U) | (m->has_ack ? SAID_HAS_ACK : 0U) | (is_quiet ? SAID_IS_QUIET : 0U),
        FLAG_BYTES);
    if (m->has_n)
        extra_put(w, m->n, NUMBER_BYTES);
    if (m->has_ack)
        extra_put(w, m->ack, NUMBER_BYTES);
    extra_put_text(w, m->to);
}

slice extra_2_payload_of(const message_2 *m)
{
    switch (m->type) {
    case MESSAGE_2_UPDATE:
        return m->data;
    case MESSAGE_2_LEAVE:
        return m->text;
    default:
        return m->payload;
    }
}

static bool is_signal(message_2_type type)
{
    return type == MESSAGE_2_OFFER || type == MESSAGE_2_ANSWER || type == MESSAGE_2_CANDIDATE ||
           type == MESSAGE_2_SIGNAL;
}

/* Does the message have what its type must have, and nothing that it can't have? */
static bool is_sound(message_2 *m, slice payload)
{
    bool is_numbered = is_signal(m->type) || m->type == MESSAGE_2_UPDATE;
    if (m->has_n != is_numbered || (m->to.len > 0 && !is_signal(m->type)))
        return false;
    if (is_signal(m->type)) {
        m->payload = payload;
        return payload.len > 0;
    }
    if (m->type == MESSAGE_2_UPDATE) {
        m->data = payload;
        return is_data(payload);
    }
    if (m->type == MESSAGE_2_LEAVE) {
        m->text = payload;
        return is_text(payload);
    }
    return payload.len == 0;
}

bool extra_2_read_said(slice extra, slice payload, extra_2_said *said)
{
    extra_reader from = {.rest = extra};
    message_2 *m = &said->m;
    unsigned type = (unsigned)extra_take(&from, TYPE_BYTES);
    unsigned fault = (unsigned)extra_take(&from, TYPE_BYTES);
    unsigned flags = (unsigned)extra_take(&from, FLAG_BYTES);
    m->room = m->user = m->token = m->formerly = m->payload = m->data = m->text = (slice){NULL, 0};
    m->has_seen = false;
    m->seen = 0;
    m->type = (message_2_type)type;
    m->has_n = (flags & SAID_HAS_N) != 0;
    m->has_ack = (flags & SAID_HAS_ACK) != 0;
    m->n = m->has_n ? extra_take(&from, NUMBER_BYTES) : 1;
    m->ack = m->has_ack ? extra_take(&from, NUMBER_BYTES) : 0;
    m->to = extra_take_text(&from, MESSAGE_2_MAX_PEER_BYTES);
    said->fault = (message_2_fault)fault;
    said->is_quiet = (flags & SAID_IS_QUIET) != 0;
    if (!extra_is_whole(&from) || type > MESSAGE_2_NO_TYPE || fault > MESSAGE_2_NO_MEMORY ||
        flags > SAID_ALL || m->n < 1 || m->n > FIELDS_MAX_INTEGER || m->ack > FIELDS_MAX_INTEGER ||
        !message_2_is_identifier(m->to))
        return false;
    if (fault != 0)
        return m->has_n && payload.len == 0;
    return type != MESSAGE_2_NO_TYPE && is_sound(m, payload);
}

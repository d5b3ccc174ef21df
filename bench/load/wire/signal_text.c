#include "wire/signal_text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 10 }; /* of a signal's number, with leading zeros */

/* What a payload consists of: the start, the number, the filling, the end. */
typedef struct payload_shape {
    slice start;
    slice end;
    slice filling; /* repeated, and cut off where the size is reached */
} payload_shape;

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* Lines from an SDP of a browser. Their ends are escaped for JSON. */
#define SDP_LINES                                                                            \
    "a=rtpmap:96 VP8/90000\\r\\na=rtcp-fb:96 goog-remb\\r\\na=rtcp-fb:96 transport-cc\\r\\n" \
    "a=rtcp-fb:96 ccm fir\\r\\na=rtcp-fb:96 nack\\r\\na=rtcp-fb:96 nack pli\\r\\n"           \
    "a=fmtp:97 apt=96\\r\\na=extmap:1 urn:ietf:params:rtp-hdrext:toffset\\r\\n"              \
    "a=ssrc:1001 cname:4TOk42mSjXCkVIa6\\r\\na=ssrc-group:FID 2231627014 632943048\\r\\n"    \
    "a=fingerprint:sha-256 0F:74:31:25:CB:A2:13:EC:28:6F:6D:2C:61:FF:5D:C2\\r\\n"

static const payload_shape shapes[LOAD_KINDS] = {
    [LOAD_OFFER] = {TEXT("\"v=0\\r\\no=- "), TEXT("\""),
                    TEXT(" 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\n" SDP_LINES)},
    [LOAD_ANSWER] = {TEXT("\"v=0\\r\\no=- "), TEXT("\""),
                     TEXT(" 3 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\n" SDP_LINES)},
    [LOAD_CANDIDATE] = {TEXT("{\"candidate\":\"candidate:"), TEXT("\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}"),
                        TEXT(" 1 udp 2122260223 192.0.2.57 56143 typ host generation 0 ufrag hX8S "
                             "network-id 1 network-cost 10 raddr 198.51.100.7 rport 40000")},
    [LOAD_HANGUP] = {TEXT("\"call "), TEXT("\""), TEXT(" was ended by the user")},
};

int signal_texts_init(signal_texts *texts)
{
    texts->expected = malloc(signal_texts_longest(texts) + DIALECT_MAX_TEXT);
    return texts->expected == NULL ? -ENOMEM : 0;
}

void signal_texts_deinit(signal_texts *texts)
{
    free(texts->expected);
    texts->expected = NULL;
}

size_t signal_texts_longest(const signal_texts *texts)
{
    size_t longest = 0;
    for (int kind = 0; kind < dialect_kinds(texts->dialect); kind++)
        if (texts->size[kind] > longest)
            longest = texts->size[kind];
    return longest;
}

static char *put_number(char *at, uint32_t number)
{
    for (int i = DIGITS - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + DIGITS;
}

static char *put_filling(char *at, slice filling, size_t len)
{
    char *end = at + len;
    while (at < end) {
        size_t piece = (size_t)(end - at) < filling.len ? (size_t)(end - at) : filling.len;
        memcpy(at, filling.data, piece);
        at += piece;
    }
    if (len > 0 && end[-1] == '\\') /* half of an escape would not be JSON */
        end[-1] = ' ';
    return end;
}

/* Write a payload; `besides` is how many bytes of the whole text are in front of it and behind it. */
static char *put_payload(const signal_texts *texts, load_kind kind, uint32_t number, size_t besides,
                         char *out)
{
    const payload_shape *shape = &shapes[kind];
    char *at = dialect_put(out, shape->start);
    at = put_number(at, number);
    size_t taken = (size_t)(at - out) + shape->end.len + besides;
    at = put_filling(at, shape->filling, texts->size[kind] > taken ? texts->size[kind] - taken : 0);
    return dialect_put(at, shape->end);
}

size_t signal_text_write(const signal_texts *texts, load_kind kind, const dialect_names *names,
                         uint32_t number, char *out)
{
    const load_dialect *d = texts->dialect;
    char *at = out + d->signal_head(out, kind, names);
    size_t head = texts->head_bytes > 0 ? texts->head_bytes : (size_t)(at - out);
    at = put_payload(texts, kind, number, head + d->signal_tail.len, at);
    at = dialect_put(at, d->signal_tail);
    return (size_t)(at - out);
}

size_t signal_payload_write(const signal_texts *texts, load_kind kind, uint32_t number, char *out)
{
    return (size_t)(put_payload(texts, kind, number, texts->head_bytes + 1, out) - out);
}

/* Parse a JSON text with nothing but white space behind it. NULL for anything else. */
static cJSON *parse_json(slice text)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text.data, text.len, &end, false);
    while (json != NULL && end < text.data + text.len && strchr(" \t\r\n", *end) != NULL && *end != '\0')
        end++;
    if (json == NULL || end == text.data + text.len)
        return json;
    cJSON_Delete(json);
    return NULL;
}

static bool is_same_json(slice a, slice b)
{
    cJSON *left = parse_json(a);
    cJSON *right = parse_json(b);
    bool is_same = left != NULL && right != NULL && cJSON_Compare(left, right, true) != 0;
    cJSON_Delete(left);
    cJSON_Delete(right);
    return is_same;
}

long long signal_text_number(slice text, load_kind kind)
{
    slice start = shapes[kind].start;
    const char *at = memmem(text.data, text.len, start.data, start.len);
    if (at == NULL || (size_t)(text.data + text.len - at) < start.len + DIGITS)
        return -1;
    char digits[DIGITS + 1];
    memcpy(digits, at + start.len, DIGITS);
    digits[DIGITS] = '\0';
    return strspn(digits, "0123456789") == DIGITS ? atoll(digits) : -1;
}

long long signal_text_number_of_any(slice text)
{
    long long number = -1;
    for (int kind = 0; kind < LOAD_KINDS && number < 0; kind++)
        number = signal_text_number(text, (load_kind)kind);
    return number;
}

/* Say in `why` what has come instead of a signal. */
static void tell_why(load_kind kind, const dialect_names *names, uint32_t number, slice text, char *why)
{
    long long came = signal_text_number(text, kind);
    const char *what = came < 0                   ? "something else came"
                       : came < (long long)number ? "an earlier one came again"
                       : came > (long long)number ? "a later one came first, this one is lost or late"
                                                  : "it was altered, or came from elsewhere";
    snprintf(why, SIGNAL_TEXT_MAX_WHY, "signal %u of %.*s in room %.*s: %s: %.*s", number,
             (int)names->from.len, names->from.data, (int)names->room.len, names->room.data, what,
             text.len < 160 ? (int)text.len : 160, text.data);
}

bool signal_text_check(const signal_texts *texts, load_kind kind, const dialect_names *names, uint32_t number,
                       slice text, char *why)
{
    size_t len = signal_text_write(texts, kind, names, number, texts->expected);
    slice expected = {texts->expected, len};
    if (slice_equals(text, expected) || is_same_json(text, expected))
        return true;
    tell_why(kind, names, number, text, why);
    return false;
}

bool signal_payload_check(const signal_texts *texts, load_kind kind, const dialect_names *names,
                          uint32_t number, slice payload, char *why)
{
    slice expected = {texts->expected, signal_payload_write(texts, kind, number, texts->expected)};
    if (slice_equals(payload, expected) || is_same_json(payload, expected))
        return true;
    tell_why(kind, names, number, payload, why);
    return false;
}

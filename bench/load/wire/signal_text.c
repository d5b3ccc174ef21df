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
};

int signal_texts_init(signal_texts *texts)
{
    texts->expected = malloc(signal_texts_longest(texts));
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
    for (int kind = 0; kind < LOAD_KINDS; kind++)
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

size_t signal_text_write(const signal_texts *texts, load_kind kind, const dialect_names *names,
                         uint32_t number, char *out)
{
    const payload_shape *shape = &shapes[kind];
    char *at = out + texts->dialect->signal_head(out, kind, names);
    at = dialect_put(at, shape->start);
    at = put_number(at, number);
    size_t taken = (size_t)(at - out) + shape->end.len + texts->dialect->signal_tail.len;
    at = put_filling(at, shape->filling, texts->size[kind] > taken ? texts->size[kind] - taken : 0);
    at = dialect_put(at, shape->end);
    at = dialect_put(at, texts->dialect->signal_tail);
    return (size_t)(at - out);
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

/* The number in a text that contains a payload like ours, or -1. */
static long long find_number(slice text, load_kind kind)
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

bool signal_text_check(const signal_texts *texts, load_kind kind, const dialect_names *names, uint32_t number,
                       slice text, char *why)
{
    size_t len = signal_text_write(texts, kind, names, number, texts->expected);
    slice expected = {texts->expected, len};
    if (slice_equals(text, expected) || is_same_json(text, expected))
        return true;

    long long came = find_number(text, kind);
    const char *what = came < 0                   ? "something else came"
                       : came < (long long)number ? "an earlier one came again"
                       : came > (long long)number ? "a later one came first, this one is lost or late"
                                                  : "it was altered, or came from elsewhere";
    snprintf(why, SIGNAL_TEXT_MAX_WHY, "signal %u of %.*s in room %.*s: %s: %.*s", number,
             (int)names->from.len, names->from.data, (int)names->room.len, names->room.data, what,
             text.len < 160 ? (int)text.len : 160, text.data);
    return false;
}

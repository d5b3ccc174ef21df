/* Any bytes as the inside of a JSON string, and any UTF-8 as a text. A string that the scanner accepts is
 * decoded to what a plain reading of RFC 8259, 7 gives, into just as much memory as that takes; and a text is
 * encoded as a string that the scanner accepts and that is decoded to the same text. */
#include "fuzz.h"

#include "protocol/json_scan.h"
#include "protocol/json_text.h"
#include "websocket/utf8.h"

#include <errno.h>

static bool is_utf8(slice text)
{
    utf8_state utf8 = {0};
    return utf8_check(&utf8, (const uint8_t *)text.data, text.len) && utf8_is_complete(&utf8);
}

/* Does the scanner take it for a string? */
static bool is_json_string(slice raw)
{
    char *object = malloc(raw.len + 16);
    REQUIRE(object != NULL);
    int len = snprintf(object, raw.len + 16, "{\"k\":\"%.*s", (int)raw.len, raw.len > 0 ? raw.data : "");
    bool has_nul = len != (int)raw.len + 6;
    memcpy(object + len, "\"}", 2);
    json_scan scan = {.rest = {object, (size_t)len + 2}};
    json_member member;
    bool is_one = !has_nul && json_scan_next(&scan, &member) > 0 && member.type == JSON_STRING &&
                  member.value.len == raw.len + 2 && json_scan_next(&scan, &member) == 0;
    free(object);
    return is_one;
}

static unsigned hex4(const char *at)
{
    char digits[5] = {at[0], at[1], at[2], at[3]};
    return (unsigned)strtoul(digits, NULL, 16);
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF00u >> len & 0xFF) | c);
    return len;
}

/* The plain reading of a valid string. False where it has half a surrogate pair. */
static bool decode_plainly(slice raw, char *out, size_t *len)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    *len = 0;
    for (size_t i = 0; i < raw.len;) {
        if (raw.data[i] != '\\') {
            out[(*len)++] = raw.data[i++];
            continue;
        }
        if (raw.data[i + 1] != 'u') {
            out[(*len)++] = bytes[strchr(letters, raw.data[i + 1]) - letters];
            i += 2;
            continue;
        }
        unsigned c = hex4(raw.data + i + 2);
        i += 6;
        if (c >= 0xDC00 && c <= 0xDFFF)
            return false;
        if (c >= 0xD800 && c <= 0xDBFF) {
            if (raw.len - i < 6 || raw.data[i] != '\\' || raw.data[i + 1] != 'u')
                return false;
            unsigned low = hex4(raw.data + i + 2);
            if (low < 0xDC00 || low > 0xDFFF)
                return false;
            c = 0x10000 + ((c & 0x3FF) << 10 | (low & 0x3FF));
            i += 6;
        }
        *len += put_utf8(out + *len, c);
    }
    return true;
}

static void check_decode(slice raw)
{
    char *expected = malloc(raw.len + 1);
    char *out = malloc(raw.len + 1);
    REQUIRE(expected != NULL && out != NULL);
    size_t len;
    long got;
    if (!decode_plainly(raw, expected, &len)) {
        REQUIRE(json_text_decode(raw, out, raw.len) == -EINVAL);
    } else {
        out = realloc(out, len > 0 ? len : 1); /* exactly as much, for the sanitizers */
        got = json_text_decode(raw, out, len);
        REQUIRE(got == (long)len && memcmp(out, expected, len) == 0);
        REQUIRE(len == 0 || json_text_decode(raw, out, len - 1) == -ENOSPC);
    }
    free(expected);
    free(out);
}

static void check_encode(slice text)
{
    size_t len;
    char *encoded = json_text_encode(text, &len);
    REQUIRE(encoded != NULL && len >= 2 && strlen(encoded) == len && encoded[0] == '"' &&
            encoded[len - 1] == '"');
    slice inside = {encoded + 1, len - 2};
    REQUIRE(is_json_string(inside));
    char *again = malloc(text.len + 1);
    REQUIRE(again != NULL);
    REQUIRE(json_text_decode(inside, again, text.len) == (long)text.len);
    REQUIRE(text.len == 0 || memcmp(again, text.data, text.len) == 0);
    free(again);
    free(encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    REQUIRE(copy != NULL);
    memcpy(copy, data, size);
    slice text = {copy, size};
    if (is_utf8(text)) {
        if (is_json_string(text))
            check_decode(text);
        check_encode(text);
    }
    free(copy);
    return 0;
}

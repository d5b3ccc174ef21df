/* Bytes from outside in a line of the log. Whatever they are, the line has one line feed, at its end, and no
 * byte that a terminal obeys; as JSON it is one object with just the members that were logged; as text each
 * value can be read back as what was logged.
 *
 * Input: a byte of settings, then for each field its type and its content. */
#include "fuzz.h"

#include "base/log_render.h"
#include "websocket/utf8.h"

#include <cjson/cJSON.h>

static const keyed_hash key = {.key = "sixteen bytes ok"};
static const char *const keys[LOG_MAX_FIELDS] = {LOG_KEY("a"), LOG_KEY("b"), LOG_KEY("c"), LOG_KEY("d"),
                                                 LOG_KEY("e"), LOG_KEY("f"), LOG_KEY("g"), LOG_KEY("h"),
                                                 LOG_KEY("i"), LOG_KEY("j"), LOG_KEY("k"), LOG_KEY("l")};
static const char cut_mark[] = "…";

/* No control character of ASCII or of Latin-1, in UTF-8, and nothing that is not UTF-8. */
static void require_harmless(const char *line, size_t len)
{
    REQUIRE(len > 0 && line[len - 1] == '\n');
    utf8_state utf8 = {0};
    REQUIRE(utf8_check(&utf8, (const uint8_t *)line, len) && utf8_is_complete(&utf8));
    for (size_t i = 0; i + 1 < len; i++) {
        const uint8_t *at = (const uint8_t *)line + i;
        REQUIRE(at[0] >= 0x20 && at[0] != 0x7F);
        REQUIRE(at[0] != 0xC2 || at[1] >= 0xA0);                                      /* C1 */
        REQUIRE(at[0] != 0xE2 || at[1] != 0x80 || !(at[2] >= 0xA8 && at[2] <= 0xAE)); /* lines, directions */
    }
}

/* ---- Reading a value of a text line back ---- */

static unsigned hex_at(const char *at, int count)
{
    char digits[5] = {0};
    memcpy(digits, at, (size_t)count);
    char *end;
    unsigned value = (unsigned)strtoul(digits, &end, 16);
    REQUIRE(end == digits + count);
    return value;
}

/* Write a character up to U+FFFF as UTF-8. */
static size_t put_utf8(char *out, unsigned code_point)
{
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | code_point >> 12);
    out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code_point & 0x3F));
    return 3;
}

/* Undo the escape at *at, which is behind the backslash. */
static size_t unescape(const char **at, char *out)
{
    char letter = *(*at)++;
    if (letter == 'x') {
        *out = (char)hex_at(*at, 2);
        *at += 2;
        return 1;
    }
    if (letter == 'u') {
        unsigned code_point = hex_at(*at, 4);
        *at += 4;
        return put_utf8(out, code_point);
    }
    REQUIRE(strchr("\"\\nrt", letter) != NULL && letter != '\0');
    *out = letter == 'n' ? '\n' : letter == 'r' ? '\r' : letter == 't' ? '\t' : letter;
    return 1;
}

/* Read the value at *at, quoted or up to a blank, into `out`, and go behind it. Returns its length. */
static size_t read_value(const char **at, char *out)
{
    size_t len = 0;
    if (**at != '"') {
        while (**at != ' ' && **at != '\n')
            out[len++] = *(*at)++;
        return len;
    }
    (*at)++;
    while (**at != '"') {
        REQUIRE(**at != '\n' && **at != '\0');
        if (**at == '\\') {
            (*at)++;
            len += unescape(at, out + len);
        } else {
            out[len++] = *(*at)++;
        }
    }
    (*at)++;
    return len;
}

static void require_value(const log_field *field, bool has_tags, const char *value, size_t len)
{
    char number[32];
    switch ((log_field_type)field->type) {
    case LOG_FIELD_NUMBER:
        snprintf(number, sizeof(number), "%llu", (unsigned long long)field->number);
        REQUIRE(len == strlen(number) && memcmp(value, number, len) == 0);
        return;
    case LOG_FIELD_LITERAL:
        return;
    case LOG_FIELD_PRIVATE:
        if (has_tags && field->bytes.len > 0) {
            REQUIRE(len == 9 && value[0] == '#');
            return;
        }
        break;
    case LOG_FIELD_BYTES:
        break;
    }
    /* What was cut off is told by a mark behind what is left. */
    size_t bound = field->type == LOG_FIELD_PRIVATE ? LOG_RENDER_MAX_PRIVATE : LOG_RENDER_MAX_BYTES;
    if (field->bytes.len > bound) {
        size_t mark_len = sizeof(cut_mark) - 1;
        REQUIRE(len >= mark_len && memcmp(value + len - mark_len, cut_mark, mark_len) == 0);
        len -= mark_len;
        REQUIRE(len <= bound && len + 3 >= bound);
    } else {
        REQUIRE(len == field->bytes.len);
    }
    REQUIRE(len == 0 || memcmp(value, field->bytes.data, len) == 0);
}

static void check_text(const char *line, const log_field *fields, size_t count, bool has_tags)
{
    static const char head[] = "[INFO] [Test] happened";
    char value[LOG_RENDER_MAX_LINE];
    const char *at = strstr(line, head);
    REQUIRE(at != NULL);
    at += sizeof(head) - 1;
    for (size_t i = 0; i < count; i++) {
        REQUIRE(at[0] == ' ' && at[1] == keys[i][1] && at[2] == '=');
        at += 3;
        size_t len = read_value(&at, value);
        require_value(&fields[i], has_tags, value, len);
    }
    REQUIRE(strcmp(at, "\n") == 0);
}

static void check_json(const char *line, size_t len, const log_field *fields, size_t count)
{
    cJSON *object = cJSON_ParseWithLength(line, len);
    REQUIRE(cJSON_IsObject(object));
    REQUIRE(cJSON_GetArraySize(object) == 4 + (int)count);
    for (size_t i = 0; i < count; i++) {
        const cJSON *member = cJSON_GetArrayItem(object, 4 + (int)i);
        REQUIRE(member->string[0] == keys[i][1] && member->string[1] == '\0');
        REQUIRE(fields[i].type == LOG_FIELD_NUMBER ? cJSON_IsNumber(member) : cJSON_IsString(member));
    }
    cJSON_Delete(object);
}

static void check_line(signal_log_format format, const log_field *fields, size_t count,
                       const keyed_hash *tags, uint64_t time_ms)
{
    static log_renderer renderer;
    const log_manner manner = {.format = format, .tags = tags};
    const log_event_head head = {
        .time_ms = time_ms, .namespace_ = "Test", .event = "happened", .level = LOG_INFO};
    log_render_init(&renderer, &manner);
    for (int round = 0; round < 2; round++) { /* the second time, the renderer knows all parts */
        char *line = malloc(LOG_RENDER_MAX_LINE);
        REQUIRE(line != NULL);
        size_t len = log_render_line(&renderer, &head, fields, count, line);
        REQUIRE(len < LOG_RENDER_MAX_LINE);
        line[len] = '\0';
        require_harmless(line, len);
        REQUIRE(strlen(line) == len);
        if (format == SIGNAL_LOG_JSON)
            check_json(line, len, fields, count);
        else
            check_text(line, fields, count, tags != NULL);
        free(line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    uint8_t settings = fuzz_take_byte(&in);
    const keyed_hash *tags = (settings & 1) != 0 ? &key : NULL;
    uint64_t time_ms = (uint64_t)settings << 33;
    log_field fields[LOG_MAX_FIELDS];
    char *copies[LOG_MAX_FIELDS];
    size_t count = 0;
    while (in.left > 0 && count < LOG_MAX_FIELDS) {
        uint8_t type = fuzz_take_byte(&in);
        slice content = fuzz_take_bytes(&in);
        if ((type & 4) != 0 && in.left > 0) { /* longer than a byte can tell */
            content.len = in.left;
            content.data = (const char *)in.data;
            in.left = 0;
        }
        copies[count] = fuzz_copy(content.data, content.len);
        fields[count] = (log_field){.key = keys[count], .key_len = 1, .type = (uint8_t)(type & 3)};
        if ((type & 3) == LOG_FIELD_NUMBER)
            memcpy(&fields[count].number, content.data, content.len < 8 ? content.len : 8);
        else if ((type & 3) == LOG_FIELD_LITERAL)
            fields[count].literal = "a literal";
        else
            fields[count].bytes = (slice){copies[count], content.len};
        count++;
    }
    check_line(SIGNAL_LOG_TEXT, fields, count, tags, time_ms);
    check_line(SIGNAL_LOG_JSON, fields, count, tags, time_ms);
    for (size_t i = 0; i < count; i++)
        free(copies[i]);
    return 0;
}

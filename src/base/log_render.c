#include "base/log_render.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

typedef enum packed_type { PACKED_NUMBER, PACKED_LITERAL, PACKED_BYTES, PACKED_NAME, PACKED_TAG } packed_type;

/* A field in a record. NUMBER and LITERAL have eight bytes behind it, BYTES and NAME their content, padded to
 * eight. */
typedef struct packed_field {
    const char *key;
    uint8_t type;   /* a packed_type */
    uint8_t is_cut; /* BYTES, NAME: there was more */
    uint16_t len;   /* BYTES, NAME: of the content */
    uint32_t tag;   /* TAG */
} packed_field;

static_assert(sizeof(log_record) % 8 == 0 && sizeof(packed_field) % 8 == 0, "everything stays aligned");
static_assert(sizeof(log_record) + LOG_MAX_FIELDS * (sizeof(packed_field) + LOG_RENDER_MAX_BYTES) <=
                  LOG_RENDER_MAX_RECORD,
              "the longest record has room");

static size_t pad(size_t len)
{
    return (len + 7) & ~(size_t)7;
}

/* The longest begin of `bytes` within `bound` that does not end inside of a UTF-8 character. */
static size_t cut(slice bytes, size_t bound)
{
    if (bytes.len <= bound)
        return bytes.len;
    size_t len = bound;
    for (int back = 0; back < 3 && (bytes.data[len] & 0xC0) == 0x80; back++)
        len--;
    return (bytes.data[len] & 0xC0) == 0x80 ? bound : len; /* not UTF-8 at all: cut anywhere */
}

/* An empty name gives nothing away, and a tag would hide that it is empty. */
static bool is_tagged(const log_field *field, const keyed_hash *tags)
{
    return field->type == LOG_FIELD_PRIVATE && tags != NULL && field->bytes.len > 0;
}

static size_t bound_of(const log_field *field)
{
    return field->type == LOG_FIELD_PRIVATE ? LOG_RENDER_MAX_PRIVATE : LOG_RENDER_MAX_BYTES;
}

static size_t measure_value(const log_field *field, const keyed_hash *tags)
{
    switch (field->type) {
    case LOG_FIELD_NUMBER:
        return sizeof(uint64_t);
    case LOG_FIELD_LITERAL:
        return pad(sizeof(const char *));
    case LOG_FIELD_BYTES:
    case LOG_FIELD_PRIVATE:
        break;
    }
    return is_tagged(field, tags) ? 0 : pad(cut(field->bytes, bound_of(field)));
}

size_t log_render_measure(const log_field *fields, size_t count, const keyed_hash *tags)
{
    size_t size = sizeof(log_record);
    for (size_t i = 0; i < count; i++)
        size += sizeof(packed_field) + measure_value(&fields[i], tags);
    return size;
}

static uint8_t *pack_field(uint8_t *out, const log_field *field, const keyed_hash *tags)
{
    packed_field packed = {.key = field->key};
    const void *value = &field->number;
    size_t len = sizeof(field->number);

    switch (field->type) {
    case LOG_FIELD_NUMBER:
        packed.type = PACKED_NUMBER;
        break;
    case LOG_FIELD_LITERAL:
        packed.type = PACKED_LITERAL;
        value = &field->literal;
        len = sizeof(field->literal);
        break;
    case LOG_FIELD_BYTES:
    case LOG_FIELD_PRIVATE:
        if (is_tagged(field, tags)) {
            packed.type = PACKED_TAG;
            packed.tag = (uint32_t)keyed_hash_of(tags, field->bytes);
            len = 0;
            break;
        }
        packed.type = field->type == LOG_FIELD_BYTES ? PACKED_BYTES : PACKED_NAME;
        value = field->bytes.data;
        len = cut(field->bytes, bound_of(field));
        packed.len = (uint16_t)len;
        packed.is_cut = len < field->bytes.len;
        break;
    }
    memcpy(out, &packed, sizeof(packed));
    if (len > 0)
        memcpy(out + sizeof(packed), value, len);
    return out + sizeof(packed) + pad(len);
}

void log_render_pack(void *out, const log_record *head, const log_field *fields, const keyed_hash *tags)
{
    memcpy(out, head, sizeof(*head));
    uint8_t *at = (uint8_t *)out + sizeof(*head);
    for (size_t i = 0; i < head->count; i++)
        at = pack_field(at, &fields[i], tags);
}

/* A packed field, unpacked: text borrowed from the record. */
typedef struct field_view {
    const char *key;
    packed_type type;
    uint64_t number; /* NUMBER, TAG */
    slice text;      /* LITERAL, BYTES, NAME */
    bool is_cut;
} field_view;

static const uint8_t *unpack(const uint8_t *at, field_view *field)
{
    packed_field packed;
    memcpy(&packed, at, sizeof(packed));
    at += sizeof(packed);
    *field = (field_view){.key = packed.key, .type = (packed_type)packed.type, .is_cut = packed.is_cut != 0};

    switch (field->type) {
    case PACKED_NUMBER:
        memcpy(&field->number, at, sizeof(field->number));
        return at + sizeof(field->number);
    case PACKED_LITERAL: {
        const char *literal;
        memcpy(&literal, at, sizeof(literal));
        field->text = (slice){literal, strlen(literal)};
        return at + pad(sizeof(literal));
    }
    case PACKED_TAG:
        field->number = packed.tag;
        return at;
    case PACKED_BYTES:
    case PACKED_NAME:
        field->text = (slice){(const char *)at, packed.len};
        return at + pad(packed.len);
    }
    return at;
}

/* Where a line grows. Once something did not fit, nothing more is taken. */
typedef struct line {
    char *data;
    size_t len;
    size_t cap;
    bool has_overflowed;
} line;

static void put(line *out, const char *data, size_t len)
{
    if (out->has_overflowed || len > out->cap - out->len) {
        out->has_overflowed = true;
        return;
    }
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_text(line *out, const char *text)
{
    put(out, text, strlen(text));
}

__attribute__((format(printf, 3, 4))) static void put_format(line *out, size_t bound, const char *format, ...)
{
    char text[64];
    assert(bound <= sizeof(text));
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, bound, format, arguments);
    va_end(arguments);
    put(out, text, (size_t)len < bound ? (size_t)len : bound - 1);
}

/* The character at `text`, which is not empty: its length and code point, or 0 where the bytes are not UTF-8
 * (RFC 3629). The decoder of the WebSocket floor stands above this one, hence a small one of our own. */
static size_t decode(slice text, uint32_t *code_point)
{
    const uint8_t *byte = (const uint8_t *)text.data;
    *code_point = byte[0];
    if (byte[0] < 0x80)
        return 1;

    size_t len = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (byte[0] < 0xC2 || byte[0] > 0xF4 || text.len < len)
        return 0;

    *code_point = byte[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        *code_point = *code_point << 6 | (byte[i] & 0x3Fu);
    }
    bool is_surrogate = *code_point >= 0xD800 && *code_point <= 0xDFFF;
    return *code_point < smallest[len] || *code_point > 0x10FFFF || is_surrogate ? 0 : len;
}

/* Characters over ASCII that would act instead of being seen: control characters, which some terminals obey
 * in UTF-8 too, separators of lines and paragraphs, and those that turn the direction of writing. */
static bool is_acting(uint32_t code_point)
{
    return (code_point >= 0x80 && code_point < 0xA0) || code_point == 0x061C || code_point == 0xFEFF ||
           (code_point >= 0x200B && code_point <= 0x200F) || (code_point >= 0x2028 && code_point <= 0x202E) ||
           (code_point >= 0x2060 && code_point <= 0x2069);
}

static void put_escape(line *out, uint32_t byte)
{
    switch (byte) {
    case '\n':
        put_text(out, "\\n");
        return;
    case '\r':
        put_text(out, "\\r");
        return;
    case '\t':
        put_text(out, "\\t");
        return;
    default:
        put_format(out, sizeof("\\xff"), "\\x%02x", (unsigned)byte);
    }
}

static void put_quoted(line *out, slice text, bool is_cut)
{
    put_text(out, "\"");
    for (size_t i = 0; i < text.len;) {
        uint32_t code_point;
        slice rest = {text.data + i, text.len - i};
        size_t len = decode(rest, &code_point);
        if (len == 0 || code_point < 0x20 || code_point == 0x7F)
            put_escape(out, (uint8_t)rest.data[0]);
        else if (code_point == '"' || code_point == '\\')
            put(out, code_point == '"' ? "\\\"" : "\\\\", 2);
        else if (is_acting(code_point))
            put_format(out, sizeof("\\uffff"), "\\u%04x", (unsigned)code_point);
        else
            put(out, rest.data, len);
        i += len > 0 ? len : 1;
    }
    if (is_cut)
        put_text(out, "…");
    put_text(out, "\"");
}

static bool is_plain(slice text)
{
    static const char others[] = "_.:/@#-";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return text.len > 0;
}

static void put_value(line *out, const field_view *field)
{
    switch (field->type) {
    case PACKED_NUMBER:
        put_format(out, 32, "%llu", (unsigned long long)field->number);
        return;
    case PACKED_TAG:
        put_format(out, 16, "#%08x", (unsigned)field->number);
        return;
    case PACKED_BYTES:
        put_quoted(out, field->text, field->is_cut);
        return;
    case PACKED_LITERAL:
    case PACKED_NAME:
        if (is_plain(field->text) && !field->is_cut)
            put(out, field->text.data, field->text.len);
        else
            put_quoted(out, field->text, field->is_cut);
    }
}

void log_render_init(log_renderer *renderer, signal_log_format format)
{
    *renderer = (log_renderer){.format = format, .second = UINT64_MAX};
}

/* The date is the costly part of a time stamp, and thousands of lines share it. */
static void put_time(line *out, log_renderer *renderer, uint64_t time_ms)
{
    if (time_ms / 1000 != renderer->second) {
        renderer->second = time_ms / 1000;
        time_t seconds = (time_t)renderer->second;
        struct tm parts = {0};
        gmtime_r(&seconds, &parts);
        strftime(renderer->stamp, sizeof(renderer->stamp), "%Y-%m-%dT%H:%M:%S", &parts);
    }
    put_text(out, renderer->stamp);
    put_format(out, sizeof(".000Z"), ".%03uZ", (unsigned)(time_ms % 1000));
}

static const char *level_name(uint32_t level)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    assert(level < LOG_OFF);
    return names[level];
}

static void render_text(log_renderer *renderer, const log_record *record, line *out)
{
    put_text(out, "[");
    put_time(out, renderer, record->time_ms);
    put_text(out, "] [");
    put_text(out, level_name(record->level));
    put_text(out, "] [");
    put_text(out, record->namespace_);
    put_text(out, "] ");
    put_text(out, record->event);

    const uint8_t *at = (const uint8_t *)(record + 1);
    for (uint32_t i = 0; i < record->count; i++) {
        field_view field;
        at = unpack(at, &field);
        put_text(out, " ");
        put_text(out, field.key);
        put_text(out, "=");
        put_value(out, &field);
    }
    put_text(out, "\n");
}

/* A C string for cJSON, which neither checks UTF-8 nor knows NUL: what can't be shown becomes U+FFFD. It
 * escapes the control characters of ASCII itself. */
static const char *to_c_string(slice text, bool is_cut, char *out, size_t cap)
{
    static const char unknown[] = "\xEF\xBF\xBD";
    line copy = {.data = out, .cap = cap - 1};
    for (size_t i = 0; i < text.len;) {
        uint32_t code_point;
        slice rest = {text.data + i, text.len - i};
        size_t len = decode(rest, &code_point);
        if (len == 0 || code_point == 0 || code_point == 0x7F || is_acting(code_point))
            put_text(&copy, unknown);
        else
            put(&copy, rest.data, len);
        i += len > 0 ? len : 1;
    }
    if (is_cut)
        put_text(&copy, "…");
    out[copy.len] = '\0';
    return out;
}

static bool add_member(cJSON *object, const field_view *field)
{
    char text[LOG_RENDER_MAX_BYTES * 3 + sizeof("…")];
    switch (field->type) {
    case PACKED_NUMBER:
        /* Raw, since cJSON's numbers are doubles and lose digits over 2^53. */
        snprintf(text, sizeof(text), "%llu", (unsigned long long)field->number);
        return cJSON_AddRawToObject(object, field->key, text) != NULL;
    case PACKED_TAG:
        snprintf(text, sizeof(text), "#%08x", (unsigned)field->number);
        return cJSON_AddStringToObject(object, field->key, text) != NULL;
    case PACKED_LITERAL:
        return cJSON_AddStringToObject(object, field->key, field->text.data) != NULL;
    case PACKED_BYTES:
    case PACKED_NAME:
        break;
    }
    const char *value = to_c_string(field->text, field->is_cut, text, sizeof(text));
    return cJSON_AddStringToObject(object, field->key, value) != NULL;
}

static bool add_members(cJSON *object, log_renderer *renderer, const log_record *record)
{
    char time[40];
    line stamp = {.data = time, .cap = sizeof(time) - 1};
    put_time(&stamp, renderer, record->time_ms);
    time[stamp.len] = '\0';

    bool is_whole = cJSON_AddStringToObject(object, "time", time) != NULL &&
                    cJSON_AddStringToObject(object, "level", level_name(record->level)) != NULL &&
                    cJSON_AddStringToObject(object, "namespace", record->namespace_) != NULL &&
                    cJSON_AddStringToObject(object, "event", record->event) != NULL;

    const uint8_t *at = (const uint8_t *)(record + 1);
    for (uint32_t i = 0; i < record->count && is_whole; i++) {
        field_view field;
        at = unpack(at, &field);
        is_whole = add_member(object, &field);
    }
    return is_whole;
}

static void render_json(log_renderer *renderer, const log_record *record, line *out)
{
    cJSON *object = cJSON_CreateObject();
    bool is_whole = object != NULL && add_members(object, renderer, record) && out->cap <= INT_MAX &&
                    cJSON_PrintPreallocated(object, out->data, (int)out->cap, false);
    cJSON_Delete(object);
    out->has_overflowed = !is_whole;
    out->len = is_whole ? strlen(out->data) : 0;
    put_text(out, "\n");
}

size_t log_render_line(log_renderer *renderer, const log_record *record, char *out, size_t cap)
{
    line rendered = {.data = out, .cap = cap};
    if (renderer->format == SIGNAL_LOG_JSON)
        render_json(renderer, record, &rendered);
    else
        render_text(renderer, record, &rendered);
    return rendered.has_overflowed ? 0 : rendered.len;
}

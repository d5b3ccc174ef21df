#include "base/log_render.h"

#include "base/log_line.h"

#include <assert.h>
#include <stdalign.h>
#include <time.h>

typedef enum packed_type { PACKED_NUMBER, PACKED_LITERAL, PACKED_BYTES, PACKED_NAME, PACKED_TAG } packed_type;

/* A field in a record. The content of BYTES and NAME follows it, padded to a multiple of eight. */
typedef struct packed_field {
    const char *key;
    uint8_t key_len;
    uint8_t type; /* a packed_type */
    bool is_cut;  /* BYTES, NAME: there was more content */
    uint32_t len; /* BYTES, NAME: of the content; 0 otherwise */
    union {
        alignas(8) uint64_t number; /* NUMBER, TAG */
        const char *literal;
    };
} packed_field;

static_assert(sizeof(log_record) % 8 == 0 && sizeof(packed_field) % 8 == 0, "everything stays aligned");
static_assert(sizeof(log_record) + LOG_MAX_FIELDS * (sizeof(packed_field) + LOG_RENDER_MAX_BYTES) <=
                  LOG_RENDER_MAX_RECORD,
              "the longest record fits");

static size_t pad(size_t len)
{
    return (len + 7) & ~(size_t)7;
}

/* How many bytes to keep: at most `bound`, and no part of a UTF-8 character at the end. */
static size_t cut(slice bytes, size_t bound)
{
    if (bytes.len <= bound)
        return bytes.len;
    size_t len = bound;
    for (int back = 0; back < 3 && (bytes.data[len] & 0xC0) == 0x80; back++)
        len--;
    return (bytes.data[len] & 0xC0) == 0x80 ? bound : len; /* not UTF-8 at all: cut anywhere */
}

/* An empty name stays empty: it tells nothing, and a tag would hide that it is empty. */
static bool is_tagged(const log_field *field, const keyed_hash *tags)
{
    return field->type == LOG_FIELD_PRIVATE && tags != NULL && field->bytes.len > 0;
}

static size_t bound_of(const log_field *field)
{
    return field->type == LOG_FIELD_PRIVATE ? LOG_RENDER_MAX_PRIVATE : LOG_RENDER_MAX_BYTES;
}

/* How much of the field's content the record holds. */
static size_t content_len(const log_field *field, const keyed_hash *tags)
{
    bool has_content = field->type == LOG_FIELD_BYTES || field->type == LOG_FIELD_PRIVATE;
    return has_content && !is_tagged(field, tags) ? cut(field->bytes, bound_of(field)) : 0;
}

size_t log_render_measure(const log_field *fields, size_t count, const keyed_hash *tags)
{
    size_t size = sizeof(log_record) + count * sizeof(packed_field);
    for (size_t i = 0; i < count; i++)
        size += pad(content_len(&fields[i], tags));
    return size;
}

static size_t packed_size(const packed_field *field)
{
    return sizeof(*field) + pad(field->len);
}

static void pack_content(packed_field *out, const log_field *field, const keyed_hash *tags)
{
    out->type = field->type == LOG_FIELD_BYTES ? PACKED_BYTES : PACKED_NAME;
    out->len = (uint32_t)content_len(field, tags);
    out->is_cut = out->len < field->bytes.len;
    if (out->len > 0)
        memcpy(out + 1, field->bytes.data, out->len);
}

static void pack_field(packed_field *out, const log_field *field, const keyed_hash *tags)
{
    *out = (packed_field){.key = field->key, .key_len = field->key_len};
    switch ((log_field_type)field->type) {
    case LOG_FIELD_NUMBER:
        out->type = PACKED_NUMBER;
        out->number = field->number;
        return;
    case LOG_FIELD_LITERAL:
        out->type = PACKED_LITERAL;
        out->literal = field->literal;
        return;
    case LOG_FIELD_BYTES:
    case LOG_FIELD_PRIVATE:
        break;
    }
    if (is_tagged(field, tags)) {
        out->type = PACKED_TAG;
        out->number = (uint32_t)keyed_hash_of(tags, field->bytes);
    } else {
        pack_content(out, field, tags);
    }
}

void log_render_pack(void *out, const log_record *head, const log_field *fields, const keyed_hash *tags)
{
    memcpy(out, head, sizeof(*head));
    uint8_t *at = (uint8_t *)out + sizeof(*head);
    for (size_t i = 0; i < head->count; i++) {
        packed_field *packed = (packed_field *)(void *)at;
        pack_field(packed, &fields[i], tags);
        at += packed_size(packed);
    }
}

static slice text_of(const packed_field *field)
{
    if (field->type == PACKED_LITERAL)
        return slice_of_text(field->literal);
    return (slice){(const char *)(field + 1), field->len};
}

/* Read the first character of `text`, which is not empty: returns its length, or 0 where the bytes are not
 * UTF-8 (RFC 3629). src/websocket has another decoder, but is in a layer above this one. */
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

/* Characters beyond ASCII that are not shown but do something: control characters, which some terminals obey
 * in UTF-8, too; separators of lines and paragraphs; and those that change the direction of writing. */
static bool is_acting(uint32_t code_point)
{
    return (code_point >= 0x80 && code_point < 0xA0) || code_point == 0x061C || code_point == 0xFEFF ||
           (code_point >= 0x200B && code_point <= 0x200F) || (code_point >= 0x2028 && code_point <= 0x202E) ||
           (code_point >= 0x2060 && code_point <= 0x2069);
}

/* Characters that need no escape in a quoted text of either format. */
static bool is_harmless(uint32_t code_point)
{
    return code_point >= 0x20 && code_point != '"' && code_point != '\\' && code_point != 0x7F &&
           !is_acting(code_point);
}

/* How a format shows what is not harmless: a character, or else a single byte that is not UTF-8. */
typedef void escape(line *out, uint32_t code_point, bool is_character);

static void put_quoted(line *out, slice text, bool is_cut, escape *put_escape)
{
    put_text(out, "\"");
    while (text.len > 0) {
        uint32_t code_point;
        size_t len = decode(text, &code_point);
        if (len == 0)
            put_escape(out, (uint8_t)text.data[0], false);
        else if (is_harmless(code_point))
            put(out, text.data, len);
        else
            put_escape(out, code_point, true);
        len += len == 0;
        text = (slice){text.data + len, text.len - len};
    }
    if (is_cut)
        put_text(out, "…");
    put_text(out, "\"");
}

/* The letter of an escape like \n, in C and in JSON; 0 when there is none. */
static char short_escape(uint32_t code_point)
{
    switch (code_point) {
    case '"':
    case '\\':
        return (char)code_point;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

static void put_text_escape(line *out, uint32_t code_point, bool is_character)
{
    char letter = short_escape(code_point);
    put_text(out, "\\");
    if (letter != '\0') {
        put(out, &letter, 1);
    } else if (is_character && code_point >= 0x80) {
        put_text(out, "u");
        put_hex(out, code_point, 4);
    } else {
        put_text(out, "x");
        put_hex(out, code_point, 2);
    }
}

/* JSON has escapes for control characters only. Whatever else can't be shown becomes U+FFFD. */
static void put_json_escape(line *out, uint32_t code_point, bool is_character)
{
    char letter = code_point == '\b' ? 'b' : code_point == '\f' ? 'f' : short_escape(code_point);
    if (letter != '\0') {
        put_text(out, "\\");
        put(out, &letter, 1);
    } else if (is_character && code_point > 0 && code_point < 0x20) {
        put_text(out, "\\u");
        put_hex(out, code_point, 4);
    } else {
        put_text(out, "\xEF\xBF\xBD");
    }
}

static bool is_plain_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= ':') || c == '_' ||
           c == '@' || c == '#'; /* from - to : there are the digits, a point and a slash, too */
}

static bool is_plain(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_plain_character(text.data[i]))
            return false;
    }
    return text.len > 0;
}

void log_render_init(log_renderer *renderer, signal_log_format format)
{
    *renderer = (log_renderer){.format = format, .second = UINT64_MAX};
}

/* The date is the costly part of a time stamp, so it is kept for all lines of the same second. */
static void put_time(line *out, log_renderer *renderer, uint64_t time_ms)
{
    if (time_ms / 1000 != renderer->second) {
        renderer->second = time_ms / 1000;
        time_t seconds = (time_t)renderer->second;
        struct tm parts = {0};
        gmtime_r(&seconds, &parts);
        strftime(renderer->stamp, sizeof(renderer->stamp), "%Y-%m-%dT%H:%M:%S", &parts);
    }
    unsigned ms = (unsigned)(time_ms % 1000);
    const char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10),
                             'Z'};
    put_text(out, renderer->stamp);
    put(out, fraction, sizeof(fraction));
}

static const char *level_name(uint32_t level)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    assert(level < LOG_OFF);
    return names[level];
}

static void put_tag(line *out, uint64_t tag)
{
    put_text(out, "#");
    put_hex(out, (uint32_t)tag, 8);
}

static void put_text_value(line *out, const packed_field *field)
{
    slice text;
    switch ((packed_type)field->type) {
    case PACKED_NUMBER:
        put_decimal(out, field->number);
        return;
    case PACKED_TAG:
        put_tag(out, field->number);
        return;
    case PACKED_BYTES:
        put_quoted(out, text_of(field), field->is_cut, put_text_escape);
        return;
    case PACKED_LITERAL:
    case PACKED_NAME:
        text = text_of(field);
        if (is_plain(text) && !field->is_cut)
            put(out, text.data, text.len);
        else
            put_quoted(out, text, field->is_cut, put_text_escape);
    }
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
    put(out, renderer->node, renderer->node_len);
    if (record->thread_key != NULL) {
        put_text(out, " ");
        put_text(out, record->thread_key);
        put_text(out, "=");
        put_decimal(out, record->thread_number);
    }

    const uint8_t *at = (const uint8_t *)(record + 1);
    for (uint32_t i = 0; i < record->count; i++) {
        const packed_field *field = (const packed_field *)(const void *)at;
        put_text(out, " ");
        put(out, field->key, field->key_len);
        put_text(out, "=");
        put_text_value(out, field);
        at += packed_size(field);
    }
    put_text(out, "\n");
}

static void put_json_value(line *out, const packed_field *field)
{
    switch ((packed_type)field->type) {
    case PACKED_NUMBER:
        put_decimal(out, field->number);
        return;
    case PACKED_TAG:
        put_text(out, "\"");
        put_tag(out, field->number);
        put_text(out, "\"");
        return;
    case PACKED_LITERAL:
    case PACKED_BYTES:
    case PACKED_NAME:
        put_quoted(out, text_of(field), field->is_cut, put_json_escape);
    }
}

/* Level, namespace, event and keys are literals of ours that need no escape. */
static void render_json(log_renderer *renderer, const log_record *record, line *out)
{
    put_text(out, "{\"time\":\"");
    put_time(out, renderer, record->time_ms);
    put_text(out, "\",\"level\":\"");
    put_text(out, level_name(record->level));
    put_text(out, "\",\"namespace\":\"");
    put_text(out, record->namespace_);
    put_text(out, "\",\"event\":\"");
    put_text(out, record->event);
    put_text(out, "\"");
    put(out, renderer->node, renderer->node_len);
    if (record->thread_key != NULL) {
        put_text(out, ",\"");
        put_text(out, record->thread_key);
        put_text(out, "\":");
        put_decimal(out, record->thread_number);
    }

    const uint8_t *at = (const uint8_t *)(record + 1);
    for (uint32_t i = 0; i < record->count; i++) {
        const packed_field *field = (const packed_field *)(const void *)at;
        put_text(out, ",\"");
        put(out, field->key, field->key_len);
        put_text(out, "\":");
        put_json_value(out, field);
        at += packed_size(field);
    }
    put_text(out, "}\n");
}

void log_render_name_node(log_renderer *renderer, slice name)
{
    line made = {.data = renderer->node, .cap = sizeof(renderer->node)};
    const slice kept = {name.data, cut(name, SIGNAL_LOG_NODE_MAX)};
    bool is_json = renderer->format == SIGNAL_LOG_JSON;
    put_text(&made, is_json ? ",\"node\":" : " node=");
    put_quoted(&made, kept, false, is_json ? put_json_escape : put_text_escape);
    assert(!made.has_overflowed);
    renderer->node_len = kept.len > 0 ? made.len : 0;
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

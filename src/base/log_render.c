#include "base/log_render.h"

#include <assert.h>
#include <time.h>

/* Much of a line is copied in pieces of a fixed size, which take a few instructions, where the pieces are
 * shorter: so this many bytes behind a line may be written, too. */
enum { CHUNK = 32, SLACK = LOG_RENDER_TIME_CAP };

static_assert(LOG_RENDER_HEAD_CAP % CHUNK == 0 && LOG_RENDER_ORIGIN_CAP % CHUNK == 0 && CHUNK <= SLACK &&
                  (int)LOG_RECENT_TEXT_CAP <= (int)SLACK,
              "buffers are made of chunks");

static_assert(LOG_RENDER_TIME_CAP + LOG_RENDER_HEAD_CAP + LOG_RENDER_ORIGIN_CAP +
                      LOG_MAX_FIELDS * (UINT8_MAX + 4 + LOG_ESCAPE_MAX(LOG_RENDER_MAX_BYTES)) + 2 + SLACK <=
                  LOG_RENDER_MAX_LINE,
              "the longest line fits");

static char *put(char *at, const char *data, size_t len)
{
    memcpy(at, data, len);
    return at + len;
}

/* The same for a text in a buffer of a multiple of CHUNK bytes, of which some are copied in vain. */
static char *put_chunks(char *at, const char *data, size_t len)
{
    for (size_t done = 0; done < len; done += CHUNK)
        memcpy(at + done, data + done, CHUNK);
    return at + len;
}

/* As much of the text as comes before `end`. */
static char *put_text(char *at, const char *end, const char *text)
{
    size_t len = strnlen(text, (size_t)(end - at));
    return put(at, text, len);
}

/* ---- Numbers ---- */

static const char two_digits[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

enum { DECIMAL_MAX = 20 }; /* digits of 2^64 - 1 */

static size_t count_digits(uint64_t number)
{
    size_t count = 1;
    for (; number >= 10000; number /= 10000)
        count += 4;
    return count + (number >= 10) + (number >= 100) + (number >= 1000);
}

/* Numbers are written by hand here, from their last digit on, each to its place: printf takes several times
 * as long, and so does a number that is made elsewhere and copied while the processor still stores it. */
static char *put_decimal(char *at, uint64_t number)
{
    if (number < 10) {
        *at = (char)('0' + number);
        return at + 1;
    }
    char *end = at + count_digits(number);
    char *last = end;
    for (; number >= 100; number /= 100)
        memcpy(last -= 2, two_digits + number % 100 * 2, 2);
    if (number >= 10)
        memcpy(last - 2, two_digits + number * 2, 2);
    else
        last[-1] = (char)('0' + number);
    return end;
}

/* ---- Texts ---- */

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

static char *put_quoted(char *at, slice text, size_t bound, signal_log_format format)
{
    size_t len = cut(text, bound);
    return log_escape_put(at, (slice){text.data, len}, len < text.len, format);
}

/* Letters, digits, and - . / : _ @ # need no quotes. A bit for each character of ASCII. */
static bool is_plain(char c)
{
    static const uint64_t plain[] = {UINT64_C(0x07FFE00800000000), UINT64_C(0x07FFFFFE87FFFFFF)};
    uint8_t byte = (uint8_t)c;
    return byte < 128 && (plain[byte >> 6] >> (byte & 63) & 1) != 0;
}

/* Text without quotes where it can do without. */
static char *put_bare(char *at, slice text, size_t bound)
{
    size_t len = 0;
    for (; len < text.len && len <= bound && is_plain(text.data[len]); len++)
        at[len] = text.data[len];
    if (len > 0 && len == text.len && len <= bound)
        return at + len;
    return put_quoted(at, text, bound, SIGNAL_LOG_TEXT);
}

static char *put_value(const log_renderer *r, char *at, slice text, size_t bound)
{
    if (r->format == SIGNAL_LOG_TEXT)
        return put_bare(at, text, bound);
    return put_quoted(at, text, bound, SIGNAL_LOG_JSON);
}

static size_t place_of(const char *literal, size_t places)
{
    return ((uint32_t)(uintptr_t)literal * UINT32_C(2654435761) >> 16) & (places - 1);
}

/* The same literals come again and again, so what short ones look like is kept. */
static char *put_literal(log_renderer *r, char *at, const char *literal)
{
    struct log_word *word = &r->words[place_of(literal, LOG_RENDER_WORDS)];
    if (word->literal == literal) {
        memcpy(at, word->text, LOG_RENDER_WORD_CAP);
        return at + word->len;
    }
    char *end = put_value(r, at, slice_of_text(literal), LOG_RENDER_MAX_BYTES);
    size_t len = (size_t)(end - at);
    if (len <= LOG_RENDER_WORD_CAP) {
        memcpy(word->text, at, len);
        word->literal = literal;
        word->len = len;
    }
    return end;
}

/* An empty name stays empty: it tells nothing, and a tag would hide that it is empty. */
static char *put_private(log_renderer *r, char *at, slice name)
{
    if (!r->is_private || name.len == 0)
        return put_value(r, at, name, LOG_RENDER_MAX_PRIVATE);
    bool has_quotes = r->format == SIGNAL_LOG_JSON;
    const char *tag = log_tags_find(&r->tags, name);
    if (has_quotes)
        *at++ = '"';
    memcpy(at, tag, LOG_TAG_LEN + LOG_TAG_SPARE);
    at += LOG_TAG_LEN;
    if (has_quotes)
        *at++ = '"';
    return at;
}

/* ---- Parts of a line ---- */

static char *put_key(const log_renderer *r, char *at, const log_field *field)
{
    bool is_json = r->format == SIGNAL_LOG_JSON;
    size_t len = field->key_len + (is_json ? 4u : 2u); /* ,"key": or a blank, the key and = */
    const char *key = is_json ? field->key + field->key_len + 3 : field->key;
    memcpy(at, key, LOG_KEY_SPARE);
    if (len > LOG_KEY_SPARE)
        memcpy(at + LOG_KEY_SPARE, key + LOG_KEY_SPARE, len - LOG_KEY_SPARE);
    return at + len;
}

static char *make_field(log_renderer *r, char *at, const log_field *field)
{
    at = put_key(r, at, field);
    switch ((log_field_type)field->type) {
    case LOG_FIELD_NUMBER:
        return put_decimal(at, field->number);
    case LOG_FIELD_LITERAL:
        return put_literal(r, at, field->literal);
    case LOG_FIELD_BYTES:
        return put_quoted(at, field->bytes, LOG_RENDER_MAX_BYTES, r->format);
    case LOG_FIELD_PRIVATE:
        return put_private(r, at, field->bytes);
    }
    return at;
}

static char *put_fields(log_renderer *r, char *at, const log_field *fields, size_t count)
{
    const log_recent_field *last = r->recent.fields;
    for (const log_field *field = fields; field < fields + count; field++, last++) {
        if (log_recent_has(last, field)) {
            memcpy(at, last->text, LOG_RECENT_TEXT_CAP);
            at += last->len;
            continue;
        }
        char *start = at;
        at = make_field(r, at, field);
        log_recent_keep(&r->recent, (size_t)(field - fields), field, start, (size_t)(at - start));
    }
    return at;
}

/* The beginning of a line up to its time. The date is the costly part of it. */
static void show_time(log_renderer *r, uint64_t time_ms)
{
    char *end = r->time + r->time_len;
    uint64_t second = time_ms / 1000;
    if (second != r->second) {
        const time_t seconds = (time_t)second;
        struct tm parts = {0};
        gmtime_r(&seconds, &parts);
        bool is_json = r->format == SIGNAL_LOG_JSON;
        size_t len =
            strftime(r->time, sizeof(r->time),
                     is_json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.000Z" : "[%Y-%m-%dT%H:%M:%S.000Z", &parts);
        r->second = second;
        r->time_len = len;
        end = r->time + len;
    }
    unsigned ms = (unsigned)(time_ms % 1000);
    end[-4] = (char)('0' + ms / 100);
    memcpy(end - 3, two_digits + ms % 100 * 2, 2);
    r->time_ms = time_ms;
}

/* Level, namespace and event are literals of ours that need no escape. */
static void make_head(log_renderer *r, struct log_head_text *h, const log_event_head *head)
{
    static const char *const levels[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    static const char *const text[] = {"] [", "] [", "] ", ""};
    static const char *const json[] = {"\",\"level\":\"", "\",\"namespace\":\"", "\",\"event\":\"", "\""};
    const char *const *between = r->format == SIGNAL_LOG_JSON ? json : text;
    const char *end = h->text + sizeof(h->text) - 1; /* the last byte is for the quote */
    char *at = put_text(h->text, end, between[0]);
    at = put_text(at, end, levels[head->level]);
    at = put_text(at, end, between[1]);
    at = put_text(at, end, head->namespace_);
    at = put_text(at, end, between[2]);
    at = put_text(at, end, head->event);
    at = put_text(at, end + 1, between[3]);
    h->namespace_ = head->namespace_;
    h->event = head->event;
    h->level = (uint32_t)head->level;
    h->len = (uint32_t)(at - h->text);
}

static bool is_head_of(const struct log_head_text *h, const log_event_head *head)
{
    return h->event == head->event && h->namespace_ == head->namespace_ && h->level == (uint32_t)head->level;
}

/* Where a program lies in memory is random, so any two events may belong to the same place: then the second
 * one has one of the next places. */
static const struct log_head_text *find_head(log_renderer *r, const log_event_head *head)
{
    size_t place = place_of(head->event, LOG_RENDER_HEADS);
    struct log_head_text *first_free = NULL;
    for (size_t i = 0; i < LOG_RENDER_HEAD_PLACES; i++) {
        struct log_head_text *h = &r->heads[(place + i) % LOG_RENDER_HEADS];
        if (is_head_of(h, head))
            return h;
        if (first_free == NULL && h->event == NULL)
            first_free = h;
    }
    struct log_head_text *h = first_free != NULL ? first_free : &r->heads[place];
    make_head(r, h, head);
    return h;
}

static void make_origin(log_renderer *r, const log_manner *manner)
{
    bool is_json = r->format == SIGNAL_LOG_JSON;
    char *at = r->origin;
    const char *end = r->origin + sizeof(r->origin);
    if (manner->node.len > 0) {
        const slice name = {manner->node.data, cut(manner->node, SIGNAL_LOG_NODE_MAX)};
        at = put_text(at, end, is_json ? ",\"node\":" : " node=");
        at = log_escape_put(at, name, false, r->format);
    }
    if (manner->thread_key != NULL) {
        assert(strlen(manner->thread_key) <= 64);
        at = put_text(at, end, is_json ? ",\"" : " ");
        at = put_text(at, end, manner->thread_key);
        at = put_text(at, end, is_json ? "\":" : "=");
        at = put_decimal(at, manner->thread_number);
    }
    r->origin_len = (size_t)(at - r->origin);
}

static_assert(16 + LOG_ESCAPE_MAX(SIGNAL_LOG_NODE_MAX) + 64 + 4 + DECIMAL_MAX <= LOG_RENDER_ORIGIN_CAP,
              "a name of which each byte is escaped, and a thread fit");

void log_render_init(log_renderer *renderer, const log_manner *manner)
{
    *renderer = (log_renderer){.format = manner->format,
                               .second = UINT64_MAX,
                               .time_ms = UINT64_MAX,
                               .is_private = manner->tags != NULL};
    if (manner->tags != NULL)
        log_tags_init(&renderer->tags, manner->tags);
    make_origin(renderer, manner);
}

size_t log_render_line(log_renderer *renderer, const log_event_head *head, const log_field *fields,
                       size_t count, char *out)
{
    assert(head->level < LOG_OFF && count <= LOG_MAX_FIELDS);
    if (head->time_ms != renderer->time_ms)
        show_time(renderer, head->time_ms);
    memcpy(out, renderer->time, LOG_RENDER_TIME_CAP);
    char *at = out + renderer->time_len;
    const struct log_head_text *h = find_head(renderer, head);
    at = put_chunks(at, h->text, h->len);
    at = put_chunks(at, renderer->origin, renderer->origin_len);
    at = put_fields(renderer, at, fields, count);
    if (renderer->format == SIGNAL_LOG_JSON)
        *at++ = '}';
    *at++ = '\n';
    return (size_t)(at - out);
}

void log_render_end_turn(log_renderer *renderer)
{
    log_recent_forget_names(&renderer->recent);
    renderer->recent.keeps_names = true;
}

#include "app/env_file.h"

#include "base/ascii.h"

#include <errno.h>
#include <stdlib.h>

typedef struct parser {
    const char *at;  /* the next byte */
    const char *end; /* behind the last one */
    size_t line;     /* the line of `at` */
    char *value;     /* owned; where a value is put together; as long as the text, since no value is longer */
    size_t len;      /* of the value */
} parser;

static bool is_key_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_key_part(char c)
{
    return is_key_start(c) || (c >= '0' && c <= '9');
}

/* The length of the line end at `at`; 0 where there is none. The end of the text is no line end. */
static size_t line_end_len(const parser *p)
{
    size_t left = (size_t)(p->end - p->at);
    if (left >= 1 && p->at[0] == '\n')
        return 1;
    return left >= 2 && p->at[0] == '\r' && p->at[1] == '\n' ? 2 : 0;
}

static bool is_at_line_end(const parser *p)
{
    return p->at == p->end || line_end_len(p) > 0;
}

static void skip_blanks(parser *p)
{
    while (p->at < p->end && ascii_is_blank(*p->at))
        p->at++;
}

static void skip_line(parser *p)
{
    while (!is_at_line_end(p))
        p->at++;
    if (p->at < p->end) {
        p->at += line_end_len(p);
        p->line++;
    }
}

static slice read_key(parser *p)
{
    const char *start = p->at;
    if (p->at < p->end && is_key_start(*p->at)) {
        while (p->at < p->end && is_key_part(*p->at))
            p->at++;
    }
    return (slice){start, (size_t)(p->at - start)};
}

/* The rest of the line up to a comment, without the blanks at its end. */
static const char *read_plain(parser *p)
{
    bool is_after_blank = ascii_is_blank(p->at[-1]); /* at least the = stands before it */
    size_t trimmed_len = 0;
    while (!is_at_line_end(p) && !(*p->at == '#' && is_after_blank)) {
        if (*p->at == '\0')
            return "a NUL byte";
        p->value[p->len++] = *p->at;
        is_after_blank = ascii_is_blank(*p->at++);
        if (!is_after_blank)
            trimmed_len = p->len;
    }
    p->len = trimmed_len;
    return NULL;
}

/* The byte that the escape at `at` stands for; 0 when there is no escape. */
static char escaped(const parser *p)
{
    if (p->end - p->at < 2)
        return 0;
    switch (p->at[1]) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '"':
    case '\\':
    case '$':
        return p->at[1];
    default:
        return 0;
    }
}

static void read_quoted_byte(parser *p, bool has_escapes)
{
    char escape = has_escapes && *p->at == '\\' ? escaped(p) : 0;
    if (escape != 0) {
        p->value[p->len++] = escape;
        p->at += 2;
    } else if (line_end_len(p) > 0) {
        p->value[p->len++] = '\n'; /* the value is the same, whatever the line ends of the file are */
        p->at += line_end_len(p);
        p->line++;
    } else {
        p->value[p->len++] = *p->at++;
    }
}

static const char *read_quoted(parser *p)
{
    char quote = *p->at++;
    while (p->at < p->end && *p->at != quote) {
        if (*p->at == '\0')
            return "a NUL byte";
        read_quoted_byte(p, quote == '"');
    }
    if (p->at == p->end)
        return "a quote that is never closed";
    p->at++;

    const char *quote_end = p->at;
    skip_blanks(p);
    if (is_at_line_end(p) || (*p->at == '#' && p->at > quote_end))
        return NULL;
    return "text behind the closing quote";
}

static const char *read_value(parser *p)
{
    p->len = 0;
    skip_blanks(p);
    bool is_quoted = p->at < p->end && (*p->at == '"' || *p->at == '\'');
    return is_quoted ? read_quoted(p) : read_plain(p);
}

/* Read `export KEY = VALUE`. Returns what is wrong, or NULL. */
static const char *read_entry(parser *p, slice *key)
{
    *key = read_key(p);
    if (slice_equals(*key, SLICE_LITERAL("export")) && p->at < p->end && ascii_is_blank(*p->at)) {
        const char *behind_export = p->at;
        skip_blanks(p);
        if (p->at < p->end && *p->at == '=')
            p->at = behind_export; /* the key itself is called export */
        else
            *key = read_key(p);
    }
    if (key->len == 0)
        return "a key of letters, digits and _ is expected here";
    skip_blanks(p);
    if (p->at == p->end || *p->at != '=')
        return "a = is expected after the key";
    p->at++;
    return read_value(p);
}

static bool read_line(parser *p, const env_file_events *events)
{
    skip_blanks(p);
    size_t line = p->line;
    const char *fault = NULL;
    slice key;
    if (!is_at_line_end(p) && *p->at != '#') {
        fault = read_entry(p, &key);
        if (fault == NULL)
            events->on_entry(events->context, line, key, (slice){p->value, p->len});
        else
            events->on_fault(events->context, line, fault);
    }
    skip_line(p);
    return fault == NULL;
}

int env_file_parse(slice text, const env_file_events *events)
{
    static const slice byte_order_mark = {"\xEF\xBB\xBF", 3};
    if (text.len >= 3 && slice_equals((slice){text.data, 3}, byte_order_mark))
        text = (slice){text.data + 3, text.len - 3};
    if (text.len == 0)
        return 0;

    parser p = {.at = text.data, .end = text.data + text.len, .line = 1, .value = malloc(text.len)};
    if (p.value == NULL)
        return -ENOMEM;
    bool is_readable = true;
    while (p.at < p.end)
        is_readable = read_line(&p, events) && is_readable;
    free(p.value);
    return is_readable ? 0 : -EINVAL;
}

/* Only characters that every reader of such files, shells included, takes as they are. */
static bool is_plain(slice value)
{
    static const char others[] = "_.,:/@%+-";
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (!is_key_part(c) && (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return true;
}

static char *append_escaped(char *out, char c)
{
    static const char raw[] = "\n\r\t\"\\$";
    static const char names[] = "nrt\"\\$";
    const char *found = c == '\0' ? NULL : strchr(raw, c);
    if (found != NULL) {
        *out++ = '\\';
        c = names[found - raw];
    }
    *out++ = c;
    return out;
}

char *env_file_format_value(slice value)
{
    char *text = malloc(2 * value.len + sizeof("\"\""));
    if (text == NULL)
        return NULL;

    char *out = text;
    bool is_quoted = !is_plain(value);
    if (is_quoted)
        *out++ = '"';
    for (size_t i = 0; i < value.len; i++)
        out = append_escaped(out, value.data[i]); /* a plain character is never escaped */
    if (is_quoted)
        *out++ = '"';
    *out = '\0';
    return text;
}

/* Any text as a .env file: keys and values are what the header promises, the way lines end does not matter,
 * and what was read can be written and read again as the same. */
#include "app/env_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was told, each part behind the other with a NUL in between, which no part holds. */
typedef struct transcript {
    char *text; /* owned */
    size_t len;
    size_t cap;
    size_t entries;
    size_t faults;
    size_t lines; /* of the file */
    size_t last_line;
} transcript;

static void require(bool is_true)
{
    if (!is_true)
        abort();
}

static void add(transcript *t, const char *data, size_t len)
{
    if (t->cap - t->len < len + 1) {
        t->cap = 2 * t->cap + len + 1;
        t->text = realloc(t->text, t->cap);
        require(t->text != NULL);
    }
    if (len > 0)
        memcpy(t->text + t->len, data, len);
    t->text[t->len + len] = '\0';
    t->len += len + 1;
}

static void check_line(transcript *t, size_t line)
{
    require(line > t->last_line && line <= t->lines); /* at most one report for each line, in order */
    t->last_line = line;
}

static void on_entry(void *context, size_t line, slice key, slice value)
{
    transcript *t = context;
    check_line(t, line);
    require(key.len > 0 && (key.data[0] < '0' || key.data[0] > '9'));
    for (size_t i = 0; i < key.len; i++)
        require(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", key.data[i]) !=
                    NULL &&
                key.data[i] != '\0');
    require(value.len == 0 || memchr(value.data, '\0', value.len) == NULL);
    add(t, key.data, key.len);
    add(t, value.data, value.len);
    t->entries++;
}

static void on_fault(void *context, size_t line, const char *reason)
{
    transcript *t = context;
    check_line(t, line);
    require(strlen(reason) > 0);
    t->faults++;
}

/* Read an exact copy, so that the sanitizers see a byte read too many. */
static transcript read_text(const char *text, size_t len)
{
    transcript t = {.lines = 1};
    for (size_t i = 0; i < len; i++)
        t.lines += text[i] == '\n';
    char *copy = malloc(len == 0 ? 1 : len);
    require(copy != NULL);
    if (len > 0)
        memcpy(copy, text, len);
    const env_file_events events = {on_entry, on_fault, &t};
    int error = env_file_parse((slice){copy, len}, &events);
    require(error == (t.faults > 0 ? -EINVAL : 0));
    free(copy);
    return t;
}

static bool is_same(const transcript *a, const transcript *b)
{
    return a->entries == b->entries && a->len == b->len &&
           (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
}

/* The file with every line end turned into CRLF; one that is CRLF already stays. */
static void check_line_ends(const char *text, size_t len, const transcript *expected)
{
    char *turned = malloc(2 * len + 1);
    require(turned != NULL);
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            turned[out++] = '\r';
        turned[out++] = text[i];
    }
    transcript again = read_text(turned, out);
    require(is_same(expected, &again) && again.faults == expected->faults);
    free(again.text);
    free(turned);
}

/* The entries written as a file of their own. */
static void check_round_trip(const transcript *expected)
{
    transcript file = {0};
    const char *at = expected->text;
    for (size_t i = 0; i < expected->entries; i++) {
        const char *key = at;
        const char *value = key + strlen(key) + 1;
        at = value + strlen(value) + 1;
        char *formatted = env_file_format_value(slice_of_text(value));
        require(formatted != NULL && strchr(formatted, '\n') == NULL);
        add(&file, key, strlen(key));
        file.text[file.len - 1] = '=';
        add(&file, formatted, strlen(formatted));
        file.text[file.len - 1] = '\n';
        free(formatted);
    }
    transcript again = read_text(file.text, file.len);
    require(is_same(expected, &again) && again.faults == 0);
    free(again.text);
    free(file.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    transcript told = read_text(text, size);
    check_line_ends(text, size, &told);
    check_round_trip(&told);
    free(told.text);
    return 0;
}

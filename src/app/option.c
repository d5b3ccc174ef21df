#include "app/option.h"

#include <assert.h>
#include <stdio.h>
#include <strings.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* ---- From text to value ---- */

static bool read_digits(const char **at, uint64_t *value)
{
    const char *start = *at;
    *value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return *at > start;
}

static bool parse_integer(const char *text, uint64_t *value)
{
    return read_digits(&text, value) && *text == '\0';
}

/* Other programs have other words for it, and YAML turns some into others. */
static bool parse_switch(const char *text, uint64_t *value)
{
    static const struct {
        const char *word;
        bool is_on;
    } words[] = {{"on", true},   {"yes", true}, {"true", true},   {"1", true},
                 {"off", false}, {"no", false}, {"false", false}, {"0", false}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        *value = words[i].is_on;
        if (strcasecmp(text, words[i].word) == 0)
            return true;
    }
    return false;
}

/* A port of 0 has a meaning of its own where -1 can be stored for off. */
static bool parse_port(const option *o, const char *text, uint64_t *value)
{
    if (parse_integer(text, value))
        return *value <= UINT16_MAX;
    bool is_no = parse_switch(text, value) && *value == 0;
    *value = o->size == sizeof(uint16_t) ? 0 : (uint32_t)-1;
    return is_no;
}

static bool parse_size(const char *text, uint64_t *value)
{
    static const struct {
        const char *suffix;
        int shift;
    } units[] = {{"", 0}, {"k", 10}, {"m", 20}, {"g", 30}};

    if (!read_digits(&text, value))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(text, units[i].suffix) != 0)
            continue;
        bool fits = *value <= UINT64_MAX >> units[i].shift;
        *value <<= units[i].shift;
        return fits;
    }
    return false;
}

/* Up to three digits after a decimal point, as thousandths. */
static bool read_thousandths(const char **at, uint64_t *value)
{
    *value = 0;
    if (**at != '.')
        return true;
    const char *digits = ++*at;
    if (!read_digits(at, value) || *at - digits > 3)
        return false;
    for (long missing = 3 - (*at - digits); missing > 0; missing--)
        *value *= 10;
    return true;
}

static bool parse_duration(const char *text, uint64_t *ms)
{
    static const struct {
        const char *suffix;
        uint64_t ms;
    } units[] = {{"", SECOND}, {"ms", 1}, {"s", SECOND}, {"m", MINUTE}, {"h", HOUR}};

    uint64_t whole;
    uint64_t thousandths;
    if (!read_digits(&text, &whole) || !read_thousandths(&text, &thousandths))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcasecmp(text, units[i].suffix) != 0)
            continue;
        uint64_t fraction = thousandths * units[i].ms;
        if (whole > UINT32_MAX || fraction % 1000 != 0) /* more than any range allows, or finer than 1 ms */
            return false;
        *ms = whole * units[i].ms + fraction / 1000;
        return true;
    }
    return false;
}

static bool parse_choice(const char *text, const char *const *words, uint64_t *value)
{
    for (*value = 0; words[*value] != NULL; ++*value) {
        if (strcasecmp(text, words[*value]) == 0)
            return true;
    }
    return false;
}

static bool is_text(const char *text)
{
    while (*text != '\0' && !option_is_control(*text))
        text++;
    return *text == '\0';
}

/* The number that the text stands for, or the length of a string. False when that is not allowed. */
static bool parse(const option *o, const char *text, uint64_t *value)
{
    bool is_number = false;
    switch (o->type) {
    case OPTION_STRING:
        *value = strlen(text);
        is_number = is_text(text);
        break;
    case OPTION_INTEGER:
        is_number = parse_integer(text, value);
        break;
    case OPTION_SWITCH:
        return parse_switch(text, value);
    case OPTION_PORT:
        return parse_port(o, text, value);
    case OPTION_SIZE:
        is_number = parse_size(text, value);
        break;
    case OPTION_DURATION:
        is_number = parse_duration(text, value);
        break;
    case OPTION_CHOICE:
        return parse_choice(text, o->words, value);
    }
    return is_number && *value >= o->min && *value <= o->max;
}

static void store_number(void *target, size_t size, uint64_t value)
{
    switch (size) {
    case sizeof(uint8_t):
        *(bool *)target = value != 0;
        return;
    case sizeof(uint16_t):
        *(uint16_t *)target = (uint16_t)value;
        return;
    case sizeof(uint32_t): {
        uint32_t narrow = (uint32_t)value; /* an enum has this size, too */
        memcpy(target, &narrow, sizeof(narrow));
        return;
    }
    default:
        assert(size == sizeof(uint64_t));
        *(uint64_t *)target = value;
    }
}

bool option_set(const option *o, void *base, const char *text)
{
    uint64_t value;
    if (!parse(o, text, &value))
        return false;
    void *target = (char *)base + o->offset;
    if (o->type == OPTION_STRING)
        *(const char **)target = text;
    else
        store_number(target, o->size, value);
    return true;
}

/* ---- Describing ---- */

static void format_size(char *out, size_t cap, uint64_t bytes)
{
    static const char suffixes[] = {'\0', 'k', 'm', 'g'};
    size_t unit = 0;
    while (unit < 3 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, cap, "%llu%.1s", (unsigned long long)bytes, &suffixes[unit]);
}

static void format_duration(char *out, size_t cap, uint64_t ms)
{
    if (ms == 0)
        snprintf(out, cap, "0");
    else if (ms % HOUR == 0)
        snprintf(out, cap, "%lluh", (unsigned long long)ms / HOUR);
    else if (ms % MINUTE == 0)
        snprintf(out, cap, "%llum", (unsigned long long)ms / MINUTE);
    else if (ms % SECOND == 0)
        snprintf(out, cap, "%llus", (unsigned long long)ms / SECOND);
    else
        snprintf(out, cap, "%llums", (unsigned long long)ms);
}

/* In seconds, with as many decimals as are needed. */
static void format_seconds(char *out, size_t cap, uint64_t ms)
{
    int len = snprintf(out, cap, "%llu.%03u", (unsigned long long)ms / SECOND, (unsigned)(ms % SECOND));
    assert(len > 4 && len < (int)cap);
    while (out[len - 1] == '0')
        len--;
    if (out[len - 1] == '.')
        len--;
    out[len] = '\0';
}

static uint64_t load_number(const void *target, size_t size)
{
    uint32_t narrow;
    switch (size) {
    case sizeof(uint8_t):
        return *(const bool *)target;
    case sizeof(uint16_t):
        return *(const uint16_t *)target;
    case sizeof(uint32_t):
        memcpy(&narrow, target, sizeof(narrow));
        return narrow;
    default:
        assert(size == sizeof(uint64_t));
        return *(const uint64_t *)target;
    }
}

static bool is_off(const option *o, uint64_t port)
{
    return port == (o->size == sizeof(uint16_t) ? 0 : (uint32_t)-1);
}

bool option_format(const option *o, const void *base, char out[OPTION_DEFAULT_CAP])
{
    const void *target = (const char *)base + o->offset;
    if (o->type == OPTION_STRING)
        return snprintf(out, OPTION_DEFAULT_CAP, "%s", *(const char *const *)target) < OPTION_DEFAULT_CAP;
    uint64_t value = load_number(target, o->size);
    switch (o->type) {
    case OPTION_SWITCH:
        strcpy(out, value != 0 ? "on" : "off");
        return true;
    case OPTION_PORT:
        if (is_off(o, value)) {
            strcpy(out, "off");
            return true;
        }
        break;
    case OPTION_SIZE:
        format_size(out, OPTION_DEFAULT_CAP, value);
        return true;
    case OPTION_DURATION:
        format_seconds(out, OPTION_DEFAULT_CAP, value);
        return true;
    case OPTION_CHOICE:
        strcpy(out, o->words[value]);
        return true;
    case OPTION_STRING:
    case OPTION_INTEGER:
        break;
    }
    snprintf(out, OPTION_DEFAULT_CAP, "%llu", (unsigned long long)value);
    return true;
}

static void join_words(char *out, size_t cap, const char *const *words)
{
    size_t len = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        const char *joint = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        len += (size_t)snprintf(out + len, cap - len, "%s%s", joint, words[i]);
        assert(len < cap);
    }
}

void option_describe(const option *o, char *out, size_t cap)
{
    char low[32];
    char high[32];
    switch (o->type) {
    case OPTION_STRING:
        snprintf(out, cap, "a text of %llu to %llu bytes without control characters",
                 (unsigned long long)o->min, (unsigned long long)o->max);
        return;
    case OPTION_INTEGER:
        snprintf(out, cap, "a whole number from %llu to %llu", (unsigned long long)o->min,
                 (unsigned long long)o->max);
        return;
    case OPTION_SWITCH:
        snprintf(out, cap, "on or off");
        return;
    case OPTION_PORT:
        snprintf(out, cap, "a port from %llu to 65535 or off", (unsigned long long)o->min);
        return;
    case OPTION_SIZE:
        format_size(low, sizeof(low), o->min);
        format_size(high, sizeof(high), o->max);
        snprintf(out, cap, "a size from %s to %s", low, high);
        return;
    case OPTION_DURATION:
        format_duration(low, sizeof(low), o->min);
        format_duration(high, sizeof(high), o->max);
        snprintf(out, cap, "a time from %s to %s", low, high);
        return;
    case OPTION_CHOICE:
        join_words(out, cap, o->words);
    }
}

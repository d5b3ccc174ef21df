/* Any text as a list of origins, and any text as the origin of a request: a fault names an entry of the list;
 * a good entry has one form, which is read as itself and is one that a browser could send; and a list holds
 * just what comparing with each of its entries by itself says.
 *
 * Input: the list, a line feed, the origin. */
#include "base/ascii.h"
#include "base/origin.h"
#include "server/origins.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Loaded once, and not for each input. */
static idna names;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_pattern(const char *text)
{
    return strstr(text, "://*.") != NULL;
}

/* Of what a good entry becomes: small letters and plain characters, a scheme, a host, a port that counts. */
static void require_sendable(const char *text)
{
    const char *host = strstr(text, "://");
    if (strcmp(text, "null") == 0 || strcmp(text, "file://") == 0)
        return;
    require(host != NULL && host > text && host[3] != '\0' && strlen(text) < ORIGIN_CAP);
    const char *star = is_pattern(text) ? host + 3 : NULL;
    for (const char *c = text; *c != '\0'; c++) {
        bool is_plain = (*c >= 'a' && *c <= 'z') || ascii_is_digit(*c) || strchr("-.+_~:/[]", *c) != NULL;
        require(is_plain || c == star);
    }
    require(strchr(host + 3, '/') == NULL);
    require(origin_without_default_port(slice_of_text(text)).len == strlen(text));
}

/* The form of a good entry. */
static void canonical(slice entry, char out[ORIGIN_CAP])
{
    char again[ORIGIN_CAP];
    require(origin_parse(entry, &names, out) == NULL);
    require_sendable(out);
    require(origin_parse(slice_of_text(out), &names, again) == NULL && strcmp(out, again) == 0);
}

/* Does one entry hold this origin, which has no default port? */
static bool entry_holds(const char *entry, slice origin)
{
    char lower[4096];
    if (origin.len >= sizeof(lower))
        return false;
    for (size_t i = 0; i < origin.len; i++)
        lower[i] = ascii_lower(origin.data[i]);
    const slice small = {lower, origin.len};
    if (!is_pattern(entry))
        return slice_equals(small, slice_of_text(entry));
    size_t head = (size_t)(strchr(entry, '*') - entry);
    const char *tail = entry + head + 1;
    size_t tail_len = strlen(tail);
    if (small.len <= head + tail_len || memcmp(lower, entry, head) != 0 ||
        memcmp(lower + small.len - tail_len, tail, tail_len) != 0)
        return false;
    for (size_t i = head; i < small.len - tail_len; i++) {
        if (!ascii_is_letter(lower[i]) && !ascii_is_digit(lower[i]) && lower[i] != '-' && lower[i] != '.' &&
            lower[i] != '_')
            return false;
    }
    return true;
}

static bool text_holds(slice text, slice origin)
{
    bool has_entries = false;
    bool holds = false;
    origin = origin_without_default_port(origin);
    for (slice entry; slice_take_entry(&text, &entry); has_entries = true) {
        char form[ORIGIN_CAP];
        canonical(entry, form);
        holds = holds || entry_holds(form, origin);
    }
    return holds || !has_entries;
}

/* What the list's entries become is held by it. */
static void require_own(const origins *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const origins_entry *entry = &list->entries[i];
        char text[ORIGIN_CAP];
        memcpy(text, entry->text, entry->len);
        if (entry->star != 0)
            text[entry->star] = 'a';
        require(origins_allow(list, (slice){text, entry->len}));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    require(copy != NULL);
    memcpy(copy, data, size);
    slice origin = {copy, size};
    slice text = slice_take_until(&origin, '\n');

    origins list;
    origins_fault fault;
    int error = origins_make(&list, text, &fault);
    if (error == 0) {
        require(origins_allow(&list, origin) == text_holds(text, origin));
        require_own(&list);
    } else {
        require(error == -EINVAL && list.count == 0 && list.entries == NULL);
        require(fault.entry.len > 0 && fault.entry.data >= text.data &&
                fault.entry.data + fault.entry.len <= text.data + text.len && strlen(fault.reason) > 0);
    }
    origins_free(&list);
    free(copy);
    return 0;
}

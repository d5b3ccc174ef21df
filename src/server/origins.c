#include "server/origins.h"

#include "base/ascii.h"
#include "base/origin.h"

#include <errno.h>
#include <stdlib.h>

/* ---- Reading ---- */

static size_t count_entries(slice text)
{
    size_t count = 0;
    for (slice entry; slice_take_entry(&text, &entry);)
        count++;
    return count;
}

static int add(origins *list, const char *text)
{
    const char *star = strstr(text, "://*.");
    origins_entry *entry = &list->entries[list->count];
    *entry = (origins_entry){.text = strdup(text), .len = strlen(text)};
    if (entry->text == NULL)
        return -ENOMEM;
    if (star != NULL)
        entry->star = (size_t)(star - text) + 3;
    list->count++;
    return 0;
}

static int read_all(origins *list, slice text, idna *names, origins_fault *fault)
{
    int error = 0;
    for (slice entry; error == 0 && slice_take_entry(&text, &entry);) {
        char origin[ORIGIN_CAP];
        const char *reason = origin_parse(entry, names, origin);
        if (reason != NULL) {
            *fault = (origins_fault){entry, reason};
            return -EINVAL;
        }
        error = add(list, origin);
    }
    return error;
}

int origins_make(origins *list, slice text, origins_fault *fault)
{
    *list = (origins){0};
    size_t count = count_entries(text);
    if (count == 0)
        return 0;
    list->entries = calloc(count, sizeof(*list->entries));
    if (list->entries == NULL)
        return -ENOMEM;
    idna names = {0};
    int error = read_all(list, text, &names, fault);
    idna_deinit(&names);
    if (error != 0)
        origins_free(list);
    return error;
}

void origins_free(origins *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].text);
    free(list->entries);
    *list = (origins){0};
}

/* ---- Comparing ---- */

/* Could this be a part of a host name? What else may stand in an origin would let a pattern reach into its
 * port. */
static bool is_of_host(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_';
}

/* Does the origin lie under the domain of the pattern? */
static bool is_under(const origins_entry *pattern, slice origin)
{
    size_t head = pattern->star;
    size_t tail = pattern->len - head - 1; /* .domain[:port] */
    if (origin.len <= head + tail)
        return false;
    const slice start = {origin.data, head};
    const slice end = {origin.data + origin.len - tail, tail};
    if (!slice_equals_in_any_case(start, (slice){pattern->text, head}) ||
        !slice_equals_in_any_case(end, (slice){pattern->text + head + 1, tail}))
        return false;
    for (size_t i = head; i < origin.len - tail; i++) {
        if (!is_of_host(origin.data[i]))
            return false;
    }
    return true;
}

static bool matches(const origins_entry *entry, slice origin)
{
    return entry->star == 0 ? slice_equals_in_any_case((slice){entry->text, entry->len}, origin)
                            : is_under(entry, origin);
}

bool origins_allow(const origins *list, slice origin)
{
    if (list->count == 0)
        return true;
    origin = origin_without_default_port(origin);
    for (size_t i = 0; i < list->count; i++) {
        if (matches(&list->entries[i], origin))
            return true;
    }
    return false;
}

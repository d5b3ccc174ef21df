#include "admin/accept_header.h"

#include "base/slice.h"

/* How much a client prefers a type: its q, in thousandths, since it may have three digits. */
enum { QUALITY_ONE = 1000 };

/* "0.75" is 750. What is no number, or more than 1, counts as 1: the client has named the type, after all. */
static unsigned parse_quality(slice text)
{
    if (text.len == 0 || text.data[0] != '0')
        return QUALITY_ONE;
    unsigned quality = 0;
    unsigned digit_worth = QUALITY_ONE / 10;
    for (size_t i = 2; i < text.len && digit_worth > 0; i++, digit_worth /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9')
            break;
        quality += (unsigned)(text.data[i] - '0') * digit_worth;
    }
    return quality;
}

/* One element of the list: a type, with parameters after semicolons. */
typedef struct media_range {
    slice type;
    slice version; /* empty: there is none */
    unsigned quality;
} media_range;

static media_range parse_range(slice text)
{
    media_range range = {.type = slice_trim(slice_take_until(&text, ';')), .quality = QUALITY_ONE};
    while (text.len > 0) {
        slice value = slice_take_until(&text, ';');
        slice name = slice_trim(slice_take_until(&value, '='));
        if (slice_equals_in_any_case(name, SLICE_LITERAL("q")))
            range.quality = parse_quality(slice_trim(value));
        else if (slice_equals_in_any_case(name, SLICE_LITERAL("version")))
            range.version = slice_trim(value);
    }
    return range;
}

static bool is_openmetrics(const media_range *range)
{
    return slice_equals_in_any_case(range->type, SLICE_LITERAL("application/openmetrics-text")) &&
           (range->version.len == 0 || slice_equals(range->version, SLICE_LITERAL("1.0.0")));
}

static bool fits_text(const media_range *range)
{
    return slice_equals_in_any_case(range->type, SLICE_LITERAL("text/plain")) ||
           slice_equals_in_any_case(range->type, SLICE_LITERAL("text/*")) ||
           slice_equals(range->type, SLICE_LITERAL("*/*"));
}

prometheus_format accept_header_choose(slice header)
{
    slice rest = header;
    unsigned openmetrics = 0;
    unsigned text = 0;
    while (rest.len > 0) {
        media_range range = parse_range(slice_take_until(&rest, ','));
        if (is_openmetrics(&range) && range.quality > openmetrics)
            openmetrics = range.quality;
        if (fits_text(&range) && range.quality > text)
            text = range.quality;
    }
    return openmetrics > 0 && openmetrics >= text ? PROMETHEUS_OPENMETRICS : PROMETHEUS_TEXT;
}

/* Any text as the header Accept. OpenMetrics is chosen only for one that names it; blanks around the
 * elements, and one more element of another type, change nothing; and a header for the text format before all
 * decides. */
#include "fuzz.h"

#include "admin/accept_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = fuzz_copy(data, size);
    prometheus_format format = accept_header_choose(slice_of_text(header));
    REQUIRE(format == PROMETHEUS_TEXT || format == PROMETHEUS_OPENMETRICS);
    if (strcasestr(header, "application/openmetrics-text") == NULL)
        REQUIRE(format == PROMETHEUS_TEXT);

    char *longer = malloc(size + 128);
    REQUIRE(longer != NULL);
    sprintf(longer, " \t%s , image/png;q=0.9, x/y", header);
    REQUIRE(accept_header_choose(slice_of_text(longer)) == format);
    sprintf(longer, "application/openmetrics-text;q=0,%s", header);
    REQUIRE(accept_header_choose(slice_of_text(longer)) == format);
    sprintf(longer, "%s,application/openmetrics-text", header); /* as much as any can prefer */
    REQUIRE(accept_header_choose(slice_of_text(longer)) == PROMETHEUS_OPENMETRICS);
    free(longer);
    free(header);
    return 0;
}

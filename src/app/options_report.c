#include "app/options_report.h"

#include "app/option_table.h"
#include "app/options.h"
#include "base/ascii.h"

#include <string.h>

/* A value may be long, and may have control characters in it. */
static void report_value(FILE *reports, slice value)
{
    enum { SHOWN = 64 };
    fputc('"', reports);
    for (size_t i = 0; i < value.len && i < SHOWN; i++) {
        if (option_is_control(value.data[i]))
            fprintf(reports, "\\x%02x", (unsigned)(unsigned char)value.data[i]);
        else
            fputc(value.data[i], reports);
    }
    fputs(value.len > SHOWN ? "…\"" : "\"", reports);
}

static const option_text *text_of(const app_config *config, const option *o)
{
    return &config->texts[o - option_table_get()];
}

static void report_source(FILE *reports, const app_config *config, const option *o)
{
    const option_text *given = text_of(config, o);
    if (given->text == NULL)
        fputs(" (the default)\n", reports);
    else if (given->line > 0)
        fprintf(reports, " (from %s, line %zu)\n", config->file_name, given->line);
    else
        fputs(" (from the environment)\n", reports);
}

void options_report(FILE *reports, const app_config *config, const option *o, slice value, const char *reason)
{
    fprintf(reports, "homecall-signal: %s: ", o->name);
    if (o->is_secret)
        fputs("what it is set to", reports);
    else
        report_value(reports, value);
    fprintf(reports, " is not valid: %s", reason);
    report_source(reports, config, o);
}

bool options_refuse(FILE *reports, const app_config *config, size_t offset, slice value, const char *reason)
{
    options_report(reports, config, option_table_find_target(offset), value, reason);
    return false;
}

bool options_refuse_whole(FILE *reports, const app_config *config, size_t offset, const char *reason)
{
    slice whole = slice_of_text(options_get_text(config, option_table_find_target(offset)));
    return options_refuse(reports, config, offset, whole, reason);
}

static bool is_from_environment(const option_text *given)
{
    return given->text != NULL && given->line == 0;
}

bool options_is_quoted(const app_config *config, const option *o)
{
    const option_text *given = text_of(config, o);
    size_t len = is_from_environment(given) ? strlen(given->text) : 0;
    return len >= 2 && (given->text[0] == '"' || given->text[0] == '\'') &&
           given->text[len - 1] == given->text[0];
}

/* A pod has variables for each Service that was there before it: one that is called ws sets WS_PORT to
 * tcp://10.0.0.1:80. */
static bool is_service_link(const app_config *config, const option *o)
{
    static const char *const begins[] = {"tcp://", "udp://", "sctp://"};
    const option_text *given = text_of(config, o);
    for (size_t i = 0;
         o->type == OPTION_PORT && is_from_environment(given) && i < sizeof(begins) / sizeof(begins[0]);
         i++) {
        if (strncmp(given->text, begins[i], strlen(begins[i])) == 0)
            return true;
    }
    return false;
}

/* What that Service is called: WS for WS_PORT, in small letters. */
static void name_service(const option *o, char *out, size_t cap)
{
    size_t len = strlen(o->name) - strlen("_PORT");
    size_t written = 0;
    for (; written < len && written + 1 < cap; written++)
        out[written] = ascii_lower(o->name[written]);
    out[written] = '\0';
}

void options_report_invalid(FILE *reports, const app_config *config, const option *o)
{
    char allowed[128];
    char reason[512];
    option_describe(o, allowed, sizeof(allowed));
    int len = snprintf(reason, sizeof(reason), "%s is allowed", allowed);
    if (is_service_link(config, o)) {
        char service[32];
        name_service(o, service, sizeof(service));
        snprintf(reason + len, sizeof(reason) - (size_t)len,
                 "; Kubernetes sets it like this for a Service that is called %s: enableServiceLinks: false "
                 "in the "
                 "pod's specification keeps it out, and so does another name of the Service",
                 service);
    }
    options_report(reports, config, o, slice_of_text(options_get_text(config, o)), reason);
}

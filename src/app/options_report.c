#include "app/options_report.h"

#include "app/option_table.h"

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

static void report_source(FILE *reports, const app_config *config, const option *o)
{
    const option_text *given = &config->texts[o - option_table_get()];
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
    report_value(reports, value);
    fprintf(reports, " is not valid: %s", reason);
    report_source(reports, config, o);
}

#include "app/options_print.h"

#include "app/env_file.h"
#include "app/option_table.h"
#include "app/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 80 };

/* Print `text` in lines of at most COLUMNS. Each starts with `margin`. */
static void print_wrapped(FILE *out, const char *margin, const char *text)
{
    size_t width = COLUMNS - strlen(margin);
    while (*text != '\0') {
        size_t len = strlen(text);
        if (len > width) {
            const char *blank = memrchr(text, ' ', width + 1);
            len = blank == NULL ? width : (size_t)(blank - text);
        }
        fprintf(out, "%s%.*s\n", margin, (int)len, text);
        text += len;
        text += *text == ' ';
    }
}

void options_describe_range(const app_config *config, const option *o, char line[OPTIONS_RANGE_CAP])
{
    char allowed[128];
    char unit[32] = "";
    const char *text = options_get_default(config, o);
    option_describe(o, allowed, sizeof(allowed));
    if (o->unit != NULL)
        snprintf(unit, sizeof(unit), " (%s)", o->unit);
    if (o->type != OPTION_CHOICE && o->type != OPTION_SWITCH) /* words are written as they must be given */
        allowed[0] = 'A';
    snprintf(line, OPTIONS_RANGE_CAP, "%s%s; default %s%s.", allowed, unit, text[0] == '\0' ? "empty" : text,
             o->type == OPTION_DURATION ? " seconds" : "");
}

static void print_range(FILE *out, const char *margin, const app_config *config, const option *o)
{
    char line[OPTIONS_RANGE_CAP];
    options_describe_range(config, o, line);
    print_wrapped(out, margin, line);
}

static bool begins_group(const option *o)
{
    return o == option_table_get() || strcmp(o->group, o[-1].group) != 0;
}

void options_print_help(FILE *out)
{
    const option *table = option_table_get();
    app_config config;
    options_init(&config);
    for (const option *o = table; o < table + option_table_count(); o++) {
        if (begins_group(o))
            fprintf(out, "\n%s:\n", o->group);
        fprintf(out, "  %s\n", o->name);
        print_wrapped(out, "      ", o->help);
        print_range(out, "      ", &config, o);
    }
    options_deinit(&config);
}

const char *const options_config_head[] = {
    "HomeCall Signal: every option with its value.",
    "",
    "The server reads the file .env in its working directory, or the file given by --env-file. A variable of "
    "the same name in the environment wins. An option that is empty or missing has its default.",
    "",
    "Sizes are in bytes, or have k, m or g behind them (1024 and its powers). Times are in seconds, with up "
    "to three decimals, or have ms, s, m or h behind them. Switches are on or off; yes, no, true, false, 1 "
    "and 0 work, too. Put a value with blanks or a # into quotes. $NAMES in a value are not replaced.",
    NULL,
};

static int print_option(const app_config *config, const option *o, FILE *out)
{
    const char *text = options_get_text(config, o);
    char word[OPTION_DEFAULT_CAP];
    if (o->type == OPTION_SWITCH && option_format(o, config, word)) /* on or off, whatever was written */
        text = word;
    char *value = env_file_format_value(slice_of_text(text));
    if (value == NULL)
        return -ENOMEM;
    fputc('\n', out);
    if (begins_group(o))
        fprintf(out, "# ---- %s ----\n\n", o->group);
    print_wrapped(out, "# ", o->help);
    print_range(out, "# ", config, o);
    fprintf(out, "%s=%s\n", o->name, value);
    free(value);
    return 0;
}

int options_print_config(const app_config *config, FILE *out)
{
    for (size_t i = 0; options_config_head[i] != NULL; i++) {
        if (options_config_head[i][0] == '\0')
            fputs("#\n", out);
        print_wrapped(out, "# ", options_config_head[i]);
    }
    for (size_t i = 0; i < option_table_count(); i++) {
        if (print_option(config, &option_table_get()[i], out) != 0)
            return -ENOMEM;
    }
    return 0;
}

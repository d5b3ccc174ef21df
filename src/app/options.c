#include "app/options.h"

#include "app/env_file.h"
#include "app/options_check.h"
#include "app/options_report.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

const char *options_get_text(const app_config *config, const option *o)
{
    const char *given = config->texts[o - option_table_get()].text;
    return given != NULL ? given : options_get_default(config, o);
}

const char *options_get_default(const app_config *config, const option *o)
{
    return config->defaults[o - option_table_get()];
}

/* ---- Reading ---- */

static int take_text(option_text *target, slice text, size_t line)
{
    char *copy = text.len == 0 ? NULL : strndup(text.data, text.len);
    if (copy == NULL && text.len > 0)
        return -ENOMEM;
    free(target->text);
    *target = (option_text){copy, line};
    return 0;
}

typedef struct file_reader {
    app_config *config;
    FILE *reports;
    int error;
} file_reader;

static void on_entry(void *context, size_t line, slice key, slice value)
{
    file_reader *reader = context;
    const option *o = option_table_find(key);
    if (o != NULL) {
        int error = take_text(&reader->config->texts[o - option_table_get()], value, line);
        reader->error = error != 0 ? error : reader->error;
        return;
    }
    const option *near = option_table_find_near(key);
    fprintf(reader->reports, "homecall-signal: %s, line %zu: %.*s is not an option and is ignored",
            reader->config->file_name, line, (int)(key.len < 64 ? key.len : 64), key.data);
    if (near != NULL)
        fprintf(reader->reports, "; did you mean %s?", near->name);
    fputc('\n', reader->reports);
}

static void on_fault(void *context, size_t line, const char *reason)
{
    file_reader *reader = context;
    fprintf(reader->reports, "homecall-signal: %s:%zu: %s\n", reader->config->file_name, line, reason);
}

int options_read_file(app_config *config, const char *name, slice content, FILE *reports)
{
    char *copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    free(config->file_name);
    config->file_name = copy;

    file_reader reader = {.config = config, .reports = reports};
    const env_file_events events = {.on_entry = on_entry, .on_fault = on_fault, .context = &reader};
    int error = env_file_parse(content, &events);
    return error != 0 ? error : reader.error;
}

int options_read_environment(app_config *config, char *const *environment)
{
    for (; *environment != NULL; environment++) {
        const char *separator = strchr(*environment, '=');
        if (separator == NULL || separator[1] == '\0')
            continue;
        const option *o = option_table_find((slice){*environment, (size_t)(separator - *environment)});
        if (o == NULL)
            continue;
        const slice value = slice_of_text(separator + 1);
        if (take_text(&config->texts[o - option_table_get()], value, 0) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- Values ---- */

static void report_invalid(FILE *reports, const app_config *config, const option *o)
{
    char allowed[128];
    char reason[sizeof(allowed) + sizeof(" is allowed")];
    option_describe(o, allowed, sizeof(allowed));
    snprintf(reason, sizeof(reason), "%s is allowed", allowed);
    const char *text = options_get_text(config, o);
    options_report(reports, config, o, slice_of_text(text), reason);
}

int options_apply(app_config *config, FILE *reports)
{
    const option *table = option_table_get();
    bool is_valid = true;
    for (size_t i = 0; i < option_table_count(); i++) {
        if (!option_set(&table[i], config, options_get_text(config, &table[i]))) {
            report_invalid(reports, config, &table[i]);
            is_valid = false;
        }
    }
    /* With a value missing, more complaints would only confuse. */
    return is_valid && options_check_together(config, reports) ? 0 : -EINVAL;
}

/* A row has a default of its own, or the target has the library's. */
static void set_default(app_config *config, const option *o, char text[OPTION_DEFAULT_CAP])
{
    bool is_valid = o->default_text == NULL ? option_format(o, config, text)
                                            : strlen(o->default_text) < OPTION_DEFAULT_CAP &&
                                                  option_set(o, config, strcpy(text, o->default_text));
    assert(is_valid);
    (void)is_valid;
}

void options_init(app_config *config)
{
    *config = (app_config){0};
    signal_server_options_init(&config->server);
    for (size_t i = 0; i < option_table_count(); i++)
        set_default(config, &option_table_get()[i], config->defaults[i]);
}

void options_deinit(app_config *config)
{
    for (size_t i = 0; i < option_table_count(); i++)
        free(config->texts[i].text);
    free(config->file_name);
    *config = (app_config){0};
}

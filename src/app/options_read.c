#include "app/options_read.h"

#include "app/env_file.h"
#include "app/option_table.h"
#include "app/options.h"
#include "app/options_check.h"
#include "app/options_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_ENV_FILE = 1 << 20 };

/* ---- Texts ---- */

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

/* 0, or -EINVAL (reported). */
static int apply(app_config *config, const option *o, FILE *reports)
{
    const char *text = options_get_text(config, o);
    if (options_is_quoted(config, o)) {
        options_report(reports, config, o, slice_of_text(text),
                       "it is still in quotes, which are a part of it where it comes from; leave them out");
        return -EINVAL;
    }
    if (option_set(o, config, text))
        return 0;
    options_report_invalid(reports, config, o);
    return -EINVAL;
}

int options_apply(app_config *config, FILE *reports)
{
    const option *table = option_table_get();
    bool is_valid = true;
    for (size_t i = 0; i < option_table_count(); i++) {
        if (apply(config, &table[i], reports) != 0)
            is_valid = false;
    }
    /* If a value is missing, further reports would only confuse. */
    return is_valid && options_check_together(config, reports) ? 0 : -EINVAL;
}

/* ---- Everything ---- */

/* The content of a file in a buffer owned by the caller. 0 or -errno. */
static int read_file(const char *path, char **content, size_t *len)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    int error = 0;
    char *buffer = malloc(LARGEST_ENV_FILE);
    if (buffer == NULL) {
        error = -ENOMEM;
    } else {
        errno = 0;
        *len = fread(buffer, 1, LARGEST_ENV_FILE, file);
        if (ferror(file))
            error = errno != 0 ? -errno : -EIO;
        else if (*len == LARGEST_ENV_FILE)
            error = -EFBIG;
    }
    (void)fclose(file); /* it was only read */
    if (error != 0)
        free(buffer);
    else
        *content = buffer;
    return error;
}

int options_load(app_config *config, const char *env_file, FILE *reports)
{
    const char *path = env_file != NULL ? env_file : ".env";
    char *content = NULL;
    size_t len = 0;
    int error = read_file(path, &content, &len);
    if (error == 0) {
        error = options_read_file(config, path, (slice){content, len}, reports);
        free(content);
        if (error == -EINVAL)
            return error;
    } else if (error == -ENOENT && env_file == NULL) {
        error = 0;
    }
    if (error == 0)
        error = options_read_environment(config, environ);
    if (error != 0) {
        fprintf(reports, "homecall-signal: can't read %s: %s\n", path, strerror(-error));
        return error;
    }
    return options_apply(config, reports);
}

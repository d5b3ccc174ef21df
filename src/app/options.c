#include "app/options.h"

#include "app/option_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The row has a default of its own; or the target has the library's default already, and only its text is
 * made. */
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
    signal_server_options_init(&config->server, sizeof(config->server));
    signal_log_options_init(&config->log, sizeof(config->log));
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

const char *options_get_text(const app_config *config, const option *o)
{
    const char *given = config->texts[o - option_table_get()].text;
    return given != NULL ? given : options_get_default(config, o);
}

const char *options_get_default(const app_config *config, const option *o)
{
    return config->defaults[o - option_table_get()];
}

/* The options: each is declared once, as a row of one table, and everything walks the rows: what reads them,
 * --help,
 * --print-config, .env.example, the tests.
 *
 * An option has its value from the environment, else from a .env file, else from its row; an empty value
 * counts as not given. Reading only collects texts; options_apply() turns them into numbers and reports every
 * fault at once. Functions that report write whole lines, meant for standard error. */
#ifndef HOMECALL_APP_OPTIONS_H
#define HOMECALL_APP_OPTIONS_H

#include "app/option_table.h"
#include "base/slice.h"
#include "homecall/signal_log.h"
#include "homecall/signal_server.h"

#include <stdio.h>

/* A text that was given for an option. */
typedef struct option_text {
    char *text;  /* owned; NULL = not given */
    size_t line; /* of the file; 0 = from the environment */
} option_text;

typedef struct app_config {
    signal_server_options
        server;             /* strings point into `texts` and `defaults`, or to literals: it is not copied */
    signal_log_options log; /* the same */
    bool allows_plaintext;  /* ALLOW_PLAINTEXT */
    uint32_t bind_retry_ms; /* BIND_RETRY */
    option_text texts[OPTIONS_MAX];
    char defaults[OPTIONS_MAX][OPTION_DEFAULT_CAP];
    char *file_name; /* owned; the .env file as it is called in reports; NULL before one was read */
} app_config;

/* Every option at its default. */
void options_init(app_config *config);

/* Free what the config owns. */
void options_deinit(app_config *config);

/* Take texts from the .env file `name`, whose content is `content`. The last of two lines for a key counts.
 * Keys that are no option are reported and ignored. 0; -EINVAL when a line can't be read (reported); -ENOMEM.
 */
int options_read_file(app_config *config, const char *name, slice content, FILE *reports);

/* Take texts from `environment`, which is like environ; they win over what is there. Other variables are
 * ignored. 0 or -ENOMEM. */
int options_read_environment(app_config *config, char *const *environment);

/* Turn the texts into values. 0, or -EINVAL when some are not valid, or don't fit each other: each is
 * reported, and the values are of no use. */
int options_apply(app_config *config, FILE *reports);

/* Can the files that the server reads at its start be used? A certificate that can't must not be found out at
 * the first call; but who only asks a server that runs need not be able to read its key. 0, or -EINVAL
 * (reported) or -ENOMEM. */
int options_check_files(const app_config *config, FILE *reports);

/* The text in effect for an option: the one given, else its default. Borrowed from the config. */
const char *options_get_text(const app_config *config, const option *o);

/* The default of an option as a text. The same. */
const char *options_get_default(const app_config *config, const option *o);

/* Describe every option, in lines of at most 80 columns. */
void options_print_help(FILE *out);

/* The texts in effect, as a .env file that says what each option is. 0 or -ENOMEM. */
int options_print_config(const app_config *config, FILE *out);

#endif

/* The configuration of the program: the values of all options, and the texts that they come from. */
#ifndef HOMECALL_APP_APP_CONFIG_H
#define HOMECALL_APP_APP_CONFIG_H

#include "app/option.h"
#include "homecall/signal_log.h"
#include "homecall/signal_server.h"

/* A text that was given for an option. */
typedef struct option_text {
    char *text;  /* owned; NULL = not given */
    size_t line; /* of the file; 0 = from the environment */
} option_text;

/* Not to be copied: strings in `server` and `log` point into `texts` and `defaults`, or to literals. */
typedef struct app_config {
    signal_server_options server;
    signal_log_options log;
    bool allows_plaintext;  /* ALLOW_PLAINTEXT */
    uint32_t bind_retry_ms; /* BIND_RETRY */

    /* One for each row of the table (option_table.h). */
    option_text texts[OPTIONS_MAX];
    char defaults[OPTIONS_MAX][OPTION_DEFAULT_CAP];

    char *file_name; /* owned; the .env file as it is called in reports; NULL before one was read */
} app_config;

#endif

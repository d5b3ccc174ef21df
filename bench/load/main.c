/* homecall-bench: puts load on a signaling server, and reports what it measured. */
#include "options.h"
#include "report/report.h"
#include "report/report_plots.h"
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Write a word as a shell reads it back, and return where it ends. It takes at most four bytes for each of
 * its own, and two more. */
static char *put_word(char *at, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
    if (*word != '\0' && word[strspn(word, plain)] == '\0')
        return stpcpy(at, word);
    *at++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            at = stpcpy(at, "'\\''");
        else
            *at++ = *word;
    }
    return stpcpy(at, "'");
}

/* The command, without the folder of the program: for the reports. */
static char *join_arguments(int argc, char **argv)
{
    static const char program[] = "homecall-bench";
    size_t len = sizeof(program);
    for (int i = 1; i < argc; i++)
        len += 4 * strlen(argv[i]) + 3;
    char *line = malloc(len);
    if (line == NULL)
        return NULL;
    char *at = stpcpy(line, program);
    for (int i = 1; i < argc; i++) {
        at = stpcpy(at, " ");
        at = put_word(at, argv[i]);
    }
    return line;
}

static int write_json(const result *r, const char *path)
{
    if (strcmp(path, "-") == 0)
        return report_json(r, stdout);
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return -errno;
    int error = report_json(r, out);
    if (fclose(out) != 0 && error == 0)
        error = -errno;
    return error;
}

static int complain(const char *what, int error)
{
    fprintf(stderr, "homecall-bench: %s: %s\n", what, strerror(-error));
    return EXIT_FAILURE;
}

/* Write the page with its plots. Without them if report_plots_check() has said before the run that they can't
 * be drawn. Returns the exit code. */
static int write_page(const result *r, const char *dir, bool can_draw)
{
    char *plots = can_draw ? report_plots_draw(r) : NULL;
    bool is_complete = !can_draw || plots != NULL; /* if not, the message is printed already */
    int error = report_html(r, plots, dir);
    free(plots);
    if (error != 0)
        return complain(dir, error);
    return is_complete ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Report in every way that was asked for. Returns the exit code. */
static int report(const load_options *o, const result *r, bool can_draw)
{
    bool json_is_output = o->json != NULL && strcmp(o->json, "-") == 0;
    int error;
    if (!o->quiet && !json_is_output && (error = report_text(r, stdout)) != 0)
        return complain("standard output", error);
    if (o->json != NULL && (error = write_json(r, o->json)) != 0)
        return complain(o->json, error);
    return o->report != NULL ? write_page(r, o->report, can_draw) : EXIT_SUCCESS;
}

/* Can all be written that was asked for? Nobody should learn of it after an hour of load. Returns the exit
 * code. */
static int check_outputs(const load_options *o)
{
    int error;
    if (o->report != NULL && (error = report_html_check(o->report)) != 0)
        return complain(o->report, error);
    if (o->json == NULL || strcmp(o->json, "-") == 0)
        return EXIT_SUCCESS;
    FILE *json = fopen(o->json, "ae"); /* what is in it stays until there is a result */
    if (json == NULL)
        return complain(o->json, -errno);
    return fclose(json) == 0 ? EXIT_SUCCESS : complain(o->json, -errno);
}

/* Run and report. Returns the exit code. */
static int perform(const load_options *options, const char *command_line)
{
    static result r; /* too large for the stack */
    static char texts[OPTIONS_SETTINGS_BYTES];
    const char *settings[OPTIONS_MAX_SETTINGS];
    if (check_outputs(options) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    bool can_draw = options->report != NULL && report_plots_check();
    if (run_load(options, command_line, &r) != 0)
        return EXIT_FAILURE; /* the message is printed already */
    options_settings(options, settings, texts);
    r.settings = settings;
    int status = report(options, &r, can_draw);
    if (r.fault != NULL) {
        fprintf(stderr, "homecall-bench: fault: %s\n", r.fault);
        status = EXIT_FAILURE;
    }
    run_free_result(&r);
    return status;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);                        /* so that a write to a server that is gone only fails */
    char *command_line = join_arguments(argc, argv); /* before getopt_long() reorders them */
    if (command_line == NULL)
        return complain("arguments", -ENOMEM);

    load_options options;
    int status = EXIT_SUCCESS;
    switch (options_parse(argc, argv, &options)) {
    case OPTIONS_SHOWN:
        break;
    case OPTIONS_WRONG:
        status = 2;
        break;
    case OPTIONS_RUN:
        status = perform(&options, command_line);
        break;
    }
    free(command_line);
    return status;
}

/* manual DATE TEMPLATE OUTPUT: makes the manual pages and the completions of shells at build time. It copies
 * the template, and replaces each line that begins with "@" by what the tables of options say. So what
 * --help, .env.example, the pages and the completions tell is one text, beside the code that reads the
 * option. */
#include "app/arguments.h"
#include "app/option_table.h"
#include "app/options.h"
#include "app/options_print.h"
#include "base/argument.h"
#include "top/top_arguments.h"

#include "options.h"
#include "scenario/scenario.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *date; /* of the pages */

/* ---- Manual pages ---- */

/* Write a text so that roff takes nothing in it for its own. */
static void put_roff(const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

/* Begin an item of a list: "-h, --help VALUE". `letter` and `value` may be NULL. */
static void put_item(const char *letter, const char *word, const char *value)
{
    fputs(".TP\n", stdout);
    if (letter != NULL) {
        fputs("\\fB", stdout);
        put_roff(letter);
        fputs("\\fR, ", stdout);
    }
    fputs("\\fB", stdout);
    put_roff(word);
    fputs("\\fR", stdout);
    if (value != NULL) {
        fputs(" \\fI", stdout);
        put_roff(value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
}

static void put_line(const char *text)
{
    put_roff(text);
    putchar('\n');
}

static void put_sentence(const char *text)
{
    put_roff(text);
    fputs(".\n", stdout);
}

/* The line is "@title NAME SECTION". */
static void write_title(const char *rest)
{
    char name[64];
    char section[4];
    if (sscanf(rest, "%63s %3s", name, section) != 2)
        return;
    for (char *c = name; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    fputs(".TH ", stdout);
    put_roff(name);
    printf(" %s \"%s\" \"homecall\\-signal %s\" \"HomeCall Signal\"\n", section, date, HOMECALL_VERSION);
}

static const argument *find_arguments(const char *rest)
{
    return strcmp(rest, "top") == 0 ? top_arguments : arguments_table;
}

static void write_arguments(const char *rest)
{
    for (const argument *a = find_arguments(rest); a->word != NULL; a++) {
        put_item(a->letter, a->word, a->value);
        put_sentence(a->help);
    }
}

static void write_head(const char *rest)
{
    (void)rest;
    for (size_t i = 1; options_config_head[i] != NULL; i++) { /* the first one is a title */
        if (options_config_head[i][0] == '\0')
            puts(".PP");
        else
            put_line(options_config_head[i]);
    }
}

static void write_options(const char *rest)
{
    (void)rest;
    app_config config;
    options_init(&config);
    const option *table = option_table_get();
    for (size_t i = 0; i < option_table_count(); i++) {
        const option *o = &table[i];
        char range[OPTIONS_RANGE_CAP];
        if (i == 0 || strcmp(o->group, table[i - 1].group) != 0) {
            fputs(".SS ", stdout);
            put_line(o->group);
        }
        put_item(NULL, o->name, NULL);
        put_line(o->help);
        options_describe_range(&config, o, range);
        put_line(range);
    }
    options_deinit(&config);
}

static void write_scenarios(const char *rest)
{
    (void)rest;
    for (size_t i = 0; i < scenario_count; i++) {
        put_item(NULL, scenarios[i]->name, NULL);
        put_sentence(scenarios[i]->help);
    }
}

static void write_bench_options(const char *rest)
{
    (void)rest;
    options_entry o;
    for (size_t i = 0; options_describe(i, &o); i++) {
        char word[64];
        snprintf(word, sizeof(word), "--%s", o.name);
        put_item(NULL, word, o.argument);
        if (o.scenarios != NULL) {
            put_roff(o.scenarios);
            fputs(": ", stdout);
        }
        put_roff(o.help);
        if (o.default_text[0] != '\0') {
            fputs(" (", stdout);
            put_roff(o.default_text);
            putchar(')');
        }
        fputs(".\n", stdout);
    }
}

/* ---- Completions ---- */

static void write_words(const char *rest)
{
    fputs("    words='", stdout);
    for (const argument *a = find_arguments(rest); a->word != NULL; a++)
        printf("%s%s%s ", a->letter != NULL ? a->letter : "", a->letter != NULL ? " " : "", a->word);
    puts("'");
}

/* Is the option for this scenario? NULL means any. */
static bool is_for(const options_entry *o, const char *name)
{
    return name == NULL || o->scenarios == NULL || options_is_listed(o->scenarios, name);
}

static void put_bench_words(const char *name)
{
    options_entry o;
    fputs("words='-h --help -V --version", stdout);
    for (size_t i = 0; options_describe(i, &o); i++) {
        if (is_for(&o, name))
            printf(" --%s", o.name);
    }
    fputs("'", stdout);
}

/* The options that each scenario takes; without one, its name is wanted as well. */
static void write_bench_words(const char *rest)
{
    (void)rest;
    for (size_t i = 0; i < scenario_count; i++) {
        printf("    %s) ", scenarios[i]->name);
        put_bench_words(scenarios[i]->name);
        puts(" ;;");
    }
}

static void write_scenario_words(const char *rest)
{
    fputs(rest, stdout);
    for (size_t i = 0; i < scenario_count; i++)
        printf("%s%s", i > 0 ? " " : "", scenarios[i]->name);
    puts(strchr(rest, '(') != NULL ? ")' \\" : "'");
}

/* Options of bash that take a file, a directory, or a word that can't be guessed: "@bench-values file". */
static const char *kind_of(const char *value)
{
    if (value == NULL)
        return "flag";
    if (strcmp(value, "FILE") == 0 || strcmp(value, "PATH") == 0)
        return "file";
    if (strcmp(value, "DIR") == 0)
        return "directory";
    return strcmp(value, "NAME") == 0 ? "dialect" : "other";
}

static void write_bench_values(const char *rest)
{
    options_entry o;
    const char *between = "    ";
    for (size_t i = 0; options_describe(i, &o); i++) {
        if (strcmp(kind_of(o.argument), rest) == 0) {
            printf("%s--%s", between, o.name);
            between = " | ";
        }
    }
    puts(")");
}

/* A description in zsh's brackets, within quotes. */
static void put_zsh_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\'", stdout);
        else if (*text == '[' || *text == ']' || *text == ':')
            putchar('\\');
        putchar(*text);
    }
}

static void put_zsh_row(const char *letter, const char *word, const char *value, const char *help)
{
    static const struct {
        const char *kind, *action;
    } actions[] = {{"file", "_files"},
                   {"directory", "_files -/"},
                   {"dialect", "(homecall session 2 peerjs)"},
                   {"other", ""}};
    if (letter != NULL)
        printf("    '(%s %s)'{%s,%s}'[", letter, word, letter, word);
    else
        printf("    '%s%s[", word, value != NULL ? "=" : "");
    put_zsh_text(help);
    putchar(']');
    for (size_t i = 0; value != NULL && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].kind, kind_of(value)) == 0)
            printf(":%s:%s", value, actions[i].action);
    }
    puts("' \\");
}

static void write_zsh_arguments(const char *rest)
{
    for (const argument *a = find_arguments(rest); a->word != NULL; a++) {
        if (a->word[0] == '-')
            put_zsh_row(a->letter, a->word, a->value, a->help);
    }
}

static void write_zsh_bench(const char *rest)
{
    (void)rest;
    options_entry o;
    for (size_t i = 0; options_describe(i, &o); i++) {
        char word[64];
        snprintf(word, sizeof(word), "--%s", o.name);
        put_zsh_row(NULL, word, o.argument, o.help);
    }
}

/* ---- The whole ---- */

static const struct {
    const char *name;
    void (*write)(const char *rest); /* what stands behind the name */
} directives[] = {
    {"title", write_title},
    {"arguments", write_arguments},
    {"head", write_head},
    {"options", write_options},
    {"scenarios", write_scenarios},
    {"bench-options", write_bench_options},
    {"words", write_words},
    {"bench-words", write_bench_words},
    {"scenario-words", write_scenario_words},
    {"bench-values", write_bench_values},
    {"zsh-arguments", write_zsh_arguments},
    {"zsh-bench", write_zsh_bench},
};

/* Obey a line of the template, without its "@". False where there is no such directive. */
static bool obey(char *line)
{
    size_t len = strcspn(line, " ");
    char *rest = line[len] == '\0' ? line + len : line + len + 1;
    line[len] = '\0';
    for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
        if (strcmp(directives[i].name, line) == 0) {
            directives[i].write(rest);
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: manual DATE TEMPLATE OUTPUT\n", stderr);
        return 2;
    }
    if (freopen(argv[2], "r", stdin) == NULL || freopen(argv[3], "w", stdout) == NULL) {
        fprintf(stderr, "manual: %s, %s: %s\n", argv[2], argv[3], strerror(errno));
        return 1;
    }
    date = argv[1];
    char line[1024];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '@') {
            puts(line);
        } else if (!obey(line + 1)) {
            fprintf(stderr, "manual: no such line is known: %s\n", line);
            return 1;
        }
    }
    if (ferror(stdin) || fflush(stdout) != 0) {
        fprintf(stderr, "manual: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}

/* Any text as a .env file, and any as the environment. What is wrong is reported, in lines without control
 * characters that don't show the secret; and what is right is printed as a file that means the same.
 *
 * Input: the file; behind a NUL, the environment, whose variables are apart by NULs. */
#include "fuzz.h"

#include "app/option_table.h"
#include "app/options.h"
#include "app/options_print.h"
#include "app/options_read.h"

#include <errno.h>

static void require_clean(const char *reports, size_t len)
{
    for (size_t i = 0; i < len; i++)
        REQUIRE(reports[i] == '\n' || !option_is_control(reports[i]));
    REQUIRE(len == 0 || reports[len - 1] == '\n');
}

/* Does the input have this text twice? Then one of them may be a name, which a report shows. */
static bool is_there_twice(const char *input, size_t size, const char *text)
{
    size_t len = strlen(text);
    const char *first = memmem(input, size, text, len);
    return first != NULL && memmem(first + 1, (size_t)(input + size - first - 1), text, len) != NULL;
}

/* The secret is long enough to be no word of a report. */
static void require_secret_kept(const app_config *config, const char *reports, slice input)
{
    for (size_t i = 0; i < option_table_count(); i++) {
        const option *o = &option_table_get()[i];
        const char *text = config->texts[i].text;
        if (o->is_secret && text != NULL && strlen(text) >= 12 &&
            !is_there_twice(input.data, input.len, text))
            REQUIRE(strstr(reports, text) == NULL);
    }
}

static void require_same(const app_config *a, const app_config *b)
{
    for (size_t i = 0; i < option_table_count(); i++) {
        const option *o = &option_table_get()[i];
        char ours[OPTION_DEFAULT_CAP], theirs[OPTION_DEFAULT_CAP];
        if (o->type == OPTION_STRING)
            REQUIRE(strcmp(options_get_text(a, o), options_get_text(b, o)) == 0);
        else
            REQUIRE(option_format(o, a, ours) && option_format(o, b, theirs) && strcmp(ours, theirs) == 0);
    }
}

static void check_round_trip(const app_config *config)
{
    char *printed;
    size_t len;
    FILE *out = open_memstream(&printed, &len);
    REQUIRE(out != NULL && options_print_config(config, out) == 0 && fclose(out) == 0);
    char *reports;
    size_t reports_len;
    FILE *faults = open_memstream(&reports, &reports_len);
    REQUIRE(faults != NULL);
    app_config again;
    options_init(&again);
    REQUIRE(options_read_file(&again, "printed", (slice){printed, len}, faults) == 0);
    REQUIRE(options_apply(&again, faults) == 0);
    require_same(config, &again);
    REQUIRE(fclose(faults) == 0);
    options_deinit(&again);
    free(reports);
    free(printed);
}

/* Variables of [at, end) that end with NUL each. */
static void read_environment(app_config *config, char *at, const char *end)
{
    enum { MAX_VARIABLES = 64 };
    char *environment[MAX_VARIABLES + 1];
    size_t count = 0;
    for (; at < end && count < MAX_VARIABLES; at += strlen(at) + 1)
        environment[count++] = at;
    environment[count] = NULL;
    REQUIRE(options_read_environment(config, environment) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    size_t file_len = strlen(copy);
    char *file = fuzz_copy(copy, file_len);
    char *reports;
    size_t len;
    FILE *faults = open_memstream(&reports, &len);
    REQUIRE(faults != NULL);

    app_config config;
    options_init(&config);
    int error = options_read_file(&config, ".env", (slice){file, file_len}, faults);
    REQUIRE(error == 0 || error == -EINVAL);
    free(file);
    if (file_len < size)
        read_environment(&config, copy + file_len + 1, copy + size + 1);
    int applied = options_apply(&config, faults);
    REQUIRE(applied == 0 || applied == -EINVAL);
    REQUIRE(fflush(faults) == 0);
    REQUIRE((error == 0 && applied == 0) || len > 0);
    require_clean(reports, len);
    require_secret_kept(&config, reports, (slice){(const char *)data, size});
    if (applied == 0)
        check_round_trip(&config);

    REQUIRE(fclose(faults) == 0);
    options_deinit(&config);
    free(reports);
    free(copy);
    return 0;
}

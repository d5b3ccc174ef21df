/* The option table, and everything that walks its rows. */
#include "app/options.h"

#include "app/option_table.h"
#include "app/options_check.h"
#include "app/options_print.h"
#include "app/options_read.h"
#include "support/tls_files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    app_config config;
    char *reports; /* what was reported up to the last read() */
    size_t len;
    FILE *stream;
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    options_init(&f->config);
    f->stream = open_memstream(&f->reports, &f->len);
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    options_deinit(&f->config);
    fclose(f->stream);
    free(f->reports);
    free(f);
    return 0;
}

static const char *reports_of(fixture *f)
{
    fflush(f->stream);
    return f->reports;
}

static int read_file(fixture *f, const char *content)
{
    return options_read_file(&f->config, ".env", slice_of_text(content), f->stream);
}

static void set_environment(fixture *f, const char *one)
{
    char *copy = strdup(one);
    char *const environment[] = {copy, NULL};
    assert_int_equal(options_read_environment(&f->config, environment), 0);
    free(copy);
}

static int apply(fixture *f)
{
    return options_apply(&f->config, f->stream);
}

static int check_files(fixture *f)
{
    return options_check_files(&f->config, f->stream, f->stream);
}

/* Apply `line` of a file to a config of its own. Is it valid? */
static bool accepts(const char *line, app_config *config)
{
    char *reports = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&reports, &len);
    options_init(config);
    int error = options_read_file(config, ".env", slice_of_text(line), stream);
    if (error == 0)
        error = options_apply(config, stream);
    fclose(stream);
    free(reports);
    return error == 0;
}

static bool is_valid(const char *line)
{
    app_config config;
    bool valid = accepts(line, &config);
    options_deinit(&config);
    return valid;
}

/* All but the admin port, which a program that embeds the server must ask for. */
static void the_defaults_are_those_of_the_library(void **state)
{
    fixture *f = *state;
    signal_server_options library;
    signal_server_options_init(&library, sizeof(library));
    assert_int_equal(library.admin_port, 0);
    assert_int_equal(f->config.server.admin_port, 9888);
    assert_int_equal(apply(f), 0);
    const option *table = option_table_get();
    size_t compared = 0;
    for (size_t i = 0; i < option_table_count(); i++) {
        size_t offset = table[i].offset - offsetof(app_config, server);
        if (offset >= sizeof(library) || offset == offsetof(signal_server_options, admin_port))
            continue;
        const char *one = (const char *)&f->config.server + offset;
        const char *other = (const char *)&library + offset;
        if (table[i].type == OPTION_STRING)
            assert_string_equal(*(char *const *)(const void *)one, *(char *const *)(const void *)other);
        else
            assert_memory_equal(one, other, table[i].size);
        compared++;
    }
    assert_true(compared > 30);
}

static void the_log_has_its_defaults(void **state)
{
    fixture *f = *state;
    assert_int_equal(f->config.log.level, SIGNAL_LOG_INFO);
    assert_int_equal(f->config.log.format, SIGNAL_LOG_TEXT);
    assert_string_equal(f->config.log.file, "");
    assert_true(f->config.log.is_private);
}

static void every_default_is_valid_and_no_two_rows_share_name_or_target(void **state)
{
    fixture *f = *state;
    assert_int_equal(apply(f), 0);
    const option *table = option_table_get();
    for (size_t i = 0; i < option_table_count(); i++) {
        assert_true(table[i].offset + table[i].size <= sizeof(app_config));
        assert_int_equal(table[i].help[strlen(table[i].help) - 1], '.');
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(table[i].name, table[j].name);
            assert_true(table[i].offset >= table[j].offset + table[j].size ||
                        table[j].offset >= table[i].offset + table[i].size);
        }
    }
    assert_string_equal(reports_of(f), "");
}

/* Is the number, bytes for a size and ms for a time, within the row's range? A rule between options that it
 * breaks is another matter. */
static bool is_in_range(const option *o, uint64_t number)
{
    char line[128];
    char *reports = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&reports, &len);
    app_config config;
    options_init(&config);
    snprintf(line, sizeof(line), "%s=%llu%s", o->name, (unsigned long long)number,
             o->type == OPTION_DURATION ? "ms" : "");
    assert_int_equal(options_read_file(&config, ".env", slice_of_text(line), stream), 0);
    options_apply(&config, stream);
    fclose(stream);
    bool is_fine = strstr(reports, "is not valid") == NULL;
    if (is_fine) {
        uint64_t stored = 0; /* little-endian, so a narrower target fills the low bytes */
        memcpy(&stored, (const char *)&config + o->offset, o->size);
        assert_int_equal(stored, number);
    }
    options_deinit(&config);
    free(reports);
    return is_fine;
}

static void every_range_holds_its_ends_and_nothing_beyond(void **state)
{
    (void)state;
    const option *table = option_table_get();
    for (size_t i = 0; i < option_table_count(); i++) {
        if (table[i].type == OPTION_STRING || table[i].type == OPTION_CHOICE ||
            table[i].type == OPTION_SWITCH)
            continue;
        assert_true(is_in_range(&table[i], table[i].min));
        assert_true(is_in_range(&table[i], table[i].max));
        assert_false(is_in_range(&table[i], table[i].max + 1));
        if (table[i].min > 0 && table[i].type != OPTION_PORT) /* a port of 0 is off */
            assert_false(is_in_range(&table[i], table[i].min - 1));
    }
}

static void whole_numbers_are_digits_only(void **state)
{
    (void)state;
    static const char *const faulty[] = {"x",
                                         "-1",
                                         "+1",
                                         "1x",
                                         "0x10",
                                         "1.0",
                                         "' 1'",
                                         "'1 '",
                                         "1k",
                                         "65536",
                                         "999999",
                                         "٣",
                                         "1e3",
                                         "18446744073709551616",
                                         "18446744073709551617"};
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "WS_PORT=%s", faulty[i]);
        assert_false(is_valid(line));
    }
    assert_true(is_valid("WS_PORT=0"));
    assert_true(is_valid("WS_PORT=00080"));
}

static void sizes_take_binary_suffixes_of_either_case(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint64_t bytes;
    } cases[] = {
        {"PENDING_MAX_TOTAL_BYTES=2097152", 2 << 20},      {"PENDING_MAX_TOTAL_BYTES=2048k", 2 << 20},
        {"PENDING_MAX_TOTAL_BYTES=2048K", 2 << 20},        {"PENDING_MAX_TOTAL_BYTES=2m", 2 << 20},
        {"PENDING_MAX_TOTAL_BYTES=2G", UINT64_C(2) << 30},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        app_config config;
        assert_true(accepts(cases[i].line, &config));
        assert_int_equal(config.server.pending_max_total_bytes, cases[i].bytes);
        options_deinit(&config);
    }
    static const char *const faulty[] = {
        "k", "1kb", "1 k", "1.5m", "1t", "-1k", "18446744073709551615k", "17592186044416m", "17179869184g"};
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "PENDING_MAX_TOTAL_BYTES=%s", faulty[i]);
        assert_false(is_valid(line));
    }
}

static void times_are_seconds_unless_they_say_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } cases[] = {{"1", 1000},       {"0.8", 800},     {"0.001", 1},   {"0.010", 10},   {"1.25", 1250},
                 {"1ms", 1},        {"1500MS", 1500}, {"2s", 2000},   {"1.5m", 90000}, {"1h", 3600000},
                 {"0.5h", 1800000}, {"0.001h", 3600}, {"0.001m", 60}, {"1.000ms", 1},  {"3600", 3600000}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[64];
        app_config config;
        snprintf(line, sizeof(line), "PING_INTERVAL=%s", cases[i].text);
        assert_true(accepts(line, &config));
        assert_int_equal(config.server.ping_interval_ms, cases[i].ms);
        options_deinit(&config);
    }
    static const char *const faulty[] = {".5",
                                         "1.",
                                         "1.2345",
                                         "0.5ms",
                                         "1.x",
                                         "1 s",
                                         "-1",
                                         "0",
                                         "0ms",
                                         "1d",
                                         "1.-5",
                                         "s",
                                         "1..5",
                                         "inf",
                                         "1e3",
                                         "3600.001",
                                         "1.1h",
                                         "4294967296",
                                         "18446744073709551615h",
                                         "0.0001",
                                         "5124095576030h"};
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "PING_INTERVAL=%s", faulty[i]);
        assert_false(is_valid(line));
    }
}

static void choices_are_words_of_either_case(void **state)
{
    (void)state;
    app_config config;
    assert_true(accepts("LOG_LEVEL=WARN\nLOG_FORMAT=Json\nLOG_PRIVACY=off", &config));
    assert_int_equal(config.log.level, SIGNAL_LOG_WARN);
    assert_int_equal(config.log.format, SIGNAL_LOG_JSON);
    assert_false(config.log.is_private);
    options_deinit(&config);
    assert_true(accepts("LOG_LEVEL=off\nLOG_PRIVACY=on", &config));
    assert_int_equal(config.log.level, SIGNAL_LOG_OFF);
    assert_true(config.log.is_private);
    options_deinit(&config);
    assert_false(is_valid("LOG_LEVEL=warning"));
    assert_false(is_valid("LOG_LEVEL=inf"));
    assert_false(is_valid("LOG_LEVEL=0"));
}

/* Every switch, in every word for it; a value that is none is told with what is allowed. */
static void a_switch_is_on_or_off_or_another_word_for_that(void **state)
{
    fixture *f = *state;
    static const char *const words[][2] = {{"on", "off"},     {"yes", "no"}, {"true", "false"}, {"1", "0"},
                                           {"TRUE", "False"}, {"Yes", "NO"}, {"On", "OFF"}};
    static const char *const faulty[] = {"2", "-1", "01", "y", "n", "enabled", "onn", "of", "' on'", "null"};
    size_t switches = 0;
    for (size_t i = 0; i < option_table_count(); i++) {
        const option *o = &option_table_get()[i];
        char line[160];
        app_config config;
        if (o->type != OPTION_SWITCH)
            continue;
        switches++;
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++) {
            for (int is_off = 0; is_off < 2; is_off++) {
                snprintf(line, sizeof(line), "%s=%s\nTRUSTED_PROXIES=127.0.0.1\nALLOWED_ORIGINS=null",
                         o->name, words[j][is_off]);
                assert_true(accepts(line, &config));
                assert_int_equal(*(const bool *)((const char *)&config + o->offset), !is_off);
                options_deinit(&config);
            }
        }
        for (size_t j = 0; j < sizeof(faulty) / sizeof(faulty[0]); j++) {
            snprintf(line, sizeof(line), "%s=%s", o->name, faulty[j]);
            assert_false(is_valid(line));
        }
    }
    assert_int_equal(switches, 4);
    assert_int_equal(read_file(f, "LOG_PRIVACY=maybe"), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(reports_of(f),
                        "homecall-signal: LOG_PRIVACY: \"maybe\" is not valid: on or off is allowed "
                        "(from .env, line 1)\n");
}

/* The plain ports have a use for 0, the admin port has none. */
static void a_port_may_be_off(void **state)
{
    (void)state;
    static const char *const offs[] = {"off", "OFF", "no", "false"};
    for (size_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
        char lines[96];
        app_config config;
        snprintf(lines, sizeof(lines), "WS_HOST=unix:/x\nWS_PORT=%s\nWSS_PORT=%s\nADMIN_PORT=%s", offs[i],
                 offs[i], offs[i]);
        assert_true(accepts(lines, &config));
        assert_int_equal(config.server.port, -1);
        assert_int_equal(config.server.tls_port, -1);
        assert_int_equal(config.server.admin_port, 0);
        options_deinit(&config);
    }
    app_config config;
    assert_true(accepts("WS_PORT=0\nADMIN_PORT=0", &config));
    assert_int_equal(config.server.port, 0);
    assert_int_equal(config.server.admin_port, 0);
    options_deinit(&config);
    assert_false(is_valid("WS_PORT=on"));
    assert_false(is_valid("ADMIN_PORT=yes"));
    assert_false(is_valid("ADMIN_PORT=65536"));
    assert_false(is_valid("ADMIN_PORT=true"));
}

static void texts_hold_no_control_characters_and_have_a_bound(void **state)
{
    (void)state;
    char line[512] = "ADMIN_HOST=";
    for (size_t i = 0; i < 254; i++)
        line[11 + i] = i % 64 == 63 ? '.' : 'a';
    assert_false(is_valid(line));
    line[11 + 253] = '\0';
    assert_true(is_valid(line));
    assert_false(is_valid("WS_HOST=\"a\\nb\""));
    assert_false(is_valid("LOG_FILE='a\x7f'"));
    assert_true(is_valid("LOG_FILE='/var/log/ä b'"));
}

static void origins_that_a_browser_can_send_are_valid(void **state)
{
    (void)state;
    assert_true(is_valid("ALLOWED_ORIGINS=https://a.example"));
    assert_true(is_valid("ALLOWED_ORIGINS=' https://a.example:8443 ,, http://[::1]:80,null,'"));
    assert_true(is_valid("ALLOWED_ORIGINS=https://*.example,http://*.a.example:8080"));
    assert_true(is_valid("ALLOWED_ORIGINS=file://,https://a.example:443,https://домозвон.рф"));
    static const char *const faulty[] = {"*",
                                         "a.example",
                                         "https://a.example/",
                                         "https://",
                                         "://a",
                                         "https://*",
                                         "https://a.example,b",
                                         "https://*.",
                                         "*.a",
                                         "https://*a",
                                         "wss://a",
                                         "https://a:",
                                         "https://a:99999",
                                         "https://a.*.example",
                                         "file:///",
                                         "\"'https://a'\"",
                                         "'\"https://a\"'",
                                         "https://*.*.example"};
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "ALLOWED_ORIGINS=%s", faulty[i]);
        assert_false(is_valid(line));
    }
}

static void the_environment_wins_over_the_file_and_the_file_over_the_default(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "WS_PORT=1000\nWORKERS=3\n"), 0);
    set_environment(f, "WS_PORT=2000");
    assert_int_equal(apply(f), 0);
    assert_int_equal(f->config.server.port, 2000);
    assert_int_equal(f->config.server.workers, 3);
    assert_int_equal(f->config.server.room_capacity, 2);
}

static void an_empty_value_counts_as_not_given(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "WS_PORT=1000\nWORKERS=3\nWORKERS=\nROOM_CAPACITY=''"), 0);
    set_environment(f, "WS_PORT=");
    assert_int_equal(apply(f), 0);
    assert_int_equal(f->config.server.port, 1000);
    assert_int_equal(f->config.server.workers, 0);
    assert_int_equal(f->config.server.room_capacity, 2);
}

static void of_a_key_given_twice_the_last_counts(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "WS_PORT=bad\nWS_PORT=1001\n"), 0);
    assert_int_equal(apply(f), 0);
    assert_int_equal(f->config.server.port, 1001);
}

static void the_environment_may_hold_anything_else(void **state)
{
    fixture *f = *state;
    set_environment(f, "WS_PROT=1");
    set_environment(f, "no separator");
    set_environment(f, "=");
    set_environment(f, "WS_PORTS=1");
    set_environment(f, "WS_POR=1");
    assert_int_equal(apply(f), 0);
    assert_int_equal(f->config.server.port, 8888);
    assert_string_equal(reports_of(f), "");
}

static void every_bad_value_is_reported_with_its_source(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "\n\nWS_PORT=99999\nLOG_LEVEL=loud\nPING_INTERVAL=never"), 0);
    set_environment(f, "MAX_NAME_BYTES=1g");
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(
        reports_of(f),
        "homecall-signal: WS_PORT: \"99999\" is not valid: a port from 0 to 65535 or off is allowed (from "
        ".env, line 3)\n"
        "homecall-signal: MAX_NAME_BYTES: \"1g\" is not valid: a size from 16 to 4k is allowed (from the "
        "environment)\n"
        "homecall-signal: PING_INTERVAL: \"never\" is not valid: a time from 1ms to 1h is allowed (from "
        ".env, line 5)\n"
        "homecall-signal: LOG_LEVEL: \"loud\" is not valid: debug, info, warn, error or off is allowed "
        "(from .env, line 4)\n");
}

static void a_reported_value_is_short_and_can_not_forge_a_line(void **state)
{
    fixture *f = *state;
    char content[256] = "WS_PORT=\"1\\n2\x1b";
    memset(content + strlen(content), 'x', 100);
    strcat(content, "\"");
    assert_int_equal(read_file(f, content), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_non_null(strstr(reports_of(f), "\"1\\x0a2\\x1bxxx"));
    assert_non_null(strstr(reports_of(f), "xxx…\" is not valid"));
    assert_int_equal(strlen(strchr(reports_of(f), '\n')), 1);
}

/* `docker run --env-file` and lists in compose files leave them on. */
static void a_value_of_the_environment_that_is_still_in_quotes_is_told(void **state)
{
    fixture *f = *state;
    set_environment(f, "WS_PORT=\"8888\"");
    set_environment(f, "LOG_FILE='/var/log/x'");
    set_environment(f, "TURN_SECRET=\"do-not-show-me\"");
    set_environment(f, "WS_HOST=\"127.0.0.1");
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(reports_of(f), "homecall-signal: WS_PORT: \"\"8888\"\" is not valid: it is still in "
                                       "quotes, which are a part of it where it "
                                       "comes from; leave them out (from the environment)\n"
                                       "homecall-signal: TURN_SECRET: what it is set to is not valid: it is "
                                       "still in quotes, which are a part of it "
                                       "where it comes from; leave them out (from the environment)\n"
                                       "homecall-signal: LOG_FILE: \"'/var/log/x'\" is not valid: it is "
                                       "still in quotes, which are a part of it where "
                                       "it comes from; leave them out (from the environment)\n");
    assert_true(is_valid("LOG_FILE='\"a b\"'")); /* a file says what it means */
}

static void no_report_shows_a_secret(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "TURN_SECRET=\"do-not-show-me\\n\""), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(reports_of(f),
                        "homecall-signal: TURN_SECRET: what it is set to is not valid: a text of 0 to 512 "
                        "bytes without control characters is allowed (from .env, line 1)\n");
}

static void what_kubernetes_sets_for_a_service_of_such_a_name_is_recognised(void **state)
{
    fixture *f = *state;
    set_environment(f, "WS_PORT=tcp://10.0.0.1:80");
    set_environment(f, "ADMIN_PORT=udp://[fd00::1]:9888");
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(
        reports_of(f),
        "homecall-signal: WS_PORT: \"tcp://10.0.0.1:80\" is not valid: a port from 0 to 65535 or off is "
        "allowed; "
        "Kubernetes sets it like this for a Service that is called ws: enableServiceLinks: false in the "
        "pod's "
        "specification keeps it out, and so does another name of the Service (from the environment)\n"
        "homecall-signal: ADMIN_PORT: \"udp://[fd00::1]:9888\" is not valid: a port from 1 to 65535 or off "
        "is allowed; "
        "Kubernetes sets it like this for a Service that is called admin: enableServiceLinks: false in the "
        "pod's "
        "specification keeps it out, and so does another name of the Service (from the environment)\n");
}

static void nobody_else_is_told_of_kubernetes(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "WS_PORT=tcp://10.0.0.1:80"), 0);
    set_environment(f, "WORKERS=tcp://10.0.0.1:80");
    assert_int_equal(apply(f), -EINVAL);
    assert_null(strstr(reports_of(f), "Kubernetes"));
}

static void plain_text_in_the_open_must_be_asked_for(void **state)
{
    fixture *f = *state;
    static const char *const loopback[] = {
        "127.0.0.1", "127.1.2.3", "::1", "localhost", "unix:/run/x.sock", "127.0.0.1, ::1,unix:/x,",
    };
    static const char *const open[] = {
        "0.0.0.0",          "::",
        "192.0.2.1",        "call.example",
        "128.0.0.1",        "127.0.0.1,0.0.0.0",
        "::ffff:192.0.2.1", "2001:db8:1111:2222:3333:4444:5555:6666%interface-with-a-long-name",
    };
    char line[160];
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        snprintf(line, sizeof(line), "WS_HOST=%s", loopback[i]);
        assert_true(is_valid(line));
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        snprintf(line, sizeof(line), "WS_HOST=%s", open[i]);
        assert_false(is_valid(line));
        snprintf(line, sizeof(line), "WS_HOST=%s\nALLOW_PLAINTEXT=1", open[i]);
        assert_true(is_valid(line));
    }
    assert_int_equal(read_file(f, "WS_HOST=::1, 192.0.2.1"), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(
        reports_of(f),
        "homecall-signal: WS_HOST: \"192.0.2.1\" is not valid: it is not the loopback, and without TLS the "
        "codewords could be read there; behind a TLS proxy that alone reaches it, "
        "ALLOW_PLAINTEXT=on allows it (from .env, line 1)\n");
}

/* unix: and a path of this many bytes, as WS_HOST. */
static char *host_line(size_t path_len)
{
    char *line = calloc(1, path_len + 32);
    assert_non_null(line);
    strcpy(line, "WS_HOST=unix:/");
    memset(line + strlen(line), 'x', path_len - 1);
    return line;
}

static void a_unix_socket_is_the_loopback_however_long_its_path_is(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 107; len++) {
        char *line = host_line(len);
        assert_true(is_valid(line));
        free(line);
    }
    char *line = host_line(108);
    assert_false(is_valid(line));
    free(line);
}

static void a_host_that_the_admin_port_can_not_be_asked_by_is_reported_by_itself(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "ADMIN_ALLOWED_HOSTS=signal, http://signal"), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(reports_of(f),
                        "homecall-signal: ADMIN_ALLOWED_HOSTS: \"http://signal\" is not valid: neither an IP "
                        "address nor a host name (from .env, line 1)\n");
}

static void what_can_not_be_listened_on_is_reported_by_itself(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "WS_HOST=127.0.0.1,notunix:/x, [::1],127.0.0.1:80\nADMIN_HOST=unix:/x"), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(
        reports_of(f),
        "homecall-signal: WS_HOST: \"notunix:/x\" is not valid: neither an IP address nor a host name nor "
        "unix:PATH (from .env, line 1)\n"
        "homecall-signal: WS_HOST: \"[::1]\" is not valid: an IPv6 address is written without brackets (from "
        ".env, line 1)\n"
        "homecall-signal: WS_HOST: \"127.0.0.1:80\" is not valid: the port is an option of its own, and not "
        "a "
        "part of the address (from .env, line 1)\n"
        "homecall-signal: ADMIN_HOST: \"unix:/x\" is not valid: neither an IP address nor a host name (from "
        ".env, line 2)\n");
    static const char *const faulty[] = {
        "WS_HOST=unix:",
        "WS_HOST='127.0.0.1 ::1'",
        "WS_HOST=http://a.example\nALLOW_PLAINTEXT=1",
        "ADMIN_HOST=127.0.0.1,::1",
        "ADMIN_HOST=127.0.0.1:9888",
        "ADMIN_HOST=[::1]",
        "ADMIN_HOST=' 127.0.0.1'",
        "ADMIN_ALLOWED_HOSTS=signal:9888",
        "ADMIN_ALLOWED_HOSTS=*.example",
        "WS_PORT=off\nWS_HOST=unixx:",
        "WS_HOST=127.1\nALLOW_PLAINTEXT=1",
    };
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++)
        assert_false(is_valid(faulty[i]));
    assert_true(is_valid("ADMIN_HOST=::1"));
    assert_true(is_valid("ADMIN_HOST=localhost"));
    assert_true(is_valid("ADMIN_ALLOWED_HOSTS=' signal,watch.example, ::1 '"));
    assert_true(is_valid("ADMIN_ALLOWED_HOSTS=*"));
    assert_true(is_valid("WS_PORT=off\nWS_HOST=unix:run/x.sock"));
    assert_false(is_valid("WS_PORT=off\nWS_HOST=127.0.0.1"));
}

static void more_places_than_a_server_listens_on_are_refused(void **state)
{
    (void)state;
    char line[512] = "WS_HOST=127.0.0.1";
    for (int i = 2; i <= 16; i++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), ",127.0.0.%d", i);
    assert_true(is_valid(line));
    strcat(line, ",127.0.0.17");
    assert_false(is_valid(line));
}

static void tls_needs_a_certificate_and_something_must_listen(void **state)
{
    fixture *f = *state;
    assert_true(is_valid("WS_PORT=0"));
    assert_false(is_valid("WSS_PORT=0"));
    assert_false(is_valid("WSS_PORT=65536"));
    assert_false(is_valid("WS_PORT=off"));
    assert_false(is_valid("WS_HOST=', ,'"));
    assert_false(is_valid("WSS_PORT=0\nTLS_CERT_FILE=c\nTLS_KEY_FILE=k\nPROXY_PROTOCOL=on"));
    assert_true(is_valid("WS_PORT=OFF\nWS_HOST=unix:/run/x.sock"));
    assert_int_equal(read_file(f, "WSS_PORT=8443\nTLS_CERT_FILE=/nowhere/c\nTLS_KEY_FILE=/nowhere/k"), 0);
    assert_int_equal(apply(f), 0);
    assert_int_equal(check_files(f), -EINVAL);
    const char *begin = "homecall-signal: TLS_CERT_FILE, TLS_KEY_FILE: ";
    assert_memory_equal(reports_of(f), begin, strlen(begin));
    assert_non_null(strstr(reports_of(f), "/nowhere/c"));
}

static void a_certificate_that_costs_much_is_warned_of_and_can_be_used(void **state)
{
    fixture *f = *state;
    tls_files files;
    char lines[256];
    tls_files_init(&files);
    snprintf(lines, sizeof(lines), "WSS_PORT=8443\nTLS_CERT_FILE=%s\nTLS_KEY_FILE=%s", files.cert, files.key);
    assert_int_equal(read_file(f, lines), 0);
    assert_int_equal(apply(f), 0);
    tls_files_write(&files, "cheap", 0, TLS_FILES_DAY_S);
    assert_int_equal(check_files(f), 0);
    assert_string_equal(reports_of(f), "");

    EVP_PKEY *key = EVP_RSA_gen(2048);
    tls_files_write_for(&files, key, "dear", 0, TLS_FILES_DAY_S);
    assert_int_equal(check_files(f), 0);
    tls_files_deinit(&files);
    const char *begin = "homecall-signal: warning: TLS_CERT_FILE: its key makes each handshake cost ";
    const char *reports = reports_of(f);
    assert_memory_equal(reports, begin, strlen(begin));
    assert_non_null(strstr(reports, "--key-type ecdsa"));
}

/* Apply lines that fit nobody; the report is one line, which holds this. */
static void expect_misfit(const char *lines, const char *expected)
{
    void *state;
    assert_int_equal(make(&state), 0);
    fixture *f = state;
    assert_int_equal(read_file(f, lines), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(reports_of(f), expected);
    destroy(&state);
}

static void a_turn_secret_needs_a_turn_server_to_use_it_for(void **state)
{
    (void)state;
    expect_misfit("TURN_SECRET=do-not-show-me",
                  "homecall-signal: TURN_URLS: \"\" is not valid: TURN_SECRET is set, and no TURN server "
                  "stands here to "
                  "use it for; turn:HOST or turns:HOST is expected (the default)\n");
    expect_misfit(
        "TURN_SECRET=x\nTURN_URLS=stun:a.example",
        "homecall-signal: TURN_URLS: \"stun:a.example\" is not valid: TURN_SECRET is set, and no TURN server "
        "stands here to use it for; turn:HOST or turns:HOST is expected (from .env, line 2)\n");
    assert_true(is_valid("TURN_SECRET=x\nTURN_URLS=stun:a.example,turn:a.example"));
    assert_true(is_valid("TURN_URLS=stun:a.example"));
    assert_false(is_valid("TURN_URLS=turn:a.example"));
}

static void a_required_origin_needs_a_list_of_them(void **state)
{
    (void)state;
    expect_misfit(
        "REQUIRE_ORIGIN=on\nALLOWED_ORIGINS=' , '",
        "homecall-signal: REQUIRE_ORIGIN: \"on\" is not valid: ALLOWED_ORIGINS is empty, and so every "
        "origin would do; off is allowed here, or a list of origins there (from .env, line 1)\n");
    assert_true(is_valid("REQUIRE_ORIGIN=1\nALLOWED_ORIGINS=https://a.example"));
    assert_true(is_valid("REQUIRE_ORIGIN=off"));
}

static void the_proxy_protocol_needs_a_proxy_that_is_trusted(void **state)
{
    (void)state;
    expect_misfit(
        "PROXY_PROTOCOL=on",
        "homecall-signal: TRUSTED_PROXIES: \"\" is not valid: PROXY_PROTOCOL is on, and no proxy "
        "is trusted to "
        "begin with its header; the address or the network of the proxy is expected (the default)\n");
    assert_false(is_valid("PROXY_PROTOCOL=on\nTRUSTED_PROXIES=' , '"));
    assert_true(is_valid("PROXY_PROTOCOL=on\nTRUSTED_PROXIES=10.0.0.0/8"));
    assert_true(is_valid("PROXY_PROTOCOL=on\nTRUSTED_PROXIES=unix"));
}

static void a_certificate_needs_a_port_and_the_port_an_address(void **state)
{
    (void)state;
    expect_misfit("TLS_CERT_FILE=/c\nTLS_KEY_FILE=/k", "homecall-signal: WSS_PORT: \"off\" is not valid: "
                                                       "TLS_CERT_FILE and TLS_KEY_FILE are for this port; a "
                                                       "port is expected, or else no files (the default)\n");
    expect_misfit("WS_HOST=unix:/x\nWSS_PORT=0\nTLS_CERT_FILE=/c\nTLS_KEY_FILE=/k",
                  "homecall-signal: WS_HOST: \"unix:/x\" is not valid: WSS_PORT needs an address or a name "
                  "to listen on, "
                  "which a Unix socket is not (from .env, line 1)\n");
    assert_true(is_valid("WS_HOST='unix:/x,::1'\nWSS_PORT=0\nTLS_CERT_FILE=/c\nTLS_KEY_FILE=/k"));
}

static void no_port_is_wanted_twice(void **state)
{
    (void)state;
    expect_misfit(
        "WSS_PORT=8888\nTLS_CERT_FILE=/c\nTLS_KEY_FILE=/k",
        "homecall-signal: WSS_PORT: \"8888\" is not valid: WS_PORT uses it already, on the same addresses; "
        "another port, or off for one of the two, is allowed (from .env, line 1)\n");
    expect_misfit("WS_PORT=9888",
                  "homecall-signal: ADMIN_PORT: \"9888\" is not valid: WS_PORT uses it already, at an "
                  "address of ADMIN_HOST; another port, or off for one of the two, is allowed (the "
                  "default)\n");
}

static void a_wrong_proxy_is_reported_by_itself(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "TRUSTED_PROXIES=10.0.0.0/8, 10.0.0.1/8"), 0);
    assert_int_equal(apply(f), -EINVAL);
    const char *begin = "homecall-signal: TRUSTED_PROXIES: \"10.0.0.1/8\" is not valid: ";
    assert_memory_equal(reports_of(f), begin, strlen(begin));
    assert_true(is_valid("TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8, 2001:db8::/32,unix"));
}

static void a_wrong_origin_is_reported_by_itself(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "ALLOWED_ORIGINS=https://a.example, https://b.example/,wss://c.example"),
                     0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(
        reports_of(f),
        "homecall-signal: ALLOWED_ORIGINS: \"https://b.example/\" is not valid: an origin ends with its host "
        "or "
        "port, without even a slash; https://host, https://*.domain, either with a port, null and file:// "
        "are "
        "allowed (from .env, line 1)\n"
        "homecall-signal: ALLOWED_ORIGINS: \"wss://c.example\" is not valid: the origin is that of the page, "
        "which is no WebSocket; https://host, https://*.domain, either with a port, null and file:// are "
        "allowed "
        "(from .env, line 1)\n");
}

static void options_that_do_not_fit_each_other_are_reported_together(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "MAX_OUTPUT_BYTES=64k"), 0);
    assert_int_equal(apply(f), -EINVAL);
    assert_string_equal(
        reports_of(f),
        "homecall-signal: MAX_OUTPUT_BYTES (64k) must be at least twice MAX_MESSAGE_BYTES (128k)\n"
        "homecall-signal: PENDING_MAX_BYTES (256k) must be at most MAX_OUTPUT_BYTES (64k)\n"
        "homecall-signal: OUTBOX_MAX_BYTES (256k) must be at most MAX_OUTPUT_BYTES (64k)\n");
    assert_true(is_valid("MAX_OUTPUT_BYTES=1m\nMAX_MESSAGE_BYTES=512k"));
    assert_false(is_valid("MAX_OUTPUT_BYTES=1m\nMAX_MESSAGE_BYTES=524289"));
    assert_true(is_valid("MAX_BUFFERED_BYTES=8m"));
    assert_false(is_valid("MAX_BUFFERED_BYTES=8m\nMAX_OUTPUT_BYTES=5m"));
    assert_true(is_valid("PENDING_MAX_TOTAL_BYTES=1k")); /* the smaller bound counts, whichever it is */
}

static void an_unknown_key_in_the_file_is_a_warning_with_a_suggestion(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "WS_PROT=1\n\nws_port=2\nLOGLEVEL=info\nPATH=/bin\nX=1\n"
                                  "A_KEY_THAT_IS_LONGER_THAN_ANY_OPTION_COULD_EVER_HOPE_TO_BE=1\n"),
                     0);
    assert_int_equal(apply(f), 0);
    assert_string_equal(
        reports_of(f),
        "homecall-signal: .env, line 1: WS_PROT is not an option and is ignored; did you mean WS_PORT?\n"
        "homecall-signal: .env, line 3: ws_port is not an option and is ignored; did you mean WS_PORT?\n"
        "homecall-signal: .env, line 4: LOGLEVEL is not an option and is ignored; did you mean LOG_LEVEL?\n"
        "homecall-signal: .env, line 5: PATH is not an option and is ignored\n"
        "homecall-signal: .env, line 6: X is not an option and is ignored\n"
        "homecall-signal: .env, line 7: A_KEY_THAT_IS_LONGER_THAN_ANY_OPTION_COULD_EVER_HOPE_TO_BE is not an "
        "option "
        "and is ignored\n");
}

static void a_line_that_can_not_be_read_is_told_with_its_place(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "WS_PORT=1\nWORKERS\nWS_HOST='a"), -EINVAL);
    assert_string_equal(reports_of(f), "homecall-signal: .env:2: a = is expected after the key\n"
                                       "homecall-signal: .env:3: a quote that is never closed\n");
}

static char *print_config(const app_config *config)
{
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);
    assert_int_equal(options_print_config(config, stream), 0);
    fclose(stream);
    return text;
}

static void a_printed_configuration_is_read_as_the_same_one(void **state)
{
    fixture *f = *state;
    assert_int_equal(
        read_file(f, "WS_PORT=81\nCLOSE_TIMEOUT=10ms\nLOG_FILE='/tmp/a \"b\" $C #d'\nLOG_PRIVACY=off\n"
                     "ALLOWED_ORIGINS=https://a.example, https://b.example\n"),
        0);
    assert_int_equal(apply(f), 0);
    char *text = print_config(&f->config);
    app_config again;
    options_init(&again);
    assert_int_equal(options_read_file(&again, "printed", slice_of_text(text), f->stream), 0);
    assert_int_equal(options_apply(&again, f->stream), 0);
    assert_string_equal(reports_of(f), "");

    const option *table = option_table_get();
    for (size_t i = 0; i < option_table_count(); i++) {
        const char *one = (const char *)&f->config + table[i].offset;
        const char *other = (const char *)&again + table[i].offset;
        if (table[i].type == OPTION_STRING)
            assert_string_equal(*(char *const *)(const void *)one, *(char *const *)(const void *)other);
        else
            assert_memory_equal(one, other, table[i].size);
    }
    char *text_again = print_config(&again);
    assert_string_equal(text, text_again);
    free(text_again);
    free(text);
    options_deinit(&again);
}

static void switches_are_printed_as_on_or_off(void **state)
{
    fixture *f = *state;
    assert_int_equal(read_file(f, "ALLOW_PLAINTEXT=1\nPROXY_PROTOCOL=False\nLOG_PRIVACY=no"), 0);
    assert_int_equal(apply(f), 0);
    char *text = print_config(&f->config);
    assert_non_null(strstr(text, "\nALLOW_PLAINTEXT=on\n"));
    assert_non_null(strstr(text, "\nPROXY_PROTOCOL=off\n"));
    assert_non_null(strstr(text, "\nLOG_PRIVACY=off\n"));
    free(text);
}

static void the_example_file_shows_the_defaults_as_they_are(void **state)
{
    fixture *f = *state;
    const char *source = getenv("HOMECALL_SOURCE_DIR");
    if (source == NULL) {
        skip();
        return;
    }
    char path[4096];
    snprintf(path, sizeof(path), "%s/.env.example", source);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *example = NULL;
    size_t cap = 0;
    assert_true(getdelim(&example, &cap, '\0', file) > 0);
    fclose(file);
    char *text = print_config(&f->config);
    assert_string_equal(example, text);
    free(text);
    free(example);
}

static void help_names_every_option_in_lines_of_eighty_columns(void **state)
{
    fixture *f = *state;
    options_print_help(f->stream);
    const char *text = reports_of(f);
    const option *table = option_table_get();
    for (size_t i = 0; i < option_table_count(); i++) {
        char line[64];
        snprintf(line, sizeof(line), "\n  %s\n", table[i].name);
        assert_non_null(strstr(text, line));
    }
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1)
        assert_in_range(strcspn(at, "\n"), 0, 80);
    assert_non_null(strstr(text, "\n      A port from 0 to 65535 or off; default 8888.\n"));
    assert_non_null(strstr(text, "\n      A time from 1ms to 1h; default 25 seconds.\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {
        TEST(the_defaults_are_those_of_the_library),
        TEST(the_log_has_its_defaults),
        TEST(every_default_is_valid_and_no_two_rows_share_name_or_target),
        TEST(every_range_holds_its_ends_and_nothing_beyond),
        TEST(whole_numbers_are_digits_only),
        TEST(sizes_take_binary_suffixes_of_either_case),
        TEST(times_are_seconds_unless_they_say_otherwise),
        TEST(choices_are_words_of_either_case),
        TEST(a_switch_is_on_or_off_or_another_word_for_that),
        TEST(a_port_may_be_off),
        TEST(switches_are_printed_as_on_or_off),
        TEST(texts_hold_no_control_characters_and_have_a_bound),
        TEST(origins_that_a_browser_can_send_are_valid),
        TEST(the_environment_wins_over_the_file_and_the_file_over_the_default),
        TEST(an_empty_value_counts_as_not_given),
        TEST(of_a_key_given_twice_the_last_counts),
        TEST(the_environment_may_hold_anything_else),
        TEST(every_bad_value_is_reported_with_its_source),
        TEST(a_reported_value_is_short_and_can_not_forge_a_line),
        TEST(a_value_of_the_environment_that_is_still_in_quotes_is_told),
        TEST(no_report_shows_a_secret),
        TEST(what_kubernetes_sets_for_a_service_of_such_a_name_is_recognised),
        TEST(nobody_else_is_told_of_kubernetes),
        TEST(plain_text_in_the_open_must_be_asked_for),
        TEST(a_unix_socket_is_the_loopback_however_long_its_path_is),
        TEST(a_host_that_the_admin_port_can_not_be_asked_by_is_reported_by_itself),
        TEST(what_can_not_be_listened_on_is_reported_by_itself),
        TEST(more_places_than_a_server_listens_on_are_refused),
        TEST(tls_needs_a_certificate_and_something_must_listen),
        TEST(a_certificate_that_costs_much_is_warned_of_and_can_be_used),
        TEST(a_turn_secret_needs_a_turn_server_to_use_it_for),
        TEST(the_proxy_protocol_needs_a_proxy_that_is_trusted),
        TEST(a_required_origin_needs_a_list_of_them),
        TEST(a_certificate_needs_a_port_and_the_port_an_address),
        TEST(no_port_is_wanted_twice),
        TEST(a_wrong_proxy_is_reported_by_itself),
        TEST(a_wrong_origin_is_reported_by_itself),
        TEST(options_that_do_not_fit_each_other_are_reported_together),
        TEST(an_unknown_key_in_the_file_is_a_warning_with_a_suggestion),
        TEST(a_line_that_can_not_be_read_is_told_with_its_place),
        TEST(a_printed_configuration_is_read_as_the_same_one),
        TEST(the_example_file_shows_the_defaults_as_they_are),
        TEST(help_names_every_option_in_lines_of_eighty_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The options of a cluster as the operator sees them: what --check-config says of them, and with --connect of
 * the engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/process.h"
#include "support/nats_engine.h"
#include "support/tls_files.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    nats_engine engine;
    process process;
    char secret[128], password[128];
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    *state = f;
    if (!nats_engine_exists())
        return 0;
    nats_engine_start(&f->engine, "");
    snprintf(f->secret, sizeof(f->secret), "%s",
             nats_engine_write(&f->engine, "secret", "a secret of more than thirty-two bytes\n"));
    snprintf(f->password, sizeof(f->password), "%s",
             nats_engine_write(&f->engine, "password", "hunter-good\n"));
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    process_kill(&f->process);
    nats_engine_destroy(&f->engine);
    free(f);
    return 0;
}

static fixture *begin(void **state)
{
    if (!nats_engine_exists())
        skip();
    return *state;
}

/* Start the engine anew, with this configuration. */
static void configure(fixture *f, const char *lines)
{
    nats_engine_end(&f->engine, SIGTERM);
    (void)nats_engine_write(&f->engine, "nats.conf", lines);
    nats_engine_start_again(&f->engine);
}

/* The program checks its configuration, which has these options and a secret. It ends with 2 and says this,
 * or with 0 where nothing is to be said. Never a password. */
static void check_config(fixture *f, const char *arguments, const char *options, const char *said)
{
    f->process = (process){0};
    process_start(&f->process,
                  "cd %s && exec env CLUSTER_SECRET_FILE=%s %s \"$HOMECALL_SIGNAL_BINARY\" --check-config %s",
                  f->engine.directory, f->secret, options, arguments);
    int code = process_finish(&f->process);
    if (code != (said == NULL ? 0 : 2) || (said != NULL && strstr(f->process.err.text, said) == NULL))
        fail_msg("%s: ended with %d, and said: %s", options, code, f->process.err.text);
    assert_null(strstr(f->process.err.text, "hunter"));
}

static void faults_are_told_with_what_is_allowed(void **state)
{
    static const struct {
        const char *options, *said;
    } cases[] = {
        {"CLUSTER_URL=nats://127.0.0.1:4222", NULL},
        {"CLUSTER_URL='nats://127.0.0.1, nats://[::1]:4222,nats://localhost:1'", NULL},
        {"CLUSTER_URL=tls://engine.example:4222", NULL},
        {"CLUSTER_URL=nats://engine.example:4222 ALLOW_PLAINTEXT=on", NULL},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_NODE='a machine'", NULL},
        {"CLUSTER_URL=nats://engine.example:4222", "without TLS"},
        {"CLUSTER_URL=,", "there is no entry in it"},
        {"CLUSTER_URL=http://127.0.0.1", "nats://host:4222 or tls://host:4222 is wanted"},
        {"CLUSTER_URL=nats://a:hunter@127.0.0.1", "CLUSTER_USER and CLUSTER_PASSWORD_FILE"},
        {"CLUSTER_URL=nats://127.0.0.1:0", "no number from 1 to 65535"},
        {"CLUSTER_URL=nats://[::1]x", "IPv6 and its port"},
        {"CLUSTER_URL=nats://:4222", "a host name, IPv4 or [IPv6] is wanted"},
        {"CLUSTER_URL=tls://127.0.0.1,nats://127.0.0.1", "then all must have it"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_NAME=a.b", "CLUSTER_NAME: \"a.b\" is not valid"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_SECRET_FILE=", "CLUSTER_URL needs it"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_SECRET_FILE=nowhere", "there is no such file"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_SECRET_FILE=.", "it is a directory"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_SECRET_FILE=password", "32 bytes are the least"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_USER=u", "it needs CLUSTER_PASSWORD_FILE"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_PASSWORD_FILE=password", "is for a user"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_USER=u CLUSTER_PASSWORD_FILE=nowhere",
         "there is no such file"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_USER=u CLUSTER_CREDENTIALS_FILE=x",
         "one of the two is wanted"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_CERT_FILE=x", "go together"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_CA_FILE=nowhere", "there is no such file"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_HOLD=2h", "a time from 1s to 1h is allowed"},
        {"CLUSTER_URL=nats://127.0.0.1 CLUSTER_WITHOUT_ENGINE=wait", "serve or hold is allowed"},
    };
    fixture *f = begin(state);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_config(f, "", cases[i].options, cases[i].said);
}

/* Connect to the engine of the test, with these options besides. */
static void expect_connect(fixture *f, const char *scheme, const char *options, const char *said)
{
    char all[512];
    snprintf(all, sizeof(all), "CLUSTER_URL=%s://localhost:%u %s", scheme, f->engine.port, options);
    check_config(f, "--connect", all, said);
}

static void an_engine_that_lets_us_in_is_good(void **state)
{
    fixture *f = begin(state);
    expect_connect(f, "nats", "", NULL);
    configure(f, "authorization { user: u, password: hunter-good }");
    expect_connect(f, "nats", "CLUSTER_USER=u CLUSTER_PASSWORD_FILE=password", NULL);
}

static void an_engine_that_is_not_there_is_told(void **state)
{
    fixture *f = begin(state);
    nats_engine_end(&f->engine, SIGKILL);
    expect_connect(f, "nats", "", "nobody answers there");
}

static void a_wrong_password_is_told(void **state)
{
    fixture *f = begin(state);
    configure(f, "authorization { user: u, password: hunter-good }");
    (void)nats_engine_write(&f->engine, "other", "hunter-bad");
    expect_connect(f, "nats", "", "it does not let us in");
    expect_connect(f, "nats", "CLUSTER_USER=u CLUSTER_PASSWORD_FILE=other", "it does not let us in");
}

static void a_payload_that_is_too_short_is_told(void **state)
{
    fixture *f = begin(state);
    configure(f, "max_payload: 139263");
    expect_connect(f, "nats", "", "its max_payload is 139263, and must be 139264 at least");
    expect_connect(f, "nats", "MAX_MESSAGE_BYTES=64k", NULL);
}

static void missing_permissions_are_told(void **state)
{
    fixture *f = begin(state);
    configure(f, "authorization { users = [\n"
                 "  { user: u, password: hunter-good, permissions: { publish: \"hc.other.>\", subscribe: "
                 "\"hc.homecall.>\" } },\n"
                 "  { user: v, password: hunter-good, permissions: { publish: \"hc.homecall.>\", subscribe: "
                 "\"hc.homecall.n\" } },\n"
                 "  { user: w, password: hunter-good, permissions: { publish: \"hc.homecall.>\", subscribe: "
                 "\"hc.homecall.>\" } },\n"
                 "] }");
    expect_connect(f, "nats", "CLUSTER_USER=u CLUSTER_PASSWORD_FILE=password",
                   "Permissions Violation for Publish");
    expect_connect(f, "nats", "CLUSTER_USER=v CLUSTER_PASSWORD_FILE=password",
                   "Permissions Violation for Subscription");
    expect_connect(f, "nats", "CLUSTER_USER=w CLUSTER_PASSWORD_FILE=password", NULL);
}

static void tls_is_used_or_missed(void **state)
{
    fixture *f = begin(state);
    tls_files files;
    char lines[512];
    char options[256];
    expect_connect(f, "tls", "", "it has no TLS");
    tls_files_init(&files);
    tls_files_write(&files, "localhost", -60, TLS_FILES_DAY_S);
    snprintf(lines, sizeof(lines), "tls { cert_file: \"%s\", key_file: \"%s\" }", files.cert, files.key);
    configure(f, lines);
    expect_connect(f, "nats", "", "self-signed certificate"); /* it asks for TLS, and gets it */
    expect_connect(f, "tls", "", "SSL Error");
    snprintf(options, sizeof(options), "CLUSTER_CA_FILE=%s", files.cert);
    expect_connect(f, "tls", options, NULL);
    tls_files_deinit(&files);
}

static void connect_goes_with_check_config_alone(void **state)
{
    fixture *f = begin(state);
    process_start(&f->process, "exec \"$HOMECALL_SIGNAL_BINARY\" --connect");
    assert_int_equal(process_finish(&f->process), 2);
    assert_non_null(strstr(f->process.err.text, "it goes with --check-config alone"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(faults_are_told_with_what_is_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_engine_that_lets_us_in_is_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_engine_that_is_not_there_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_password_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_payload_that_is_too_short_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_permissions_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tls_is_used_or_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connect_goes_with_check_config_alone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

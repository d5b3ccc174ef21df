/* Two options that want one port. */
#include "app/options.h"
#include "app/ports_check.h"
#include "support/fake_resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static const fake_name names[] = {{"localhost", "::1 127.0.0.1"},
                                  {"inside.example", "127.0.0.2"},
                                  {"both.example", "127.0.0.2 127.0.0.3"},
                                  {NULL, NULL}};

static int make(void **state)
{
    (void)state;
    fake_resolver_set(names);
    return 0;
}

/* What is reported of a server that listens there. Owned by the caller. */
static char *check(const char *hosts, int32_t port, int32_t tls_port, const char *admin_host,
                   uint16_t admin_port, bool resolves)
{
    app_config config;
    char *text = NULL;
    size_t len = 0;
    FILE *reports = open_memstream(&text, &len);
    options_init(&config);
    config.server.host = hosts;
    config.server.port = port;
    config.server.tls_port = tls_port;
    config.server.admin_host = admin_host;
    config.server.admin_port = admin_port;
    bool is_good = ports_check(&config, resolves, reports);
    fclose(reports);
    options_deinit(&config);
    assert_true(is_good == (text[0] == '\0'));
    return text;
}

/* Does the plain port get in the way of the admin port, where both are 8888? */
static bool meet(const char *hosts, const char *admin_host, bool resolves)
{
    char *text = check(hosts, 8888, -1, admin_host, 8888, resolves);
    bool does = strstr(text, "ADMIN_PORT: ") != NULL && strstr(text, "WS_PORT uses it already") != NULL;
    free(text);
    return does;
}

static void other_ports_meet_nowhere(void **state)
{
    (void)state;
    static const struct {
        int32_t port;
        int32_t tls_port;
        uint16_t admin_port;
    } good[] = {{8888, 8443, 9888}, {0, 0, 0}, {-1, -1, 9888}, {0, 0, 9888}, {8888, -1, 0}};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char *text =
            check("127.0.0.1", good[i].port, good[i].tls_port, "127.0.0.1", good[i].admin_port, true);
        assert_string_equal(text, "");
        free(text);
    }
}

static void plain_and_tls_share_all_addresses(void **state)
{
    (void)state;
    char *text = check("127.0.0.1", 8443, 8443, "127.0.0.1", 0, false);
    assert_non_null(strstr(text, "WSS_PORT: "));
    free(text);
    text = check("unix:/x", 8443, 8443, "127.0.0.1", 0, false);
    assert_string_equal(text, "");
    free(text);
}

static void the_admin_port_meets_where_the_addresses_do(void **state)
{
    (void)state;
    static const char *const meeting[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::1,127.0.0.1", "127.0.0.1"},
        {"0.0.0.0", "127.0.0.1"},
        {"127.0.0.1", "0.0.0.0"},
        {"::", "127.0.0.1"},
        {"127.0.0.1", "::"},
        {"::", "::1"},
        {"0:0::1", "::1"},
        {"0.0.0.0", "::"},
        {"localhost", "127.0.0.1"},
        {"::1", "localhost"},
        {"localhost", "localhost"},
        {"a.example", "A.example"},
        {"unix:/x,0.0.0.0", "0.0.0.0"},
    };
    static const char *const apart[][2] = {
        {"127.0.0.2", "127.0.0.1"},    {"::1", "127.0.0.1"},
        {"127.0.0.1", "::1"},          {"0.0.0.0", "::1"},
        {"::,127.0.0.2", "127.0.0.1"}, {"unix:/x", "127.0.0.1"},
        {"a.example", "b.example"},    {"inside.example", "127.0.0.2"},
    };
    for (size_t i = 0; i < sizeof(meeting) / sizeof(meeting[0]); i++)
        if (!meet(meeting[i][0], meeting[i][1], false))
            fail_msg("%s and %s", meeting[i][0], meeting[i][1]);
    for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
        if (meet(apart[i][0], apart[i][1], false))
            fail_msg("%s and %s", apart[i][0], apart[i][1]);
}

static void names_meet_where_their_addresses_do(void **state)
{
    (void)state;
    assert_true(meet("inside.example", "127.0.0.2", true));
    assert_true(meet("127.0.0.3", "both.example", true));
    assert_true(meet("inside.example", "both.example", true));
    assert_true(meet("0.0.0.0", "inside.example", true));
    assert_false(meet("127.0.0.1", "both.example", true));
    assert_false(meet("unknown.example", "127.0.0.1", true));
}

static void the_port_for_tls_meets_the_admin_port_as_well(void **state)
{
    (void)state;
    char *text = check("127.0.0.1", -1, 8443, "127.0.0.1", 8443, false);
    assert_non_null(strstr(text, "WSS_PORT uses it already"));
    free(text);
    text = check("127.0.0.1", 8443, 8443, "127.0.0.1", 8443, false);
    assert_non_null(strstr(text, "WSS_PORT: "));
    assert_non_null(strstr(text, "ADMIN_PORT: "));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(other_ports_meet_nowhere, make),
        cmocka_unit_test_setup(plain_and_tls_share_all_addresses, make),
        cmocka_unit_test_setup(the_admin_port_meets_where_the_addresses_do, make),
        cmocka_unit_test_setup(names_meet_where_their_addresses_do, make),
        cmocka_unit_test_setup(the_port_for_tls_meets_the_admin_port_as_well, make),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

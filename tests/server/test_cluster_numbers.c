/* What two servers of one cluster show an operator: numbers, nodes, and whether they are ready. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admin_client.h"
#include "support/client.h"
#include "support/free_port.h"
#include "support/nats_engine.h"
#include "support/server.h"

#include <cjson/cJSON.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS = 2, ANSWER_MS = 20 * 1000, PATIENCE_MS = 20 * 1000, RETRY_MS = 10 };

typedef struct cluster {
    nats_engine engine;
    signal_server_options options;
    char secret[128]; /* a path */
    signal_server *servers[SERVERS];
    uint16_t ports[SERVERS], admin_ports[SERVERS];
} cluster;

static void start_server(cluster *c, int i)
{
    char name[] = {'n', (char)('0' + i), '\0'};
    c->options.cluster_node = name;
    c->options.admin_port = c->admin_ports[i] = free_port();
    c->servers[i] = server_start(&c->options);
    c->ports[i] = signal_server_port(c->servers[i]);
    c->options.cluster_node = "";
}

static int set_up(void **state)
{
    cluster *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    *state = c;
    if (!nats_engine_exists())
        return 0;
    nats_engine_start(&c->engine, "");
    c->options = server_options();
    c->options.cluster_url = c->engine.url;
    snprintf(c->secret, sizeof(c->secret), "%s",
             nats_engine_write(&c->engine, "secret", "a secret of more than thirty-two bytes"));
    c->options.cluster_secret_file = c->secret;
    return 0;
}

static int tear_down(void **state)
{
    cluster *c = *state;
    for (int i = 0; i < SERVERS; i++)
        server_end(c->servers[i]);
    nats_engine_destroy(&c->engine);
    free(c);
    return 0;
}

/* ---- Asking ---- */

static char *get(const cluster *c, int server, const char *path, int *status)
{
    admin_answer answer;
    int error = admin_client_get("127.0.0.1", c->admin_ports[server], path, ANSWER_MS, &answer);
    if (error != 0)
        fail_msg("GET %s: %s", path, strerror(-error));
    *status = answer.status;
    return answer.body;
}

/* The number behind a sample of /metrics, named as it stands there after the prefix; -1 where it is not. */
static double read_number(const cluster *c, int server, const char *sample)
{
    int status;
    char line[128];
    char *text = get(c, server, "/metrics", &status);
    snprintf(line, sizeof(line), "\nhomecall_signal_cluster_%s ", sample);
    const char *found = strstr(text, line);
    double number = found == NULL ? -1 : strtod(found + strlen(line), NULL);
    free(text);
    return number;
}

static void await_number(const cluster *c, int server, const char *sample, double least, double most)
{
    double number = -1;
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += RETRY_MS) {
        number = read_number(c, server, sample);
        if (number >= least && number <= most)
            return;
        poll(NULL, 0, RETRY_MS);
    }
    fail_msg("%s of server %d is %f, and should be %f to %f", sample, server, number, least, most);
}

/* Until /readyz answers so, and then with this text. */
static void await_ready(const cluster *c, int server, int expected, const char *text)
{
    int status = 0;
    char *answer = NULL;
    for (int waited_ms = 0; waited_ms < PATIENCE_MS && status != expected; waited_ms += RETRY_MS) {
        free(answer);
        answer = get(c, server, "/readyz", &status);
        if (status != expected)
            poll(NULL, 0, RETRY_MS);
    }
    assert_int_equal(status, expected);
    assert_string_equal(answer, text);
    free(answer);
}

/* ---- What is shown ---- */

static void a_call_across_is_shown_on_both_nodes(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    for (int i = 0; i < SERVERS; i++)
        start_server(c, i);
    for (int i = 0; i < SERVERS; i++) {
        await_number(c, i, "nodes{state=\"live\"}", 1, 1);
        await_number(c, i, "links{state=\"up\"}", 1, 1);
    }
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client *b = client_open_settled(c->ports[1], "room", "bert");
    client_send_offer(a, "\"v=0\"");
    client_expect_signal(b, "offer", "room", "anna", "\"v=0\"");

    await_number(c, 0, "rooms_owned", 1, 1);
    await_number(c, 0, "members_from_elsewhere", 1, 1);
    await_number(c, 0, "bindings_elsewhere", 0, 0);
    await_number(c, 1, "rooms_owned", 0, 0);
    await_number(c, 1, "members_from_elsewhere", 0, 0);
    await_number(c, 1, "bindings_elsewhere", 1, 1);
    await_number(c, 0, "claim_seconds_count", 1, 1);
    await_number(c, 1, "claims_answered_total", 1, 1);
    for (int i = 0; i < SERVERS; i++) {
        await_number(c, i, "engine_connected", 1, 1);
        await_number(c, i, "engine_rtt_seconds_count", 1, 1e6);
        await_number(c, i, "packets_total{result=\"received\"}", 2, 1e6);
        await_number(c, i, "packets_total{result=\"bad\"}", 0, 0);
        await_number(c, i, "signals_lost_total{cause=\"link\"}", 0, 0);
        await_ready(c, i, 200, "ok\n");
    }
    client_close(b);
    await_number(c, 0, "members_from_elsewhere", 0, 0);
    await_number(c, 1, "bindings_elsewhere", 0, 0);
    client_close(a);
    await_number(c, 0, "rooms_owned", 0, 0);
}

static void each_node_lists_itself_and_the_others(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    for (int i = 0; i < SERVERS; i++)
        start_server(c, i);
    await_number(c, 0, "links{state=\"up\"}", 1, 1);
    int status;
    char *text = get(c, 0, "/stats", &status);
    cJSON *root = cJSON_Parse(text);
    free(text);
    const cJSON *nodes = cJSON_GetObjectItem(root, "nodes");
    assert_int_equal(cJSON_GetArraySize(nodes), 2);
    static const char *const names[] = {"n0", "n1"};
    for (int i = 0; i < SERVERS; i++) {
        const cJSON *node = cJSON_GetArrayItem(nodes, i);
        assert_string_equal(cJSON_GetObjectItem(node, "name")->valuestring, names[i]);
        assert_string_equal(cJSON_GetObjectItem(node, "state")->valuestring, "live");
        assert_string_equal(cJSON_GetObjectItem(node, "version")->valuestring,
                            cJSON_GetObjectItem(root, "version")->valuestring);
        assert_int_equal(strlen(cJSON_GetObjectItem(node, "incarnation")->valuestring), 32);
    }
    assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(nodes, 1), "link")->valuestring, "up");
    cJSON_Delete(root);
}

static void a_room_that_moves_and_a_node_that_ends_are_counted(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    for (int i = 0; i < SERVERS; i++)
        start_server(c, i);
    client *a = client_open_settled(c->ports[0], "room", "anna");
    client *b = client_open_settled(c->ports[1], "room", "bert");
    signal_server_request_stop(c->servers[0], false);
    client_expect_close(a, 1001);
    client_close(a);
    await_number(c, 1, "merges_total{result=\"taken\"}", 1, 1);
    await_number(c, 1, "rooms_owned", 1, 1);
    server_end(c->servers[0]);
    c->servers[0] = NULL;
    await_number(c, 1, "nodes{state=\"live\"}", 0, 0);
    await_number(c, 1, "links{state=\"up\"}", 0, 0);
    await_number(c, 1, "links_lost_total", 1, 1);
    await_number(c, 1, "nodes_lost_total", 0, 0); /* it has said so */
    client_close(b);
}

/* ---- Whether a node is ready ---- */

static void a_short_absence_of_the_engine_takes_no_node_out_and_the_end_of_the_hold_does(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    c->options.cluster_hold_ms = 3000;
    c->options.cluster_without_engine = SIGNAL_SERVER_ALONE_HOLD;
    start_server(c, 0);
    await_ready(c, 0, 200, "ok\n");
    nats_engine_end(&c->engine, SIGKILL);
    await_number(c, 0, "engine_connected", 0, 0);
    await_ready(c, 0, 200, "ok\n");
    await_ready(c, 0, 503, "the engine of the cluster is away for CLUSTER_HOLD\n");
    await_number(c, 0, "hold_over", 1, 1);
    await_number(c, 0, "engine_away_seconds", 3, 60);
    nats_engine_start_again(&c->engine);
    await_ready(c, 0, 200, "ok\n");
    await_number(c, 0, "engine_reconnects_total", 1, 1);
    await_number(c, 0, "engine_away_seconds", 0, 0);
}

static void a_node_is_not_ready_before_it_has_joined_the_engine(void **state)
{
    cluster *c = *state;
    if (!nats_engine_exists())
        skip();
    nats_engine_end(&c->engine, SIGKILL);
    c->options.cluster_without_engine = SIGNAL_SERVER_ALONE_HOLD;
    start_server(c, 0);
    await_ready(c, 0, 503, "the engine of the cluster has not been there yet\n");
    nats_engine_start_again(&c->engine);
    await_ready(c, 0, 200, "ok\n");
    await_number(c, 0, "engine_reconnects_total", 0, 0);
}

static void a_server_that_is_alone_shows_nothing_of_a_cluster(void **state)
{
    cluster *c = *state;
    c->options = server_options();
    c->options.cluster_node = "";
    start_server(c, 0);
    int status;
    for (int page = 0; page < 2; page++) {
        char *text = get(c, 0, page == 0 ? "/metrics" : "/stats", &status);
        assert_null(strstr(text, "cluster"));
        assert_null(strstr(text, "nodes"));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_across_is_shown_on_both_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_node_lists_itself_and_the_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_room_that_moves_and_a_node_that_ends_are_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_short_absence_of_the_engine_takes_no_node_out_and_the_end_of_the_hold_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_is_not_ready_before_it_has_joined_the_engine, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_server_that_is_alone_shows_nothing_of_a_cluster, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

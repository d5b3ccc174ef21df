/* The three reports of one result: each tells what was measured, and nothing that was not. */
#include "report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char hostile[] = "<script>\"a\" & 'b'</script>";

static const char *const no_settings[] = {NULL};
static const char *const settings[] = {"pairs",    "50",    "window", "1.5", "dialect",
                                       "homecall", "sends", "<b>",    NULL};

static result r; /* of the test that runs; from fill_nothing() or fill_call() */
static result_sample samples[3];
static char dir[64]; /* for the page */
static char *text;   /* of the last report */

static const char *urls[] = {"ws://127.0.0.1:1/signal", "ws://127.0.0.1:2/signal"};

static void fill_nothing(void)
{
    r = (result){
        .scenario = "idle",
        .operation_name = "connection",
        .urls = urls,
        .url_count = 1,
        .label = "",
        .command_line = "homecall-bench idle",
        .settings = no_settings,
        .started_unix_ms = 1748779200123,
        .threads = 1,
    };
    for (int kind = 0; kind < LATENCY_KINDS; kind++)
        histogram_init(&r.latency[kind]);
}

static void fill_server(void)
{
    r.server = (result_server){
        .is_known = true,
        .processes = {.count = 1, .pids = {4711, 4712}},
        .cpu_seconds = 1.5,
        .user_seconds = 1,
        .system_seconds = 0.5,
        .rss_before_bytes = 1 << 20,
        .rss_after_bytes = 3 << 20,
        .memory_connections = 1024,
        .threads = 3,
    };
}

/* Two seconds of calls. */
static void fill_call(void)
{
    fill_nothing();
    r.scenario = "call";
    r.operation_name = "call";
    r.label = "some label";
    r.settings = settings;
    r.threads = 2;
    r.seconds = 2;
    r.open_connections = 100;
    r.counts = (load_counts){.operations = 1000, .signals = 22000, .signal_bytes = 4 << 20, .joins = 2000};
    r.totals = (load_counts){.operations = 1100, .signals = 23000, .signal_bytes = 5 << 20, .joins = 2200};
    for (uint64_t i = 1; i <= 1000; i++) {
        histogram_record(&r.latency[LATENCY_OPERATION], i * 1000);
        histogram_record(&r.latency[LATENCY_SIGNAL], i * 100);
    }
    r.client_cpu_seconds = 0.25;
    fill_server();
    for (size_t i = 0; i < 3; i++)
        samples[i] = (result_sample){
            .at_seconds = 0.5 * (double)(i + 1),
            .interval_seconds = 0.5,
            .operations = 250,
            .signals = 5500,
            .server_cpu_seconds = 0.375,
            .server_rss_bytes = 3 << 20,
            .open_connections = 100,
            .p50_ns = 50000,
            .p99_ns = 99000,
            .max_ns = 100000,
        };
    samples[1].p50_ns = samples[1].p99_ns = samples[1].max_ns = 0;
    r.samples = samples;
    r.sample_count = 3;
}

static void write_with(int (*report)(const result *, FILE *))
{
    free(text);
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    assert_int_equal(report(&r, out), 0);
    assert_int_equal(fclose(out), 0);
}

static cJSON *report_and_parse(void)
{
    write_with(report_json);
    size_t len = strlen(text);
    assert_int_equal(text[len - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + len - 1);
    cJSON *root = cJSON_Parse(text);
    assert_non_null(root);
    return root;
}

/* The names of an object's members, in their order, are these. */
static void check_members(const cJSON *object, const char *names)
{
    assert_true(cJSON_IsObject(object));
    char found[1024] = "";
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        strcat(found, member->string);
        if (member->next != NULL)
            strcat(found, " ");
    }
    assert_string_equal(found, names);
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsNumber(member));
    return member->valuedouble;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char root_members[] =
    "scenario operation url label command_line started threads seconds "
    "open_connections target_rate settings counts totals traffic per_second latency_us client "
    "series fault";

static void json_of_nothing_measured_leaves_it_out(void **state)
{
    (void)state;
    fill_nothing();
    cJSON *root = report_and_parse();
    check_members(root, root_members);
    assert_string_equal(member(root, "started")->valuestring, "2025-06-01T12:00:00.123Z");
    check_members(member(root, "settings"), "");
    check_members(member(root, "latency_us"), "");
    check_members(member(root, "client"), "cpu_seconds");
    assert_int_equal(cJSON_GetArraySize(member(root, "series")), 0);
    assert_true(number(member(root, "per_second"), "operations") == 0);
    assert_true(cJSON_IsNull(member(root, "fault")));
    cJSON_Delete(root);
}

static void json_tells_the_load_and_its_latency(void **state)
{
    (void)state;
    fill_call();
    cJSON *root = report_and_parse();
    const cJSON *counts = member(root, "counts");
    check_members(
        counts,
        "operations signals offers answers candidates signal_bytes joins connects closes losses resumed "
        "resumes_refused sent_again lost doubled presence ticks refused retries");
    assert_true(number(counts, "signals") == 22000);
    const cJSON *totals = member(root, "totals");
    check_members(
        totals,
        "operations signals offers answers candidates signal_bytes joins connects closes losses resumed "
        "resumes_refused sent_again lost doubled presence ticks refused retries");
    assert_true(number(totals, "signals") == 23000);
    assert_true(number(member(root, "per_second"), "signals") == 11000);
    check_members(member(root, "latency_us"), "operation signal");
    const cJSON *operation = member(member(root, "latency_us"), "operation");
    check_members(operation, "count min mean p50 p90 p99 p999 max");
    assert_true(number(operation, "count") == 1000);
    assert_true(number(operation, "min") == 1);
    assert_true(number(operation, "mean") == 500.5);
    assert_true(number(operation, "max") == 1000);
    assert_in_range((int)number(operation, "p90"), 893, 907);
    assert_true(number(member(root, "client"), "cpu_us_per_operation") == 250);
    cJSON_Delete(root);
}

static void json_tells_settings_as_numbers_where_they_are(void **state)
{
    (void)state;
    fill_call();
    cJSON *root = report_and_parse();
    const cJSON *object = member(root, "settings");
    check_members(object, "pairs window dialect sends");
    assert_true(number(object, "pairs") == 50);
    assert_true(number(object, "window") == 1.5);
    assert_string_equal(member(object, "dialect")->valuestring, "homecall");
    cJSON_Delete(root);
}

static void json_tells_the_server(void **state)
{
    (void)state;
    fill_call();
    cJSON *root = report_and_parse();
    const cJSON *server = member(root, "server");
    check_members(server, "pid threads cpu_seconds user_seconds system_seconds cpu_us_per_operation "
                          "cpu_us_per_signal rss_before_bytes rss_after_bytes bytes_per_connection");
    assert_true(number(server, "cpu_us_per_operation") == 1500);
    assert_true(number(server, "bytes_per_connection") == 2048);
    cJSON_Delete(root);

    r.server.has_syscalls = true;
    r.server.syscalls = 66000;
    r.server.memory_connections = 0;
    r.counts.connects = 10;
    root = report_and_parse();
    server = member(root, "server");
    check_members(server, "pid threads cpu_seconds user_seconds system_seconds cpu_us_per_operation "
                          "cpu_us_per_signal cpu_us_per_connect rss_before_bytes rss_after_bytes syscalls "
                          "syscalls_per_signal syscalls_per_operation");
    assert_true(number(server, "syscalls_per_signal") == 3);
    assert_true(number(server, "cpu_us_per_connect") == 150000);
    cJSON_Delete(root);
}

/* Two nodes with an engine between them. */
static void fill_cluster(void)
{
    fill_call();
    r.url_count = 2;
    r.server.processes.count = 2;
    r.has_engine = true;
    r.engine_cpu_seconds = 0.11;
}

static void several_servers_and_their_engine_are_told(void **state)
{
    (void)state;
    fill_cluster();
    cJSON *root = report_and_parse();
    assert_string_equal(member(root, "url")->valuestring, urls[0]);
    assert_string_equal(cJSON_GetArrayItem(member(root, "urls"), 1)->valuestring, urls[1]);
    assert_int_equal(number(member(root, "server"), "pid"), 4711);
    assert_int_equal(cJSON_GetArrayItem(member(member(root, "server"), "pids"), 1)->valueint, 4712);
    const cJSON *engine = member(root, "engine");
    check_members(engine, "cpu_seconds cpu_us_per_operation cpu_us_per_signal");
    assert_true(number(engine, "cpu_us_per_operation") == 110);
    assert_true(number(engine, "cpu_us_per_signal") == 5);
    cJSON_Delete(root);

    write_with(report_text);
    assert_non_null(strstr(text, "call  ws://127.0.0.1:1/signal  ws://127.0.0.1:2/signal  some label\n"));
    assert_non_null(strstr(text, "  processes                                2   3 threads\n"));
    assert_non_null(strstr(text, "\nengine\n  CPU                                 110 ms   5.50 % of a core\n"
                                 "  CPU per call                        110 µs\n"));
}

static void json_tells_the_run_as_a_series(void **state)
{
    (void)state;
    fill_call();
    cJSON *root = report_and_parse();
    const cJSON *series = member(root, "series");
    assert_int_equal(cJSON_GetArraySize(series), 3);
    const cJSON *first = cJSON_GetArrayItem(series, 0);
    check_members(first,
                  "at_seconds operations_per_second signals_per_second server_cpu_share server_rss_bytes "
                  "open_connections p50_us p99_us max_us");
    assert_true(number(first, "signals_per_second") == 11000);
    assert_true(number(first, "server_cpu_share") == 0.75);
    assert_true(number(first, "p99_us") == 99);
    check_members(cJSON_GetArrayItem(series, 1), "at_seconds operations_per_second signals_per_second "
                                                 "server_cpu_share server_rss_bytes open_connections");
    cJSON_Delete(root);
}

static void json_keeps_text_and_large_counts_as_they_are(void **state)
{
    (void)state;
    fill_nothing();
    r.label = hostile;
    r.command_line = "a \\ \"b\"\n\t";
    r.fault = hostile;
    r.counts.operations = 1000000000000000;
    r.counts.signal_bytes = 9007199254740991;
    cJSON *root = report_and_parse();
    assert_string_equal(member(root, "label")->valuestring, hostile);
    assert_string_equal(member(root, "command_line")->valuestring, r.command_line);
    assert_string_equal(member(root, "fault")->valuestring, hostile);
    assert_non_null(strstr(text, "\"operations\":1000000000000000,"));
    assert_non_null(strstr(text, "\"signal_bytes\":9007199254740991,"));
    cJSON_Delete(root);
}

static void json_has_no_number_that_is_none(void **state)
{
    (void)state;
    fill_call();
    r.seconds = 0;
    r.target_rate = INFINITY;
    r.client_cpu_seconds = NAN;
    samples[0].interval_seconds = 0;
    cJSON *root = report_and_parse();
    assert_null(strstr(text, "inf"));
    assert_null(strstr(text, "nan"));
    assert_true(number(root, "target_rate") == 0);
    cJSON_Delete(root);
}

static int allocations_left;

static void *allocate_some(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void json_survives_every_lack_of_memory(void **state)
{
    (void)state;
    fill_cluster();
    r.server.has_syscalls = true;
    r.fault = "a fault";
    FILE *out = fopen("/dev/null", "w");
    assert_non_null(out);
    cJSON_Hooks hooks = {allocate_some, free};
    cJSON_InitHooks(&hooks);
    int error = -ENOMEM;
    int enough = 0;
    for (; error == -ENOMEM; enough++) {
        allocations_left = enough;
        error = report_json(&r, out);
    }
    cJSON_InitHooks(NULL);
    assert_int_equal(error, 0);
    assert_true(enough > 100);
    fclose(out);
}

static void a_full_disk_is_reported(void **state)
{
    (void)state;
    fill_call();
    FILE *out = fopen("/dev/full", "w");
    assert_non_null(out);
    assert_int_equal(report_text(&r, out), -ENOSPC);
    fclose(out);
    out = fopen("/dev/full", "w");
    assert_non_null(out);
    assert_int_equal(report_json(&r, out), -ENOSPC);
    fclose(out);
}

static void text_of_nothing_measured_is_its_heading(void **state)
{
    (void)state;
    fill_nothing();
    write_with(report_text);
    assert_string_equal(text, "idle  ws://127.0.0.1:1/signal\n"
                              "2025-06-01 12:00:00 UTC, 0 ns, 1 thread, closed loop\n");
}

static void text_is_a_table(void **state)
{
    (void)state;
    fill_call();
    write_with(report_text);
    assert_non_null(strstr(text, "call  ws://127.0.0.1:1/signal  some label\n"
                                 "2025-06-01 12:00:00 UTC, 2.00 s, 2 threads, closed loop\n"
                                 "pairs 50, window 1.5, dialect homecall, sends <b>\n"));
    assert_non_null(strstr(text, "  calls                                1,000   500 /s\n"));
    assert_non_null(strstr(text, "  CPU per signal                     68.2 µs\n"));
    assert_non_null(strstr(text, "  memory per connection             2.00 KiB   over 1,024 connections\n"));
    assert_non_null(strstr(text, "\nlatency            count      min     mean      p50"));
    assert_non_null(strstr(text, "\n  operation        1,000  1.00 µs   500 µs"));
    assert_null(strstr(text, "connect  "));
    assert_null(strstr(text, "system calls"));
    assert_null(strstr(text, "FAULT"));
}

static void text_shows_a_fault_and_the_rate_asked_for(void **state)
{
    (void)state;
    fill_call();
    r.fault = "candidate 4 came twice";
    r.target_rate = 600;
    r.server.has_syscalls = true;
    r.server.syscalls = 66000;
    write_with(report_text);
    assert_non_null(strstr(text, "\nFAULT: candidate 4 came twice\n"));
    assert_non_null(strstr(text, "open loop at 600 calls/s\n"));
    assert_non_null(strstr(text, "500 /s of 600 /s asked for\n"));
    assert_non_null(strstr(text, "  system calls per signal               3.00\n"));
}

static void an_operation_that_is_a_signal_is_told_once(void **state)
{
    (void)state;
    fill_call();
    r.operation_name = "signal";
    r.counts.operations = r.counts.signals;
    write_with(report_text);
    const char *first = strstr(text, "  signals ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "  signals "));
    first = strstr(text, "  CPU per signal ");
    assert_non_null(first);
    first = strstr(first + 1, "  CPU per signal "); /* the load generator's */
    assert_non_null(first);
    assert_null(strstr(first + 1, "  CPU per signal "));
}

static void path_in_dir(char *path, size_t size, const char *name)
{
    assert_true(snprintf(path, size, "%s/%s", dir, name) < (int)size);
}

static void write_page_with(const char *plots)
{
    char path[128];
    path_in_dir(path, sizeof(path), "page");
    assert_int_equal(report_html(&r, plots, path), 0);
    path_in_dir(path, sizeof(path), "page/index.html.new");
    assert_int_equal(access(path, F_OK), -1);

    path_in_dir(path, sizeof(path), "page/index.html");
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    free(text);
    text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_in_range(fread(text, 1, (1 << 20) - 1, in), 1, (1 << 20) - 2);
    fclose(in);
}

static void write_page(void)
{
    write_page_with("<figure>a plot</figure>");
}

/* Each element that was opened is closed, in order. Those that have no end are skipped. */
static void check_nesting(void)
{
    char open[32][16];
    int depth = 0;
    for (const char *at = text; (at = strchr(at, '<')) != NULL; at++) {
        bool is_end = at[1] == '/';
        const char *name = at + 1 + is_end;
        size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
        const char *end = strchr(at, '>');
        assert_non_null(end);
        if (*name == '!' || end[-1] == '/' || strncmp(name, "meta", 4) == 0)
            continue;
        assert_in_range(len, 1, 15);
        if (is_end) {
            assert_true(depth > 0);
            depth--;
            assert_int_equal(strlen(open[depth]), len);
            assert_memory_equal(open[depth], name, len);
            continue;
        }
        assert_true(depth < 32);
        memcpy(open[depth], name, len);
        open[depth++][len] = '\0';
    }
    assert_int_equal(depth, 0);
}

static void a_page_needs_nothing_else(void **state)
{
    (void)state;
    fill_call();
    write_page();
    check_nesting();
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<link"));
    assert_null(strstr(text, "src="));
    assert_null(strstr(text, "href="));
    assert_null(strstr(text, "url("));
    assert_null(strstr(text, "@import"));
}

static void a_page_shows_plots_figures_and_settings(void **state)
{
    (void)state;
    fill_call();
    write_page();
    static const char *const parts[] = {
        "<h1>call <span>some label</span></h1>",
        "<div class=\"plots\"><figure>a plot</figure></div>",
        "<th>operation</th><td class=\"number\">1,000</td>",
        "<th>CPU per signal</th><td class=\"number\">68.2 µs</td>",
        "<dt class=\"note\">window</dt><dd>1.5</dd>",
        "<code>homecall-bench idle</code>",
        "<code>{&quot;scenario&quot;:&quot;call&quot;,",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(text, parts[i]) == NULL)
            fail_msg("the page lacks %s", parts[i]);
    }
    assert_null(strstr(text, "class=\"bad\""));
}

static void a_page_without_plots_says_so(void **state)
{
    (void)state;
    fill_call();
    write_page_with(NULL);
    check_nesting();
    assert_non_null(strstr(text, "<strong>There are no plots,</strong>"));
    assert_non_null(strstr(text, "gnuplot-nox"));
    assert_non_null(strstr(text, "<td class=\"number\">68.2 µs</td>"));
}

static void a_page_of_nothing_measured_has_no_figures(void **state)
{
    (void)state;
    fill_nothing();
    write_page_with("");
    check_nesting();
    assert_null(strstr(text, "<td"));
    assert_non_null(strstr(text, "<div class=\"plots\"></div>"));
}

static void a_page_shows_texts_of_others_as_text(void **state)
{
    (void)state;
    static const char *const hostile_settings[] = {hostile, hostile, NULL};
    fill_call();
    r.scenario = r.operation_name = r.label = r.command_line = r.fault = hostile;
    r.settings = hostile_settings;
    r.urls = (const char *const[]){hostile};
    write_page();
    check_nesting();
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "<strong>The run found a fault.</strong> "
                                 "&lt;script&gt;&quot;a&quot; &amp; 'b'&lt;/script&gt;</p>"));
    r.label = "bell \a, escape \x1b, tab \t";
    write_page();
    assert_non_null(strstr(text, "bell \uFFFD, escape \uFFFD, tab \t"));
}

static void a_page_replaces_the_one_before(void **state)
{
    (void)state;
    fill_call();
    write_page();
    r.label = "another label";
    write_page();
    assert_non_null(strstr(text, "another label"));
    assert_null(strstr(text, "some label"));
}

static void a_page_that_can_not_be_written_is_reported(void **state)
{
    (void)state;
    fill_call();
    char path[128];
    path_in_dir(path, sizeof(path), "not/there");
    assert_int_equal(report_html(&r, "", path), -ENOENT);
    assert_int_equal(report_html(&r, "", "/dev/null"), -ENOTDIR);

    static char endless[8192];
    memset(endless, 'a', sizeof(endless) - 1);
    assert_int_equal(report_html(&r, "", endless), -ENAMETOOLONG);

    /* A page that can't take its place leaves nothing behind. */
    path_in_dir(path, sizeof(path), "taken");
    assert_int_equal(mkdir(path, 0700), 0);
    path_in_dir(path, sizeof(path), "taken/index.html");
    assert_int_equal(mkdir(path, 0700), 0);
    path_in_dir(path, sizeof(path), "taken");
    assert_int_equal(report_html(&r, "", path), -EISDIR);
    path_in_dir(path, sizeof(path), "taken/index.html.new");
    assert_int_equal(access(path, F_OK), -1);
}

static int make_dir(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(dir, sizeof(dir), "%s/homecall-reports-XXXXXX",
             parent != NULL && strlen(parent) < 32 ? parent : "/tmp");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    static const char *const names[] = {"page/index.html", "page", "taken/index.html", "taken", "."};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        path_in_dir(path, sizeof(path), names[i]);
        remove(path);
    }
    free(text);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_nothing_measured_leaves_it_out),
        cmocka_unit_test(json_tells_the_load_and_its_latency),
        cmocka_unit_test(json_tells_settings_as_numbers_where_they_are),
        cmocka_unit_test(json_tells_the_server),
        cmocka_unit_test(several_servers_and_their_engine_are_told),
        cmocka_unit_test(json_tells_the_run_as_a_series),
        cmocka_unit_test(json_keeps_text_and_large_counts_as_they_are),
        cmocka_unit_test(json_has_no_number_that_is_none),
        cmocka_unit_test(json_survives_every_lack_of_memory),
        cmocka_unit_test(a_full_disk_is_reported),
        cmocka_unit_test(text_of_nothing_measured_is_its_heading),
        cmocka_unit_test(text_is_a_table),
        cmocka_unit_test(text_shows_a_fault_and_the_rate_asked_for),
        cmocka_unit_test(an_operation_that_is_a_signal_is_told_once),
        cmocka_unit_test(a_page_needs_nothing_else),
        cmocka_unit_test(a_page_shows_plots_figures_and_settings),
        cmocka_unit_test(a_page_without_plots_says_so),
        cmocka_unit_test(a_page_of_nothing_measured_has_no_figures),
        cmocka_unit_test(a_page_shows_texts_of_others_as_text),
        cmocka_unit_test(a_page_replaces_the_one_before),
        cmocka_unit_test(a_page_that_can_not_be_written_is_reported),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

/* The pages, written into memory. */
#include "admin/admin_pages.h"

#include "unit/stats/hand_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdlib.h>

typedef struct fixture {
    hand_made made;
    admin_page_source source;
    admin_page_head head; /* of the last page */
    char *body;           /* owned: its content */
} fixture;

static int make(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    hand_made_init(&f->made);
    f->source = (admin_page_source){.numbers = f->made.source, .utc_ms = 1795602030400ull};
    *state = f;
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    free(f->body);
    free(f);
    return 0;
}

static void write_page(fixture *f, const char *path)
{
    const admin_page *page = admin_page_find(slice_of_text(path));
    assert_non_null(page);
    free(f->body);
    size_t len;
    FILE *out = open_memstream(&f->body, &len);
    assert_non_null(out);
    f->head = admin_page_write(page, &f->source, out);
    fclose(out);
}

static void expect(fixture *f, const char *path, int status, const char *media_type, const char *body)
{
    write_page(f, path);
    assert_int_equal(f->head.status, status);
    assert_string_equal(f->head.media_type, media_type);
    assert_string_equal(f->body, body);
}

static const char text[] = "text/plain; charset=utf-8";

static void only_pages_are_found(void **state)
{
    (void)state;
    static const char *const others[] = {"", "metrics", "/metrics/", "/Metrics", "//", "/livez?", "/healthz"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_null(admin_page_find(slice_of_text(others[i])));
}

static void the_list_names_every_page(void **state)
{
    fixture *f = *state;
    write_page(f, "/");
    assert_int_equal(f->head.status, 200);
    static const char *const paths[] = {"/metrics ", "/stats ", "/livez ", "/readyz ", "/version "};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_non_null(strstr(f->body, paths[i]));
}

static void metrics_come_in_the_format_that_is_asked_for(void **state)
{
    fixture *f = *state;
    write_page(f, "/metrics");
    assert_string_equal(f->head.media_type, "text/plain; version=0.0.4; charset=utf-8");
    assert_null(strstr(f->body, "# EOF"));
    f->source.accept = SLICE_LITERAL("application/openmetrics-text;version=1.0.0");
    write_page(f, "/metrics");
    assert_string_equal(f->head.media_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_non_null(strstr(f->body, "# EOF\n"));
}

static void stats_are_json(void **state)
{
    fixture *f = *state;
    write_page(f, "/stats");
    assert_int_equal(f->head.status, 200);
    assert_string_equal(f->head.media_type, "application/json");
    cJSON *root = cJSON_Parse(f->body);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(root, "time")), "2026-11-25T10:20:30.400Z");
    cJSON_Delete(root);
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

static void stats_without_memory_are_a_fault(void **state)
{
    cJSON_Hooks hooks = {.malloc_fn = no_memory, .free_fn = free};
    cJSON_InitHooks(&hooks);
    expect(*state, "/stats", 500, text, "out of memory\n");
    cJSON_InitHooks(NULL);
}

static void a_good_server_is_ok(void **state)
{
    expect(*state, "/livez", 200, text, "ok\n");
    expect(*state, "/readyz", 200, text, "ok\n");
}

static void a_server_that_drains_is_unavailable(void **state)
{
    fixture *f = *state;
    f->made.snapshot.is_draining = true;
    counter_set(&f->made.snapshot.total.acceptor.is_short, 1);
    expect(f, "/livez", 200, text, "ok\n");
    expect(f, "/readyz", 503, text, "draining\naccepting pauses: descriptors or memory are used up\n");
}

static void a_thread_that_hangs_is_named(void **state)
{
    fixture *f = *state;
    counter_set(&f->made.threads[1].counters.loop.turn_started_us, f->made.snapshot.taken_us - 7000000);
    expect(f, "/livez", 503, text, "worker-1 hangs: a turn of its loop has taken 7.0 s so far\n");
}

static void the_version_is_told(void **state)
{
    expect(*state, "/version", 200, "application/json",
           "{\"name\":\"homecall-signal\",\"version\":\"0.1.0\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_pages_are_found),
        cmocka_unit_test_setup_teardown(the_list_names_every_page, make, destroy),
        cmocka_unit_test_setup_teardown(metrics_come_in_the_format_that_is_asked_for, make, destroy),
        cmocka_unit_test_setup_teardown(stats_are_json, make, destroy),
        cmocka_unit_test_setup_teardown(stats_without_memory_are_a_fault, make, destroy),
        cmocka_unit_test_setup_teardown(a_good_server_is_ok, make, destroy),
        cmocka_unit_test_setup_teardown(a_server_that_drains_is_unavailable, make, destroy),
        cmocka_unit_test_setup_teardown(a_thread_that_hangs_is_named, make, destroy),
        cmocka_unit_test_setup_teardown(the_version_is_told, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The answer that a page gets, byte for byte, and without memory. */
#include "ice/ice_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdlib.h>

static const turn_credentials credentials = {"1700003600:0123456789abcdef", "bngP3/mBcA7mmNEkXzWoYpHypng="};

#define CREDENTIALS \
    "\"username\":\"1700003600:0123456789abcdef\",\"credential\":\"bngP3/mBcA7mmNEkXzWoYpHypng=\""

static void expect(const char *urls, const turn_credentials *given, uint32_t ttl_s, const char *answer)
{
    char *text = ice_json_print(slice_of_text(urls), given, ttl_s);
    assert_non_null(text);
    assert_string_equal(text, answer);
    free(text);
}

static void stun_servers_get_an_entry_without_credentials(void **state)
{
    (void)state;
    expect(
        "stun:a.example, turn:a.example?transport=udp,stuns:b.example,turns:[2001:db8::1]:5349?transport=tcp",
        &credentials, 3600,
        "{\"iceServers\":[{\"urls\":[\"stun:a.example\",\"stuns:b.example\"]},"
        "{\"urls\":[\"turn:a.example?transport=udp\",\"turns:[2001:db8::1]:5349?transport=tcp\"]," CREDENTIALS
        "}],\"ttl\":3600}");
}

static void an_entry_without_urls_is_left_out(void **state)
{
    (void)state;
    expect("", &credentials, 1, "{\"iceServers\":[],\"ttl\":1}");
    expect("stun:a", &credentials, UINT32_MAX,
           "{\"iceServers\":[{\"urls\":[\"stun:a\"]}],\"ttl\":4294967295}");
    expect("turn:a", &credentials, 0, "{\"iceServers\":[{\"urls\":[\"turn:a\"]," CREDENTIALS "}],\"ttl\":0}");
}

static void without_credentials_turn_servers_are_left_out(void **state)
{
    (void)state;
    expect("stun:a,turn:b", NULL, 60, "{\"iceServers\":[{\"urls\":[\"stun:a\"]}],\"ttl\":60}");
    expect("turn:b", NULL, 60, "{\"iceServers\":[],\"ttl\":60}");
}

/* ---- Without memory ---- */

static int allocations_left;

static void *allocate_a_few(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void without_memory_there_is_no_answer_and_nothing_is_kept(void **state)
{
    (void)state;
    cJSON_Hooks hooks = {allocate_a_few, free};
    const slice urls = SLICE_LITERAL("stun:a,turn:b,turn:c");
    cJSON_InitHooks(&hooks);
    int needed = 0;
    char *text = NULL;
    while (text == NULL && needed < 100) {
        allocations_left = needed++;
        text = ice_json_print(urls, &credentials, 60);
    }
    cJSON_InitHooks(NULL);
    assert_non_null(text);
    assert_string_equal(text, "{\"iceServers\":[{\"urls\":[\"stun:a\"]},"
                              "{\"urls\":[\"turn:b\",\"turn:c\"]," CREDENTIALS "}],\"ttl\":60}");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stun_servers_get_an_entry_without_credentials),
        cmocka_unit_test(an_entry_without_urls_is_left_out),
        cmocka_unit_test(without_credentials_turn_servers_are_left_out),
        cmocka_unit_test(without_memory_there_is_no_answer_and_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

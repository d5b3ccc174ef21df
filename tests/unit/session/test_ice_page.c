#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session/ice_page.h"

#include "ice/turn_credentials.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const ice_settings settings = {
    .urls = {"turn:turn.example", 17}, .secret = {"of the test", 11}, .ttl_s = 600};

static address client_of(const char *text)
{
    address client;
    assert_true(address_parse(slice_of_text(text), &client));
    return client;
}

/* Ask once and keep the user name of the answer. */
static void ask(const keyed_hash *hash, const address *client, char username[TURN_MAX_USERNAME + 1])
{
    ice_page page;
    assert_int_equal(ice_page_make(&settings, hash, client, (slice){0}, 1000, &page), 0);
    cJSON *json = cJSON_Parse(page.body);
    const cJSON *servers = cJSON_GetObjectItemCaseSensitive(json, "iceServers");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(servers, 0), "username");
    assert_non_null(cJSON_GetStringValue(name));
    assert_true(strlen(name->valuestring) <= TURN_MAX_USERNAME);
    strcpy(username, name->valuestring);
    cJSON_Delete(json);
    free(page.head);
    free(page.body);
}

/* coturn counts its quota by the user, which is what stands behind the colon. */
static void each_credential_has_a_user_of_its_own_which_tells_its_address_from_others(void **state)
{
    (void)state;
    enum { SAME = 5 + 8 }; /* "1600:" and the half of the user that belongs to the address */
    keyed_hash hash;
    assert_int_equal(keyed_hash_init(&hash), 0);
    const address household = client_of("192.0.2.1");
    const address other = client_of("192.0.2.2");
    char names[3][TURN_MAX_USERNAME + 1];
    ask(&hash, &household, names[0]);
    ask(&hash, &household, names[1]);
    ask(&hash, &other, names[2]);
    assert_memory_equal(names[0], "1600:", 5);
    assert_string_not_equal(names[0], names[1]);
    assert_memory_equal(names[0], names[1], SAME);
    assert_memory_not_equal(names[0], names[2], SAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_credential_has_a_user_of_its_own_which_tells_its_address_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

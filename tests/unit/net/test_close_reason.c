#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/close_reason.h"

#include <string.h>

static void every_reason_and_slot_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < CLOSE_REASONS; i++) {
        assert_non_null(close_reason_name((close_reason)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(close_reason_name((close_reason)i), close_reason_name((close_reason)j));
    }
    for (int i = 0; i < CLOSE_CODE_SLOTS; i++) {
        assert_non_null(close_code_slot_name(i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(close_code_slot_name(i), close_code_slot_name(j));
    }
}

static void each_code_has_a_slot(void **state)
{
    (void)state;
    static const struct {
        uint16_t code;
        const char *name;
    } cases[] = {
        {1000, "1000"},      {1001, "1001"}, {1004, "other"}, {1005, "1005"},  {1012, "1012-1014"},
        {1014, "1012-1014"}, {3000, "3xxx"}, {3999, "3xxx"},  {4000, "4xxx"},  {4001, "4001"},
        {4999, "4xxx"},      {0, "other"},   {2999, "other"}, {5000, "other"}, {UINT16_MAX, "other"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(close_code_slot_name(close_code_slot(cases[i].code)), cases[i].name);
}

static void a_reason_can_have_its_own_code_or_none(void **state)
{
    (void)state;
    for (int reason = 0; reason < CLOSE_REASONS; reason++) {
        uint16_t code = close_reason_code((close_reason)reason);
        int slots = 0;
        for (int slot = 0; slot < CLOSE_CODE_SLOTS; slot++)
            slots += close_reason_has_slot((close_reason)reason, slot);
        assert_true(close_reason_has_slot((close_reason)reason, close_code_slot(1006)));
        if (code != 0) {
            assert_true(close_reason_has_slot((close_reason)reason, close_code_slot(code)));
            assert_int_equal(slots, code == 1006 ? 1 : 2);
        }
    }
    for (int slot = 0; slot < CLOSE_CODE_SLOTS; slot++)
        assert_true(close_reason_has_slot(CLOSE_REASON_BY_PEER, slot));
    assert_true(close_reason_has_slot(CLOSE_REASON_PROTOCOL_FAULT, close_code_slot(1002)));
    assert_true(close_reason_has_slot(CLOSE_REASON_PROTOCOL_FAULT, close_code_slot(1007)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_and_slot_has_a_name_of_its_own),
        cmocka_unit_test(each_code_has_a_slot),
        cmocka_unit_test(a_reason_can_have_its_own_code_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

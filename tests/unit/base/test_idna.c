/* International host names. */
#include "base/idna.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <stdlib.h>

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- A machine without the library ---- */

static bool has_library = true;

/* Stands before the one of the system. */
void *dlopen(const char *file, int mode)
{
    static void *(*real)(const char *, int);
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "dlopen");
        memcpy(&real, &found, sizeof(found));
    }
    return has_library ? real(file, mode) : NULL;
}

/* ---- Asking ---- */

/* Over a heap copy of the exact length, so that a read past either end is seen. */
static const char *convert(const char *name, size_t len, char out[HOST_NAME_CAP])
{
    idna i = {0};
    char *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, name, len);
    const char *reason = idna_to_ascii(&i, (slice){copy + 1, len}, out);
    free(copy);
    idna_deinit(&i);
    assert_null(i.library);
    return reason;
}

static void expect(const char *name, const char *ascii)
{
    char found[HOST_NAME_CAP] = "";
    const char *reason = convert(name, strlen(name), found);
    if (reason != NULL)
        fail_msg("%s: %s", name, reason);
    assert_string_equal(found, ascii);
}

static void expect_refused(const char *name, const char *part_of_the_reason)
{
    char found[HOST_NAME_CAP] = "before";
    const char *reason = convert(name, strlen(name), found);
    if (reason == NULL || strstr(reason, part_of_the_reason) == NULL)
        fail_msg("%s: %s", name, reason == NULL ? found : reason);
    assert_string_equal(found, "before");
}

/* ---- The tests ---- */

static void names_of_every_script_become_ascii(void **state)
{
    (void)state;
    expect("домозвон.рф", "xn--b1adjthcbc.xn--p1ai");
    expect("звонок.домозвон.рф.", "xn--b1ajkleb.xn--b1adjthcbc.xn--p1ai.");
    expect("日本語.jp", "xn--wgv71a119e.jp");
    expect("شبكة.com", "xn--ngbc5azd.com");
    expect("xn--b1adjthcbc.рф", "xn--b1adjthcbc.xn--p1ai");
    expect("call_1.рф", "call_1.xn--p1ai");
    expect("call.example", "call.example");
}

/* UTS #46 as browsers apply it: case, composed and wide letters, other dots; but ß stays itself. */
static void what_people_write_is_mapped_as_browsers_do_it(void **state)
{
    (void)state;
    expect("ДомоЗвон.РФ", "xn--b1adjthcbc.xn--p1ai");
    expect("Call.Рф", "call.xn--p1ai");
    expect("u\xcc\x88.example", "xn--tda.example");
    expect("ü.example", "xn--tda.example");
    expect("faß.example", "xn--fa-hia.example");
    expect("домозвон。рф", "xn--b1adjthcbc.xn--p1ai");
    expect("ｃａｌｌ.example", "call.example");
}

/* Whoever asks has to look at the result. */
static void letters_may_turn_into_what_no_name_has(void **state)
{
    (void)state;
    expect("１２７.0.0.1", "127.0.0.1");
    expect("℀.рф", "a/c.xn--p1ai");
    expect("a b.рф", "a b.xn--p1ai");
    expect("домозвон..рф", "xn--b1adjthcbc..xn--p1ai");
}

static void what_is_no_name_is_refused_with_its_reason(void **state)
{
    (void)state;
    expect_refused("\xff.рф", "not UTF-8");
    expect_refused("\xd0", "not UTF-8");
    expect_refused("☕.рф", "is not allowed");
    expect_refused("a\xe2\x80\x8d"
                   "b.рф",
                   "is not allowed"); /* a zero width joiner */
    expect_refused("xn--a.рф", "is not allowed");
    expect_refused("", "is not allowed");
    char found[HOST_NAME_CAP];
    assert_non_null(convert("р\0ф", 5, found));
}

static void names_longer_than_any_are_refused(void **state)
{
    (void)state;
    char label[2 * 64 + 1] = "";
    for (size_t i = 0; i < 64; i++)
        strcat(label, "я");
    expect_refused(label, "longer than any host name");
    char *name = calloc(1, 4096);
    assert_non_null(name);
    for (size_t i = 0; i < 62; i++)
        strcat(name, "яяя.");
    expect_refused(name, "longer than any host name");
    memset(name, 'x', 4095);
    expect_refused(name, "longer than any host name");
    free(name);
}

static void one_library_serves_many_names(void **state)
{
    (void)state;
    idna i = {0};
    char first[HOST_NAME_CAP];
    char second[HOST_NAME_CAP];
    assert_null(idna_to_ascii(&i, slice_of_text("а.рф"), first));
    assert_non_null(i.library);
    has_library = false; /* it is there already */
    assert_null(idna_to_ascii(&i, slice_of_text("б.рф"), second));
    has_library = true;
    assert_string_equal(first, "xn--80a.xn--p1ai");
    assert_string_equal(second, "xn--90a.xn--p1ai");
    idna_deinit(&i);
}

static void without_the_library_the_reason_says_what_helps(void **state)
{
    (void)state;
    has_library = false;
    expect_refused("домозвон.рф", "libidn2");
    expect_refused("домозвон.рф", "xn--");
    has_library = true;
    expect("домозвон.рф", "xn--b1adjthcbc.xn--p1ai");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_every_script_become_ascii),
        cmocka_unit_test(what_people_write_is_mapped_as_browsers_do_it),
        cmocka_unit_test(letters_may_turn_into_what_no_name_has),
        cmocka_unit_test(what_is_no_name_is_refused_with_its_reason),
        cmocka_unit_test(names_longer_than_any_are_refused),
        cmocka_unit_test(one_library_serves_many_names),
        cmocka_unit_test(without_the_library_the_reason_says_what_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

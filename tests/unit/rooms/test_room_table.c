#include "rooms/room_table.h"

#include "rooms/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static const keyed_hash test_key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static room *add_to(room_table *table, room_space space, slice name)
{
    room *r = room_new(space, name, SLICE_LITERAL("\"\""), 0, 0);
    assert_non_null(r);
    assert_int_equal(room_table_add(table, r), 0);
    return r;
}

static room *add(room_table *table, slice name)
{
    return add_to(table, ROOM_SPACE_ROOMS, name);
}

static void remove_and_free(room_table *table, room *r)
{
    room_table_remove(table, r);
    room_free(r);
}

static slice numbered(char out[16], int number)
{
    int len = snprintf(out, 16, "room-%d", number);
    return (slice){out, (size_t)len};
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    room_table table;
    assert_int_equal(room_table_init(&table, &test_key), 0);
    assert_null(room_table_find(&table, ROOM_SPACE_ROOMS, SLICE_LITERAL("a")));
    assert_null(room_table_find(&table, ROOM_SPACE_ROOMS, SLICE_LITERAL("")));
    assert_null(room_table_find(&table, ROOM_SPACE_SESSIONS, SLICE_LITERAL("")));
    assert_null(room_table_first(&table));
    room_table_deinit(&table);
}

static void a_room_is_found_until_it_is_removed(void **state)
{
    (void)state;
    room_table table;
    assert_int_equal(room_table_init(&table, &test_key), 0);
    const void *buckets = table.head->table.tbl->buckets;
    for (int turn = 0; turn < 2; turn++) { /* the table must be of use again after it was empty */
        room *r = add(&table, SLICE_LITERAL("a"));
        assert_ptr_equal(room_table_find(&table, ROOM_SPACE_ROOMS, SLICE_LITERAL("a")), r);
        assert_ptr_equal(room_table_first(&table), r);
        assert_null(room_table_find(&table, ROOM_SPACE_ROOMS, SLICE_LITERAL("b")));
        remove_and_free(&table, r);
        assert_null(room_table_find(&table, ROOM_SPACE_ROOMS, SLICE_LITERAL("a")));
        assert_ptr_equal(table.head->table.tbl->buckets, buckets); /* which it did not have to make anew */
    }
    room_table_deinit(&table);
}

static void names_differ_by_every_byte_and_by_length(void **state)
{
    (void)state;
    static const char bytes[] = "a\0b\0";
    room_table table;
    assert_int_equal(room_table_init(&table, &test_key), 0);
    room *rooms[sizeof(bytes)];
    for (size_t len = 0; len < sizeof(bytes); len++)
        rooms[len] = add(&table, (slice){bytes, len});
    for (size_t len = 0; len < sizeof(bytes); len++)
        assert_ptr_equal(room_table_find(&table, ROOM_SPACE_ROOMS, (slice){bytes, len}), rooms[len]);
    assert_null(room_table_find(&table, ROOM_SPACE_ROOMS, SLICE_LITERAL("a\0c")));
    for (size_t len = 0; len < sizeof(bytes); len++)
        remove_and_free(&table, rooms[len]);
    room_table_deinit(&table);
}

static void one_name_in_two_spaces_is_two_rooms(void **state)
{
    (void)state;
    slice name = SLICE_LITERAL("a");
    room_table table;
    assert_int_equal(room_table_init(&table, &test_key), 0);
    room *session = add_to(&table, ROOM_SPACE_SESSIONS, name);
    assert_null(room_table_find(&table, ROOM_SPACE_ROOMS, name));
    room *r = add_to(&table, ROOM_SPACE_ROOMS, name);
    assert_ptr_equal(room_table_find(&table, ROOM_SPACE_ROOMS, name), r);
    assert_ptr_equal(room_table_find(&table, ROOM_SPACE_SESSIONS, name), session);
    remove_and_free(&table, session);
    assert_null(room_table_find(&table, ROOM_SPACE_SESSIONS, name));
    assert_ptr_equal(room_table_find(&table, ROOM_SPACE_ROOMS, name), r);
    remove_and_free(&table, r);
    room_table_deinit(&table);
}

static void a_large_table_keeps_every_room_while_it_grows_and_shrinks(void **state)
{
    (void)state;
    enum { ROOMS = 3000 };
    static room *rooms[ROOMS];
    char name[16];
    room_table table;
    assert_int_equal(room_table_init(&table, &test_key), 0);
    for (int i = 0; i < ROOMS; i++)
        rooms[i] = add(&table, numbered(name, i));
    for (int i = 0; i < ROOMS; i += 2)
        remove_and_free(&table, rooms[i]);
    for (int i = 0; i < ROOMS; i++)
        assert_ptr_equal(room_table_find(&table, ROOM_SPACE_ROOMS, numbered(name, i)),
                         i % 2 == 0 ? NULL : rooms[i]);

    int left = 0;
    room *r;
    while ((r = room_table_first(&table)) != NULL) {
        remove_and_free(&table, r);
        left++;
    }
    assert_int_equal(left, ROOMS / 2);
    room_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(a_room_is_found_until_it_is_removed),
        cmocka_unit_test(names_differ_by_every_byte_and_by_length),
        cmocka_unit_test(one_name_in_two_spaces_is_two_rooms),
        cmocka_unit_test(a_large_table_keeps_every_room_while_it_grows_and_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

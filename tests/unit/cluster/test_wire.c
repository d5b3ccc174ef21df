/* The messages between nodes as bytes: one encoding for each, and everything else is refused. */
#include "cluster/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const node_id anna = {{1, 2, 3}};
static const node_id boris = {{4, 5, 6}};
static const room_key red = {{7, 8, 9}};

/* One of this type, with something in every field that a type may have. */
static wire_message message_of(wire_type type)
{
    static const room_key keys[2] = {{{1}}, {{2}}};
    return (wire_message){.type = type,
                          .code = 1,
                          .space = 1,
                          .worker = 0x1234,
                          .order = 77,
                          .life = 0xFEDCBA98,
                          .from = anna,
                          .other = boris,
                          .key = red,
                          .epoch = 3,
                          .peer_epoch = 4,
                          .number = 0x0102030405060708,
                          .binding = 6,
                          .age_ms = 7,
                          .name = SLICE_LITERAL("node"),
                          .version = SLICE_LITERAL("1"),
                          .room = SLICE_LITERAL("red"),
                          .user = SLICE_LITERAL("anna"),
                          .extra = SLICE_LITERAL("more"),
                          .keys = {(const char *)keys, sizeof(keys)},
                          .payload = {"a\0b", 3}};
}

static int read_any(wire_type type, slice data, wire_message *m)
{
    return wire_is_packet(type) ? wire_read_packet(data, m) : wire_read_link(data, m);
}

/* Its bytes, in memory of just that size, so that the sanitizers see a byte read too many. */
static uint8_t *write_out(const wire_message *m, size_t *len)
{
    *len = wire_size(m);
    uint8_t *out = malloc(*len);
    assert_non_null(out);
    wire_write(m, out);
    return out;
}

static void each_type_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (wire_type type = WIRE_BEAT; type < WIRE_TYPES; type++) {
        const wire_message m = message_of(type);
        wire_message read;
        size_t len, again;
        uint8_t *out = write_out(&m, &len);
        assert_int_equal(read_any(type, (slice){(const char *)out, len}, &read), 0);
        assert_int_equal(read.type, type);
        uint8_t *second = write_out(&read, &again); /* all that was written, and nothing else */
        assert_int_equal(again, len);
        assert_memory_equal(second, out, len);
        free(out);
        free(second);
    }
}

static void what_is_cut_anywhere_or_goes_on_is_refused(void **state)
{
    (void)state;
    for (wire_type type = WIRE_BEAT; type < WIRE_TYPES; type++) {
        const wire_message m = message_of(type);
        wire_message read;
        size_t len;
        uint8_t *out = write_out(&m, &len);
        for (size_t cut = 0; cut < len; cut++) {
            uint8_t *part = malloc(cut + 1);
            assert_non_null(part);
            memcpy(part, out, cut);
            assert_int_equal(read_any(type, (slice){(const char *)part, cut}, &read), -EPROTO);
            free(part);
        }
        uint8_t *longer = calloc(1, len + 1);
        assert_non_null(longer);
        memcpy(longer, out, len);
        assert_int_equal(read_any(type, (slice){(const char *)longer, len + 1}, &read), -EPROTO);
        free(longer);
        free(out);
    }
}

/* Whatever is read can be written again, and is the same bytes. */
static void each_changed_bit_is_refused_or_means_something(void **state)
{
    (void)state;
    for (wire_type type = WIRE_BEAT; type < WIRE_TYPES; type++) {
        const wire_message m = message_of(type);
        size_t len, again;
        uint8_t *out = write_out(&m, &len);
        for (size_t bit = 0; bit < len * 8; bit++) {
            wire_message read;
            out[bit / 8] ^= (uint8_t)(1U << bit % 8);
            if (read_any(type, (slice){(const char *)out, len}, &read) == 0) {
                uint8_t *second = write_out(&read, &again);
                assert_int_equal(again, len);
                assert_memory_equal(second, out, len);
                free(second);
            }
            out[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        free(out);
    }
}

static void the_two_layers_are_not_confused(void **state)
{
    (void)state;
    for (wire_type type = WIRE_BEAT; type < WIRE_TYPES; type++) {
        const wire_message m = message_of(type);
        wire_message read;
        size_t len;
        uint8_t *out = write_out(&m, &len);
        const slice data = {(const char *)out, len};
        int wrong = wire_is_packet(type) ? wire_read_link(data, &read) : wire_read_packet(data, &read);
        assert_int_equal(wrong, -EPROTO);
        free(out);
    }
}

static int read_changed(const wire_message *m)
{
    wire_message read;
    size_t len;
    uint8_t *out = write_out(m, &len);
    int result = read_any(m->type, (slice){(const char *)out, len}, &read);
    free(out);
    return result;
}

static void another_format_and_nobody_are_refused(void **state)
{
    (void)state;
    wire_message m = message_of(WIRE_BYE);
    wire_message read;
    size_t len;
    uint8_t *out = write_out(&m, &len);
    out[0] = WIRE_VERSION + 1;
    assert_int_equal(wire_read_packet((slice){(const char *)out, len}, &read), -EPROTO);
    free(out);
    m.from = (node_id){{0}};
    assert_int_equal(read_changed(&m), -EPROTO);
}

static void numbers_have_their_bounds(void **state)
{
    (void)state;
    struct {
        wire_type type;
        uint8_t most;
    } const codes[] = {{WIRE_ANSWER, WIRE_VERDICTS - 1},    {WIRE_JOIN, WIRE_DIALECTS - 1},
                       {WIRE_SIGNAL, WIRE_KINDS - 1},       {WIRE_CLOSE, WIRE_ENDS - 1},
                       {WIRE_MERGE_SIGNAL, WIRE_KINDS - 1}, {WIRE_MERGE_REFUSED, WIRE_REFUSALS - 1}};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        wire_message m = message_of(codes[i].type);
        m.code = codes[i].most;
        assert_int_equal(read_changed(&m), 0);
        m.code++;
        assert_int_equal(read_changed(&m), -EPROTO);
    }
    wire_message m = message_of(WIRE_JOIN);
    m.space = WIRE_SPACES;
    assert_int_equal(read_changed(&m), -EPROTO);
    m = message_of(WIRE_MERGE_MEMBER);
    m.order = WIRE_ORDERS;
    assert_int_equal(read_changed(&m), 0);
    m.order++;
    assert_int_equal(read_changed(&m), -EPROTO);
    m = message_of(WIRE_HELLO);
    m.epoch = 0;
    assert_int_equal(read_changed(&m), -EPROTO);
}

static void flags_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    wire_message m = message_of(WIRE_BEAT);
    m.flags = WIRE_IS_DRAINING;
    assert_int_equal(read_changed(&m), 0);
    m.flags = WIRE_IS_UP;
    assert_int_equal(read_changed(&m), -EPROTO);
    m = message_of(WIRE_MERGE_MEMBER);
    m.flags = WIRE_IS_WAITING | WIRE_IS_LOST;
    assert_int_equal(read_changed(&m), 0);
    m.flags |= WIRE_IS_REJOIN;
    assert_int_equal(read_changed(&m), -EPROTO);
}

/* Write over the length of the only text of a message, which is at its end. */
static int read_with_length(wire_message *m, size_t text_len, uint16_t told)
{
    wire_message read;
    size_t len;
    uint8_t *out = write_out(m, &len);
    out[len - text_len - 2] = (uint8_t)(told >> 8);
    out[len - text_len - 1] = (uint8_t)told;
    int result = read_any(m->type, (slice){(const char *)out, len}, &read);
    free(out);
    return result;
}

static void texts_have_their_bounds(void **state)
{
    (void)state;
    static char long_text[WIRE_MAX_EXTRA];
    wire_message m = message_of(WIRE_JOINED);
    m.extra = (slice){long_text, WIRE_MAX_EXTRA};
    assert_int_equal(read_changed(&m), 0);
    assert_int_equal(read_with_length(&m, WIRE_MAX_EXTRA, WIRE_MAX_EXTRA + 1), -EPROTO);
    assert_int_equal(read_with_length(&m, WIRE_MAX_EXTRA, WIRE_MAX_EXTRA - 1), -EPROTO);
    m = message_of(WIRE_ANNOUNCE);
    assert_int_equal(read_with_length(&m, 32, 31), -EPROTO);
    m.keys = (slice){long_text, sizeof(room_key) + 1}; /* half a key more */
    assert_int_equal(read_changed(&m), -EPROTO);
    m.keys = (slice){long_text, WIRE_MAX_KEYS * sizeof(room_key)};
    assert_int_equal(read_changed(&m), 0);
    m.type = WIRE_OWNS;
    assert_int_equal(read_changed(&m), 0);
    assert_int_equal(wire_key_count(&m), WIRE_MAX_KEYS);
}

static void keys_of_rooms_depend_on_secret_space_and_codeword(void **state)
{
    (void)state;
    const uint8_t secret[CLUSTER_SECRET_BYTES] = {1};
    const uint8_t other[CLUSTER_SECRET_BYTES] = {2};
    const slice name = SLICE_LITERAL("red");
    const room_key key = room_key_of(secret, ROOM_SPACE_ROOMS, name);
    const room_key same = room_key_of(secret, ROOM_SPACE_ROOMS, name);
    const room_key differ[] = {room_key_of(other, ROOM_SPACE_ROOMS, name),
                               room_key_of(secret, ROOM_SPACE_SESSIONS, name),
                               room_key_of(secret, ROOM_SPACE_ROOMS, SLICE_LITERAL("rec"))};
    assert_true(room_key_equals(&key, &same));
    for (size_t i = 0; i < sizeof(differ) / sizeof(differ[0]); i++)
        assert_false(room_key_equals(&key, &differ[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_read_as_it_was_written),
        cmocka_unit_test(what_is_cut_anywhere_or_goes_on_is_refused),
        cmocka_unit_test(each_changed_bit_is_refused_or_means_something),
        cmocka_unit_test(the_two_layers_are_not_confused),
        cmocka_unit_test(another_format_and_nobody_are_refused),
        cmocka_unit_test(numbers_have_their_bounds),
        cmocka_unit_test(flags_that_mean_nothing_are_refused),
        cmocka_unit_test(texts_have_their_bounds),
        cmocka_unit_test(keys_of_rooms_depend_on_secret_space_and_codeword),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

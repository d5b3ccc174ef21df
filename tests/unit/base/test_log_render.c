/* From an event with its fields to a line of text or of JSON. */
#include "base/log_render.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define EXAMPLE_MS  UINT64_C(1795429220400) /* 2026-11-23T10:20:20.400Z */
#define TEXT_HEAD   "[2026-11-23T10:20:20.400Z] [INFO] [Test] happened"
#define BYTES_OF(t) ((slice){(t), sizeof(t) - 1})

static const keyed_hash key = {.key = "sixteen bytes ok"};

typedef struct rendered {
    char text[LOG_RENDER_MAX_LINE + 1];
    size_t len;
} rendered;

static rendered line; /* the line rendered last; too large for a stack frame of each test */

/* A line in a buffer on the heap, so that the sanitizers see a byte too many. */
static const char *render(log_renderer *renderer, const log_event_head *head, const log_field *fields,
                          size_t count)
{
    char *out = malloc(LOG_RENDER_MAX_LINE);
    assert_non_null(out);
    line.len = log_render_line(renderer, head, fields, count, out);
    assert_in_range(line.len, 1, LOG_RENDER_MAX_LINE);
    memcpy(line.text, out, line.len);
    line.text[line.len] = '\0';
    free(out);
    return line.text;
}

static log_event_head head_of(log_level level, uint64_t time_ms)
{
    return (log_event_head){.time_ms = time_ms, .namespace_ = "Test", .event = "happened", .level = level};
}

static const char *render_with(signal_log_format format, log_level level, uint64_t time_ms,
                               const log_field *fields, size_t count, const keyed_hash *tags)
{
    const log_manner manner = {.format = format, .tags = tags};
    const log_event_head head = head_of(level, time_ms);
    log_renderer renderer;
    log_render_init(&renderer, &manner);
    return render(&renderer, &head, fields, count);
}

static const char *text_of(log_field field)
{
    return render_with(SIGNAL_LOG_TEXT, LOG_INFO, EXAMPLE_MS, &field, 1, NULL);
}

/* The string member `k` of the JSON line, in a static buffer; the line must be one valid object. */
static const char *json_value_of(log_field field)
{
    static char value[4096];
    render_with(SIGNAL_LOG_JSON, LOG_INFO, EXAMPLE_MS, &field, 1, NULL);
    assert_ptr_equal(strchr(line.text, '\n'), line.text + line.len - 1);
    cJSON *object = cJSON_Parse(line.text);
    assert_non_null(object);
    const cJSON *member = cJSON_GetObjectItem(object, "k");
    assert_true(cJSON_IsString(member));
    snprintf(value, sizeof(value), "%s", member->valuestring);
    cJSON_Delete(object);
    return value;
}

static void a_line_without_fields_ends_with_the_event(void **state)
{
    (void)state;
    assert_string_equal(render_with(SIGNAL_LOG_TEXT, LOG_INFO, EXAMPLE_MS, NULL, 0, NULL), TEXT_HEAD "\n");
}

/* A line of a renderer that has this name of a node. */
static const char *render_of_node(signal_log_format format, slice name)
{
    const log_manner manner = {.format = format, .node = name, .thread_key = "worker", .thread_number = 3};
    const log_event_head head = head_of(LOG_INFO, EXAMPLE_MS);
    log_renderer renderer;
    log_render_init(&renderer, &manner);
    return render(&renderer, &head, NULL, 0);
}

static void a_node_of_a_cluster_is_named_in_each_line(void **state)
{
    (void)state;
    assert_string_equal(render_of_node(SIGNAL_LOG_TEXT, slice_of_text("a-1")),
                        TEXT_HEAD " node=\"a-1\" worker=3\n");
    assert_non_null(strstr(render_of_node(SIGNAL_LOG_JSON, slice_of_text("a\"\n")),
                           "\"event\":\"happened\",\"node\":\"a\\\"\\n\",\"worker\":3}"));
    assert_string_equal(render_of_node(SIGNAL_LOG_TEXT, slice_of_text("")), TEXT_HEAD " worker=3\n");
    assert_null(strstr(render_of_node(SIGNAL_LOG_JSON, slice_of_text("")), "node"));
    char longest[SIGNAL_LOG_NODE_MAX + 1];
    memset(longest, 1, sizeof(longest));
    const char *text = render_of_node(SIGNAL_LOG_JSON, (slice){longest, sizeof(longest)});
    const char *last = strstr(text, "\\u0001\",\"worker\"");
    assert_non_null(last);
    assert_int_equal(last - strstr(text, "\\u0001"), 6 * (SIGNAL_LOG_NODE_MAX - 1));
}

static void every_level_has_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {"[DEBUG]", "[INFO]", "[WARN]", "[ERROR]"};
    for (int level = LOG_DEBUG; level < LOG_OFF; level++)
        assert_non_null(
            strstr(render_with(SIGNAL_LOG_TEXT, (log_level)level, EXAMPLE_MS, NULL, 0, NULL), names[level]));
}

static void time_stamps_follow_each_other_across_seconds(void **state)
{
    (void)state;
    static const struct {
        uint64_t ms;
        const char *stamp;
    } cases[] = {
        {0, "[1970-01-01T00:00:00.000Z]"},
        {999, "[1970-01-01T00:00:00.999Z]"},
        {7, "[1970-01-01T00:00:00.007Z]"},
        {1000, "[1970-01-01T00:00:01.000Z]"},
        {UINT64_C(951782399999), "[2000-02-28T23:59:59.999Z]"},
        {UINT64_C(951782400000), "[2000-02-29T00:00:00.000Z]"},
        {999, "[1970-01-01T00:00:00.999Z]"},
    };
    const log_manner manner = {.format = SIGNAL_LOG_TEXT};
    log_renderer renderer;
    log_render_init(&renderer, &manner);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const log_event_head head = head_of(LOG_INFO, cases[i].ms);
        assert_memory_equal(render(&renderer, &head, NULL, 0), cases[i].stamp, strlen(cases[i].stamp));
    }
}

static void numbers_keep_every_digit(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 9, 10, 99, 100, UINT32_MAX, UINT64_MAX / 2, UINT64_MAX};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), TEXT_HEAD " k=%" PRIu64 "\n", numbers[i]);
        assert_string_equal(text_of(LOG_NUMBER("k", numbers[i])), expected);
    }
    const log_field field = LOG_NUMBER("k", UINT64_MAX);
    assert_non_null(strstr(render_with(SIGNAL_LOG_JSON, LOG_INFO, EXAMPLE_MS, &field, 1, NULL),
                           "\"k\":18446744073709551615}"));
}

static void literals_are_quoted_only_where_they_must_be(void **state)
{
    (void)state;
    assert_string_equal(text_of(LOG_LITERAL("k", "aZ09_.:/@#-")), TEXT_HEAD " k=aZ09_.:/@#-\n");
    assert_string_equal(text_of(LOG_LITERAL("k", "two words")), TEXT_HEAD " k=\"two words\"\n");
    assert_string_equal(text_of(LOG_LITERAL("k", "")), TEXT_HEAD " k=\"\"\n");
}

static void bytes_are_always_quoted(void **state)
{
    (void)state;
    assert_string_equal(text_of(LOG_BYTES("k", BYTES_OF(""))), TEXT_HEAD " k=\"\"\n");
    assert_string_equal(text_of(LOG_BYTES("k", ((slice){NULL, 0}))), TEXT_HEAD " k=\"\"\n");
    assert_string_equal(text_of(LOG_BYTES("k", BYTES_OF("a"))), TEXT_HEAD " k=\"a\"\n");
}

static void no_byte_can_forge_a_line_a_field_or_an_escape_sequence(void **state)
{
    (void)state;
    assert_string_equal(text_of(LOG_BYTES("k", BYTES_OF("a\n[2026] \r\t\"x=1\\"))),
                        TEXT_HEAD " k=\"a\\n[2026] \\r\\t\\\"x=1\\\\\"\n");
    assert_string_equal(text_of(LOG_BYTES("k", BYTES_OF("\0\x1b[2J\x7f"))),
                        TEXT_HEAD " k=\"\\x00\\x1b[2J\\x7f\"\n");
    /* CSI as one character, a line separator, and a turn of the direction of writing. */
    assert_string_equal(text_of(LOG_BYTES("k", BYTES_OF("\xC2\x9B\xE2\x80\xA8\xE2\x80\xAE"))),
                        TEXT_HEAD " k=\"\\u009b\\u2028\\u202e\"\n");
}

static void every_single_byte_is_shown_on_one_line_of_printable_characters(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const char data[] = {(char)byte};
        const char *text = text_of(LOG_BYTES("k", ((slice){data, 1})));
        for (size_t i = 0; i + 1 < line.len; i++)
            assert_in_range((unsigned char)text[i], 0x20, 0x7E);
        assert_int_equal(text[line.len - 1], '\n');
        json_value_of(LOG_BYTES("k", ((slice){data, 1})));
        for (size_t i = 0; i + 1 < line.len; i++)
            assert_true((unsigned char)line.text[i] >= 0x20 && line.text[i] != 0x7F);
    }
}

static void valid_utf8_stays_and_invalid_is_escaped_byte_by_byte(void **state)
{
    (void)state;
    assert_string_equal(text_of(LOG_BYTES("k", BYTES_OF("п€😀"))), TEXT_HEAD " k=\"п€😀\"\n");
    static const struct {
        const char *bytes;
        const char *shown;
    } cases[] = {
        {"\x80", "\\x80"},                            /* a continuation without a begin */
        {"\xC3", "\\xc3"},                            /* cut off */
        {"\xE2\x82", "\\xe2\\x82"},                   /* cut off */
        {"\xC0\xAF", "\\xc0\\xaf"},                   /* over-long */
        {"\xE0\x80\xAF", "\\xe0\\x80\\xaf"},          /* over-long */
        {"\xF0\x80\x80\xAF", "\\xf0\\x80\\x80\\xaf"}, /* over-long */
        {"\xED\xA0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* over U+10FFFF */
        {"\xC3(", "\\xc3("},
        {"\xFF", "\\xff"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), TEXT_HEAD " k=\"%s\"\n", cases[i].shown);
        assert_string_equal(text_of(LOG_BYTES("k", slice_of_text(cases[i].bytes))), expected);
        assert_memory_equal(json_value_of(LOG_BYTES("k", slice_of_text(cases[i].bytes))), "\xEF\xBF\xBD", 3);
    }
}

static void bytes_are_cut_at_their_bound_and_say_so(void **state)
{
    (void)state;
    char data[LOG_RENDER_MAX_BYTES + 1];
    memset(data, 'x', sizeof(data));
    assert_null(strstr(text_of(LOG_BYTES("k", ((slice){data, LOG_RENDER_MAX_BYTES}))), "…"));
    assert_int_equal(line.len, strlen(TEXT_HEAD " k=\"\"\n") + LOG_RENDER_MAX_BYTES);
    assert_non_null(strstr(text_of(LOG_BYTES("k", ((slice){data, sizeof(data)}))), "x…\"\n"));
    assert_int_equal(line.len, strlen(TEXT_HEAD " k=\"…\"\n") + LOG_RENDER_MAX_BYTES);
    assert_int_equal(strlen(json_value_of(LOG_BYTES("k", ((slice){data, sizeof(data)})))),
                     LOG_RENDER_MAX_BYTES + strlen("…"));
}

static void a_cut_never_splits_a_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"п", "€", "😀"};
    for (size_t c = 0; c < 3; c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char data[2 * LOG_RENDER_MAX_BYTES];
            size_t len = shift;
            memset(data, 'x', shift);
            for (; len < LOG_RENDER_MAX_BYTES + 8; len += strlen(characters[c]))
                memcpy(data + len, characters[c], strlen(characters[c]));
            const char *text = text_of(LOG_BYTES("k", ((slice){data, len})));
            assert_null(strstr(text, "\\x"));
            assert_non_null(strstr(text, "…\"\n"));
        }
    }
}

static void bytes_that_are_no_characters_are_cut_anywhere(void **state)
{
    (void)state;
    char data[LOG_RENDER_MAX_BYTES + 8];
    memset(data, 0x80, sizeof(data));
    text_of(LOG_BYTES("k", ((slice){data, sizeof(data)})));
    assert_int_equal(line.len, strlen(TEXT_HEAD " k=\"…\"\n") + 4 * LOG_RENDER_MAX_BYTES);
}

static void names_are_shown_as_tags_that_depend_on_the_key(void **state)
{
    (void)state;
    const log_field field = LOG_PRIVATE("room", BYTES_OF("kitchen"));
    char expected[128];
    snprintf(expected, sizeof(expected), TEXT_HEAD " room=#%08x\n",
             (unsigned)keyed_hash_of(&key, BYTES_OF("kitchen")));
    assert_string_equal(render_with(SIGNAL_LOG_TEXT, LOG_INFO, EXAMPLE_MS, &field, 1, &key), expected);
    assert_null(strstr(line.text, "kitchen"));
    render_with(SIGNAL_LOG_JSON, LOG_INFO, EXAMPLE_MS, &field, 1, &key);
    assert_null(strstr(line.text, "kitchen"));
    assert_non_null(strstr(line.text, "\"room\":\"#"));
}

static void an_empty_name_is_shown_as_empty(void **state)
{
    (void)state;
    const log_field fields[] = {LOG_PRIVATE("to", BYTES_OF(""))};
    assert_string_equal(render_with(SIGNAL_LOG_TEXT, LOG_INFO, EXAMPLE_MS, fields, 1, &key),
                        TEXT_HEAD " to=\"\"\n");
}

static void names_in_the_clear_are_cut_and_quoted_where_they_must_be(void **state)
{
    (void)state;
    assert_string_equal(text_of(LOG_PRIVATE("k", BYTES_OF("kitchen-1"))), TEXT_HEAD " k=kitchen-1\n");
    assert_string_equal(text_of(LOG_PRIVATE("k", BYTES_OF("my kitchen"))), TEXT_HEAD " k=\"my kitchen\"\n");
    assert_string_equal(text_of(LOG_PRIVATE("k", BYTES_OF("a\0b"))), TEXT_HEAD " k=\"a\\x00b\"\n");
    char data[LOG_RENDER_MAX_PRIVATE + 1];
    memset(data, 'x', sizeof(data));
    assert_null(strchr(text_of(LOG_PRIVATE("k", ((slice){data, LOG_RENDER_MAX_PRIVATE}))), '"'));
    assert_non_null(strstr(text_of(LOG_PRIVATE("k", ((slice){data, sizeof(data)}))), "x…\"\n"));
}

static void json_lines_hold_every_part_in_order(void **state)
{
    (void)state;
    const log_field fields[] = {
        LOG_LITERAL("kind", "offer"),
        LOG_NUMBER("bytes", 3012),
        LOG_BYTES("text", BYTES_OF("a\n\"b\"\\")),
        LOG_PRIVATE("user", BYTES_OF("Алиса")),
    };
    assert_string_equal(render_with(SIGNAL_LOG_JSON, LOG_WARN, EXAMPLE_MS, fields, 4, NULL),
                        "{\"time\":\"2026-11-23T10:20:20.400Z\",\"level\":\"WARN\",\"namespace\":\"Test\","
                        "\"event\":\"happened\",\"kind\":\"offer\",\"bytes\":3012,"
                        "\"text\":\"a\\n\\\"b\\\"\\\\\",\"user\":\"Алиса\"}\n");
}

static void json_strings_escape_what_json_can_and_replace_the_rest(void **state)
{
    (void)state;
    const log_field field = LOG_BYTES("k", BYTES_OF("\b\f\n\r\t\x01\x1f|\0|\x7f|\xC2\x9B|\xFF|/п"));
    assert_non_null(strstr(render_with(SIGNAL_LOG_JSON, LOG_INFO, EXAMPLE_MS, &field, 1, NULL),
                           "\"k\":\"\\b\\f\\n\\r\\t\\u0001\\u001f|\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD|"
                           "\xEF\xBF\xBD|/п\"}\n"));
}

static void json_strings_go_on_behind_a_nul_byte(void **state)
{
    (void)state;
    assert_string_equal(json_value_of(LOG_BYTES("k", BYTES_OF("a\0b"))), "a\xEF\xBF\xBD"
                                                                         "b");
}

static size_t worst_fields(log_field *fields, char *data, size_t len, char byte)
{
    memset(data, byte, len);
    for (size_t i = 0; i < LOG_MAX_FIELDS; i++)
        fields[i] = LOG_BYTES("a_rather_long_key", ((slice){data, len}));
    return LOG_MAX_FIELDS;
}

static void the_longest_line_has_room(void **state)
{
    (void)state;
    char data[1000];
    log_field fields[LOG_MAX_FIELDS];
    size_t count = worst_fields(fields, data, sizeof(data), '\x1b');
    for (int format = SIGNAL_LOG_TEXT; format <= SIGNAL_LOG_JSON; format++) {
        render_with((signal_log_format)format, LOG_INFO, EXAMPLE_MS, fields, count, NULL);
        assert_true(line.len > 12 * 4 * LOG_RENDER_MAX_BYTES);
        assert_int_equal(line.text[line.len - 1], '\n');
    }
}

static void literals_that_are_too_long_are_cut(void **state)
{
    (void)state;
    char text[LOG_RENDER_MAX_BYTES + 2];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_non_null(strstr(text_of(LOG_LITERAL("k", text)), "x…\"\n"));
    assert_int_equal(line.len, strlen(TEXT_HEAD " k=\"…\"\n") + LOG_RENDER_MAX_BYTES);
    text[LOG_RENDER_MAX_BYTES] = '\0';
    assert_null(strchr(text_of(LOG_LITERAL("k", text)), '"'));
    assert_int_equal(line.len, strlen(TEXT_HEAD " k=\n") + LOG_RENDER_MAX_BYTES);

    const log_event_head head = {
        .time_ms = EXAMPLE_MS, .namespace_ = text, .event = "lost", .level = LOG_INFO};
    for (int format = SIGNAL_LOG_TEXT; format <= SIGNAL_LOG_JSON; format++) {
        const log_manner manner = {.format = (signal_log_format)format};
        log_renderer renderer;
        log_render_init(&renderer, &manner);
        const char *end = format == SIGNAL_LOG_JSON ? "x\"}\n" : "x\n";
        assert_non_null(strstr(render(&renderer, &head, NULL, 0), end));
    }
}

static void keys_of_any_length_are_written_whole(void **state)
{
    (void)state;
    const log_field fields[] = {LOG_NUMBER("a", 1),
                                LOG_NUMBER("eleven_long", 2),
                                LOG_NUMBER("twelve_chars", 3),
                                LOG_NUMBER("thirteen_char", 4),
                                LOG_NUMBER("fourteen_chars", 5),
                                LOG_NUMBER("fifteen__chars_", 6),
                                LOG_NUMBER("a_key_that_is_longer_than_all_the_others", 7)};
    assert_string_equal(render_with(SIGNAL_LOG_TEXT, LOG_INFO, EXAMPLE_MS, fields, 7, NULL),
                        TEXT_HEAD " a=1 eleven_long=2 twelve_chars=3 thirteen_char=4 fourteen_chars=5"
                                  " fifteen__chars_=6 a_key_that_is_longer_than_all_the_others=7\n");
    assert_non_null(strstr(render_with(SIGNAL_LOG_JSON, LOG_INFO, EXAMPLE_MS, fields, 7, NULL),
                           "\"happened\",\"a\":1,\"eleven_long\":2,\"twelve_chars\":3,\"thirteen_char\":4,"
                           "\"fourteen_chars\":5,\"fifteen__chars_\":6,"
                           "\"a_key_that_is_longer_than_all_the_others\":7}\n"));
}

/* More events than a renderer keeps, and the same event of other namespaces and levels. */
static void a_renderer_never_mixes_up_events(void **state)
{
    (void)state;
    static const char events[40][3] = {"aa", "ab", "ac", "ad", "ae", "af",
                                       "ag", "ah", "ai", "aj", "ak", "al"};
    static const char *const namespaces[] = {"One", "Two"};
    static const char *const levels[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    const log_manner manner = {.format = SIGNAL_LOG_TEXT};
    log_renderer renderer;
    log_render_init(&renderer, &manner);
    for (size_t i = 0; i < 400; i++) {
        const log_event_head head = {.time_ms = EXAMPLE_MS,
                                     .namespace_ = namespaces[i % 2],
                                     .event = events[i / 8 % 12],
                                     .level = (log_level)(i / 2 % 4)};
        char expected[128];
        snprintf(expected, sizeof(expected), "[2026-11-23T10:20:20.400Z] [%s] [%s] %s\n", levels[head.level],
                 head.namespace_, head.event);
        assert_string_equal(render(&renderer, &head, NULL, 0), expected);
        assert_string_equal(render(&renderer, &head, NULL, 0), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_without_fields_ends_with_the_event),
        cmocka_unit_test(a_node_of_a_cluster_is_named_in_each_line),
        cmocka_unit_test(every_level_has_its_name),
        cmocka_unit_test(time_stamps_follow_each_other_across_seconds),
        cmocka_unit_test(numbers_keep_every_digit),
        cmocka_unit_test(literals_are_quoted_only_where_they_must_be),
        cmocka_unit_test(bytes_are_always_quoted),
        cmocka_unit_test(no_byte_can_forge_a_line_a_field_or_an_escape_sequence),
        cmocka_unit_test(every_single_byte_is_shown_on_one_line_of_printable_characters),
        cmocka_unit_test(valid_utf8_stays_and_invalid_is_escaped_byte_by_byte),
        cmocka_unit_test(bytes_are_cut_at_their_bound_and_say_so),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(bytes_that_are_no_characters_are_cut_anywhere),
        cmocka_unit_test(names_are_shown_as_tags_that_depend_on_the_key),
        cmocka_unit_test(an_empty_name_is_shown_as_empty),
        cmocka_unit_test(names_in_the_clear_are_cut_and_quoted_where_they_must_be),
        cmocka_unit_test(json_lines_hold_every_part_in_order),
        cmocka_unit_test(json_strings_escape_what_json_can_and_replace_the_rest),
        cmocka_unit_test(json_strings_go_on_behind_a_nul_byte),
        cmocka_unit_test(the_longest_line_has_room),
        cmocka_unit_test(literals_that_are_too_long_are_cut),
        cmocka_unit_test(keys_of_any_length_are_written_whole),
        cmocka_unit_test(a_renderer_never_mixes_up_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

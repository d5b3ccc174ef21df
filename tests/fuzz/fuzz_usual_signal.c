/* Signals in their usual form, and what is nearly so. Random bytes hardly ever come near that form, so here
 * the input says how to make a text: the names of the sender, the parts of a signal, and a few changes.
 *
 * What must hold: the scanner accepts just what the grammar of RFC 8259 allows, read here byte by byte, and
 * finds the same members. What message_read_usual() reads, message_decode() reads as well, with the room of
 * the sender or none. What may be passed on as it came is, byte for byte, what the server would write, so no
 * other `from` and no other member can be in it. And a signal without changes is read as usual.
 *
 * Input: bytes that are taken one after the other, as make_text() says. */
#include "fuzz.h"
#include "json_reference.h"

#include "dialect_1/message_1.h"

enum { MAX_TEXT = 4096, MAX_CHANGES = 4, MAX_NAME_BYTES = 512 };

/* ---- The grammar, byte by byte ---- */

/* Each takes what it is named after from the front of the text. False if that is not there. */
static bool take_byte(slice *text, const char *one_of)
{
    if (text->len == 0 || text->data[0] == '\0' || strchr(one_of, text->data[0]) == NULL)
        return false;
    *text = (slice){text->data + 1, text->len - 1};
    return true;
}

static void take_blanks(slice *text)
{
    while (take_byte(text, " \t\r\n"))
        continue;
}

static bool take_digits(slice *text)
{
    bool has_any = false;
    while (take_byte(text, "0123456789"))
        has_any = true;
    return has_any;
}

static bool take_number(slice *text)
{
    (void)take_byte(text, "-");
    if (!take_byte(text, "0") && !take_digits(text))
        return false;
    if (take_byte(text, ".") && !take_digits(text))
        return false;
    if (!take_byte(text, "eE"))
        return true;
    (void)take_byte(text, "+-");
    return take_digits(text);
}

static bool take_escape(slice *text)
{
    if (!take_byte(text, "u"))
        return take_byte(text, "\"\\/bfnrt");
    for (int i = 0; i < 4; i++) {
        if (!take_byte(text, "0123456789abcdefABCDEF"))
            return false;
    }
    return true;
}

static bool take_string(slice *text)
{
    if (!take_byte(text, "\""))
        return false;
    while (text->len > 0 && (unsigned char)text->data[0] >= 0x20) {
        if (take_byte(text, "\""))
            return true;
        if (take_byte(text, "\\")) {
            if (!take_escape(text))
                return false;
        } else {
            *text = (slice){text->data + 1, text->len - 1};
        }
    }
    return false;
}

static bool take_word(slice *text, slice word)
{
    if (text->len < word.len || memcmp(text->data, word.data, word.len) != 0)
        return false;
    *text = (slice){text->data + word.len, text->len - word.len};
    return true;
}

static bool take_value(slice *text, unsigned level);

/* The rest of a container, from behind its bracket on. */
static bool take_rest(slice *text, const char *closing, unsigned level)
{
    take_blanks(text);
    if (take_byte(text, closing))
        return true;
    do {
        take_blanks(text);
        if (closing[0] == '}') {
            if (!take_string(text))
                return false;
            take_blanks(text);
            if (!take_byte(text, ":"))
                return false;
            take_blanks(text);
        }
        if (!take_value(text, level))
            return false;
        take_blanks(text);
    } while (take_byte(text, ","));
    return take_byte(text, closing);
}

/* A value whose containers have this many others around them. */
static bool take_value(slice *text, unsigned level)
{
    if (take_byte(text, "{"))
        return level < JSON_MAX_DEPTH && take_rest(text, "}", level + 1);
    if (take_byte(text, "["))
        return level < JSON_MAX_DEPTH && take_rest(text, "]", level + 1);
    if (text->len > 0 && text->data[0] == '"')
        return take_string(text);
    return take_word(text, SLICE_LITERAL("null")) || take_word(text, SLICE_LITERAL("true")) ||
           take_word(text, SLICE_LITERAL("false")) || take_number(text);
}

static bool is_object(slice text)
{
    take_blanks(&text);
    if (text.len == 0 || text.data[0] != '{' || !take_value(&text, 0))
        return false;
    take_blanks(&text);
    return text.len == 0;
}

/* The scanner finds the members that are there: each begins where the last one ends. */
static void check_scan(slice text)
{
    bool is_good = is_object(text);
    json_scan scan = {.rest = text};
    json_member member;
    slice rest = text;
    take_blanks(&rest);
    (void)take_byte(&rest, "{");
    int result;
    while ((result = json_scan_next(&scan, &member)) > 0) {
        take_blanks(&rest);
        (void)take_byte(&rest, ",");
        take_blanks(&rest);
        REQUIRE(member.key.data == rest.data + 1);
        REQUIRE(take_string(&rest) && rest.data == member.key.data + member.key.len + 1);
        take_blanks(&rest);
        REQUIRE(take_byte(&rest, ":"));
        take_blanks(&rest);
        REQUIRE(member.value.data == rest.data);
        REQUIRE(take_value(&rest, 1) && rest.data == member.value.data + member.value.len);
    }
    REQUIRE(is_good == (result == 0));
}

/* ---- Texts ---- */

static const char *const names[] = {
    "a",
    "blue fox",
    "say \"hi\"",
    "back\\slash",
    "\x01",
    u8"\u00fc\u20ac",
    u8"\U0001f98a",
    "\x7f/",
    "a name of more than sixteen bytes, and even of more than sixty-four of them",
};
static const char *const types[] = {"offer", "answer", "candidate"};
static const char *const payloads[] = {
    "\"v=0\\r\\no=- 46117317 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\na=group:BUNDLE 0 1\\r\\n\"",
    ("{\"candidate\":\"candidate:842163049 1 udp 1677729535 192.0.2.57 56143 typ srflx\",\"sdpMid\":\"0\","
     "\"sdpMLineIndex\":0,\"usernameFragment\":\"hX8S\"}"),
    "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\",\"from\":\"eve\"}",
    "{\"a\":[{\"b\":{}},[],-0,0.5e+3,1e999,true,false,null],\"\":\"\\u0000\\ud800\\\"\"}",
    "{}",
    "\"\\\\\"",
    "null",
    "\"\"",
};

/* What may change a text: each is put where the input says. */
static const char *const insertions[] = {
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\t",
    "0",
    "-",
    "e",
    "\\\"",
    "\\u0022",
    "\\u0000",
    "\\ud83d",
    "\\r\\n",
    "\x01",
    "\x7f",
    "\xef\xbb\xbf",
    u8"\u00a0",
    ",\"from\":\"eve\"",
    "\"from\":\"eve\",",
    ",\"fr\\u006fm\":\"eve\"",
    ",\"room\":\"other\"",
    ",\"to\":\"bob\"",
    ",\"sdp\":\"x\"",
    ",\"candidate\":null",
    ",\"type\":\"join\"",
    ",\"user\":\"eve\"",
    "\\u0074",
    "01",
    "nul",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

#define PICK(in, list) (list)[fuzz_take_byte(in) % (sizeof(list) / sizeof((list)[0]))]

typedef struct text {
    size_t len;
    char bytes[MAX_TEXT];
} text;

/* Put it at this place. What does not fit is left out. */
static void insert(text *t, size_t at, slice what)
{
    if (what.len > MAX_TEXT - t->len)
        return;
    memmove(t->bytes + at + what.len, t->bytes + at, t->len - at);
    memcpy(t->bytes + at, what.data, what.len);
    t->len += what.len;
}

static void append(text *t, const char *what)
{
    insert(t, t->len, slice_of_text(what));
}

static size_t take_place(fuzz_input *in, size_t below)
{
    size_t high = fuzz_take_byte(in);
    return (high << 8 | fuzz_take_byte(in)) % below;
}

static void change(text *t, fuzz_input *in)
{
    uint8_t how = fuzz_take_byte(in) % 5;
    size_t at = take_place(in, t->len + 1);
    size_t len = fuzz_take_byte(in);
    if (len > t->len - at)
        len = t->len - at;
    char again[UINT8_MAX];
    if (how <= 1) {
        insert(t, at, slice_of_text(PICK(in, insertions)));
    } else if (how == 2) { /* take something out */
        memmove(t->bytes + at, t->bytes + at + len, t->len - at - len);
        t->len -= len;
    } else if (how == 3) { /* say something once more, elsewhere */
        memcpy(again, t->bytes + at, len);
        insert(t, take_place(in, t->len + 1), (slice){again, len});
    } else if (at < t->len) {
        t->bytes[at] = (char)fuzz_take_byte(in);
    }
}

/* The sender, whose names are in JSON, with their quotes. Owned. */
typedef struct sender {
    slice room;
    char *room_json, *user_json;
    size_t room_json_len, user_json_len;
} sender;

/* Returns whether it is usual for sure. */
static bool make_text(text *t, const sender *s, fuzz_input *in)
{
    uint8_t has = fuzz_take_byte(in);
    const char *type = PICK(in, types);
    const char *payload = PICK(in, payloads);
    append(t, "{\"type\":\"");
    append(t, type);
    append(t, "\"");
    if ((has & 1) == 0) {
        append(t, ",\"room\":");
        insert(t, t->len, (slice){s->room_json, s->room_json_len});
    }
    if ((has & 2) == 0) {
        append(t, ",\"from\":");
        insert(t, t->len, (slice){s->user_json, s->user_json_len});
    }
    bool is_candidate = type[0] == 'c';
    append(t, is_candidate ? ",\"candidate\":" : ",\"sdp\":");
    append(t, payload);
    append(t, "}");
    int changes = 0;
    for (; in->left > 0 && changes < MAX_CHANGES; changes++)
        change(t, in);
    return changes == 0 && (is_candidate || (payload[0] != 'n' && strcmp(payload, "\"\"") != 0));
}

/* ---- The two readers ---- */

static void check_as_passed_on(slice text, const sender *s, const usual_signal *usual)
{
    struct iovec parts[MESSAGE_SIGNAL_PARTS];
    message_encode_signal(parts, usual->type, (slice){s->room_json, s->room_json_len},
                          (slice){s->user_json, s->user_json_len}, usual->payload);
    for (int i = 0; i < MESSAGE_SIGNAL_PARTS; i++)
        REQUIRE(take_word(&text, (slice){parts[i].iov_base, parts[i].iov_len}));
    REQUIRE(text.len == 0);
}

static void check_readers(slice text, const sender *s, bool is_usual_for_sure)
{
    message decoded;
    usual_signal usual;
    int status = message_decode(text, MAX_NAME_BYTES, &decoded);
    REQUIRE(status == 0 || status == -EINVAL);
    bool is_usual = message_read_usual(text, (slice){s->room_json, s->room_json_len},
                                       (slice){s->user_json, s->user_json_len}, &usual);
    REQUIRE(is_usual || !is_usual_for_sure);
    if (!is_usual)
        return;
    REQUIRE(status == 0 && decoded.type == usual.type);
    REQUIRE(decoded.room.len == 0 || slice_equals(decoded.room, s->room));
    REQUIRE(decoded.payload.data == usual.payload.data && decoded.payload.len == usual.payload.len);
    if (usual.is_as_passed_on)
        check_as_passed_on(text, s, &usual);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    sender s = {.room = slice_of_text(PICK(&in, names))};
    s.room_json = json_text_encode(s.room, &s.room_json_len);
    s.user_json = json_text_encode(slice_of_text(PICK(&in, names)), &s.user_json_len);
    REQUIRE(s.room_json != NULL && s.user_json != NULL);

    static text t;
    t.len = 0;
    bool is_usual_for_sure = make_text(&t, &s, &in);
    char *exact = malloc(t.len > 0 ? t.len : 1);
    REQUIRE(exact != NULL);
    memcpy(exact, t.bytes, t.len);
    if (reference_is_utf8((slice){exact, t.len})) {
        check_scan((slice){exact, t.len});
        check_readers((slice){exact, t.len}, &s, is_usual_for_sure);
    }
    free(exact);
    free(s.room_json);
    free(s.user_json);
    return 0;
}

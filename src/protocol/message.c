/* One scan collects the members that the protocol knows. Then the type picks a row of the table below, which
 * says which members count, which must be there, and what they may hold. What the row does not name is
 * ignored like an unknown field, so an odd `sdp` in a join harms nobody.
 *
 * A type or name without escapes is used where it lies, without heap and without cJSON. Browsers write nearly
 * all of them so. */
#include "protocol/message.h"

#include "base/ascii.h"
#include "base/wipe.h"
#include "protocol/json_scan.h"
#include "protocol/json_text.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* A slice over a literal, for static tables: SLICE_LITERAL, a compound literal, is no constant. */
#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

#define BIT(n) (1u << (n))

typedef enum field_id {
    FIELD_TYPE,
    FIELD_ROOM,
    FIELD_USER,
    FIELD_SDP,
    FIELD_CANDIDATE,
    FIELD_MESSAGE,
    FIELD_COUNT, /* also: no such field */
} field_id;

static const slice field_names[FIELD_COUNT] = {
    [FIELD_TYPE] = TEXT("type"), [FIELD_ROOM] = TEXT("room"),           [FIELD_USER] = TEXT("user"),
    [FIELD_SDP] = TEXT("sdp"),   [FIELD_CANDIDATE] = TEXT("candidate"), [FIELD_MESSAGE] = TEXT("message"),
};

/* The longest name of a field or a type. */
enum { LONGEST_WORD = sizeof("candidate") - 1 };

typedef struct message_row {
    slice name;
    unsigned names;            /* BIT(field_id): the names that count */
    unsigned required_names;   /* BIT(field_id): those of them that must be there */
    field_id payload;          /* which must be there; FIELD_COUNT = the type has none */
    unsigned payload_types;    /* BIT(json_type): what the payload may be */
    bool payload_may_be_empty; /* as a string */
    slice signal_head;         /* of a signal as it goes to the peer, up to the room */
    slice signal_payload_key;  /* between the user and the payload */
} message_row;

/* PROTOCOL.md, "Client to server" and "Server to client". `from` is no field here: whatever it holds is
 * ignored (rule 2), as are the fields that nobody knows. */
static const message_row rows[] = {
    [MESSAGE_JOIN] = {.name = TEXT("join"),
                      .names = BIT(FIELD_ROOM) | BIT(FIELD_USER),
                      .required_names = BIT(FIELD_ROOM) | BIT(FIELD_USER),
                      .payload = FIELD_COUNT},
    [MESSAGE_LEAVE] = {.name = TEXT("leave"),
                       .names = BIT(FIELD_ROOM) | BIT(FIELD_USER),
                       .payload = FIELD_COUNT},
    [MESSAGE_OFFER] = {.name = TEXT("offer"),
                       .names = BIT(FIELD_ROOM),
                       .payload = FIELD_SDP,
                       .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT),
                       .signal_head = TEXT("{\"type\":\"offer\",\"room\":"),
                       .signal_payload_key = TEXT(",\"sdp\":")},
    [MESSAGE_ANSWER] = {.name = TEXT("answer"),
                        .names = BIT(FIELD_ROOM),
                        .payload = FIELD_SDP,
                        .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT),
                        .signal_head = TEXT("{\"type\":\"answer\",\"room\":"),
                        .signal_payload_key = TEXT(",\"sdp\":")},
    [MESSAGE_CANDIDATE] = {.name = TEXT("candidate"),
                           .names = BIT(FIELD_ROOM),
                           .payload = FIELD_CANDIDATE,
                           .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT) | BIT(JSON_NULL),
                           .payload_may_be_empty = true, /* the end of candidates */
                           .signal_head = TEXT("{\"type\":\"candidate\",\"room\":"),
                           .signal_payload_key = TEXT(",\"candidate\":")},
    [MESSAGE_ERROR] = {.name = TEXT("error"), .payload = FIELD_MESSAGE, .payload_types = BIT(JSON_STRING)},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* What the scan found. */
typedef struct fields {
    json_member last[FIELD_COUNT]; /* of duplicates the last counts, as in JavaScript's JSON.parse */
    unsigned given;                /* BIT(field_id): last[field_id] is set */
} fields;

static unsigned hex_value(char digit)
{
    return ascii_is_digit(digit) ? (unsigned)(digit - '0') : (unsigned)(ascii_lower(digit) - 'a') + 10;
}

/* The character of an escape: \uXXXX for a letter, as our words have them. 0 for all other escapes. */
static char letter_of_escape(const char *escape)
{
    if (escape[1] != 'u')
        return '\0';
    unsigned unit = 0;
    for (int i = 2; i < 6; i++)
        unit = unit << 4 | hex_value(escape[i]);
    return unit < 0x80 ? (char)unit : '\0';
}

/* Read the name of a field or a type. `raw` is a valid string without its quotes. `decoded` takes a word that
 * had escapes. A word that can't be one of ours comes out empty. This needs neither heap nor cJSON, because a
 * message may have twenty thousand names with escapes. */
static slice read_word(slice raw, bool has_escapes, char decoded[LONGEST_WORD])
{
    const slice none = {decoded, 0};
    if (!has_escapes)
        return raw;
    size_t len = 0;
    for (size_t at = 0; at < raw.len; len++) {
        bool is_escape = raw.data[at] == '\\';
        char letter = is_escape ? letter_of_escape(raw.data + at) : raw.data[at];
        if (letter == '\0' || len == LONGEST_WORD)
            return none;
        decoded[len] = letter;
        at += is_escape ? 6 : 1;
    }
    return (slice){decoded, len};
}

static field_id find_field(slice name)
{
    unsigned id = 0;
    while (id < FIELD_COUNT && !slice_equals(field_names[id], name))
        id++;
    return (field_id)id;
}

/* Keep the member if it is one of ours. */
static void keep_member(fields *found, const json_member *member)
{
    char decoded[LONGEST_WORD];
    field_id id = find_field(read_word(member->key, member->key_has_escapes, decoded));
    if (id == FIELD_COUNT)
        return;
    found->last[id] = *member;
    found->given |= BIT(id);
}

/* Find our members in the whole text. 0, or -EINVAL if it is not a JSON object. */
static int find_fields(slice text, fields *found)
{
    found->given = 0;
    json_scan scan = {.rest = text};
    json_member member;
    int result;
    while ((result = json_scan_next(&scan, &member)) > 0)
        keep_member(found, &member);
    return result;
}

/* A string's raw text without its quotes. */
static slice unquote(slice value)
{
    return (slice){value.data + 1, value.len - 2};
}

static int read_type(const fields *found, message_type *type)
{
    const json_member *member = &found->last[FIELD_TYPE];
    if ((found->given & BIT(FIELD_TYPE)) == 0 || member->type != JSON_STRING)
        return -EINVAL;

    char decoded[LONGEST_WORD];
    slice name = read_word(unquote(member->value), member->value_has_escapes, decoded);
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        if (slice_equals(rows[i].name, name)) {
            *type = (message_type)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* What String.prototype.trim takes away: WhiteSpace and LineTerminator of ECMAScript. */
static bool is_blank(uint32_t character)
{
    switch (character) {
    case 0x09: /* TAB, LF, VT, FF, CR */
    case 0x0A:
    case 0x0B:
    case 0x0C:
    case 0x0D:
    case 0x20:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
    case 0xFEFF:
        return true;
    default:
        return character >= 0x2000 && character <= 0x200A;
    }
}

/* How many bytes the blank at the start of [at, at + len) has; 0 if there is none. */
static inline size_t measure_blank(const char *at, size_t len)
{
    const unsigned char *b = (const unsigned char *)at;
    if (len >= 1 && b[0] < 0x80)
        return is_blank(b[0]) ? 1 : 0;
    if (len >= 2 && b[0] >> 5 == 0x6)
        return is_blank((b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu)) ? 2 : 0;
    if (len >= 3 && b[0] >> 4 == 0xE)
        return is_blank((b[0] & 0xFu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu)) ? 3 : 0;
    return 0; /* no blank needs four bytes */
}

/* PROTOCOL.md, "Client to server": room and user are trimmed as JavaScript does. */
static slice trim(slice text)
{
    size_t blank;
    while ((blank = measure_blank(text.data, text.len)) > 0) {
        text.data += blank;
        text.len -= blank;
    }
    while (text.len > 0) {
        size_t last = text.len - 1;
        while (last > 0 && (text.data[last] & 0xC0) == 0x80)
            last--;
        if (measure_blank(text.data + last, text.len - last) != text.len - last)
            break;
        text.len = last;
    }
    return text;
}

/* Decode a name with escapes and trim it, into `storage`. With its escapes and blanks it may be longer than a
 * name may be, for only what remains counts. The size of a message bounds it. 0, -EINVAL or -ENOMEM. */
static int decode_name(slice raw, char storage[MESSAGE_MAX_NAME_BYTES], slice *name)
{
    char *decoded = raw.len <= MESSAGE_MAX_NAME_BYTES ? storage : malloc(raw.len);
    if (decoded == NULL)
        return -ENOMEM;

    int status = 0;
    long len = json_text_decode(raw, decoded, raw.len); /* no escape is shorter than its character */
    slice trimmed = len > 0 ? trim((slice){decoded, (size_t)len}) : (slice){decoded, 0};
    if (len < 0) {
        status = len == -ENOMEM ? -ENOMEM : -EINVAL;
    } else if (trimmed.len > MESSAGE_MAX_NAME_BYTES) {
        status = -EINVAL;
    } else {
        memmove(storage, trimmed.data, trimmed.len);
        *name = (slice){storage, trimmed.len};
    }
    if (decoded != storage)
        wipe_and_free(decoded, raw.len);
    return status;
}

/* Read a name, if the type takes it and it is given. Null is as if it were absent. 0, -EINVAL or -ENOMEM. */
static int read_name(const fields *found, const message_row *row, field_id id, size_t max_bytes,
                     char storage[MESSAGE_MAX_NAME_BYTES], slice *name)
{
    const json_member *member = &found->last[id];
    if ((row->names & found->given & BIT(id)) == 0 || member->type == JSON_NULL)
        return (row->required_names & BIT(id)) != 0 ? -EINVAL : 0;
    if (member->type != JSON_STRING)
        return -EINVAL;

    slice raw = unquote(member->value);
    if (!member->value_has_escapes) {
        *name = trim(raw);
    } else {
        int status = decode_name(raw, storage, name);
        if (status != 0)
            return status;
    }
    /* PROTOCOL.md, "Client to server": not empty, and bounded. */
    return name->len > 0 && name->len <= max_bytes ? 0 : -EINVAL;
}

static int read_names(const fields *found, const message_row *row, size_t max_bytes, message *out)
{
    int status = read_name(found, row, FIELD_ROOM, max_bytes, out->storage[0], &out->room);
    if (status == 0)
        status = read_name(found, row, FIELD_USER, max_bytes, out->storage[1], &out->user);
    return status;
}

static int read_payload(const fields *found, const message_row *row, slice *payload)
{
    if (row->payload == FIELD_COUNT)
        return 0;
    const json_member *member = &found->last[row->payload];
    if ((found->given & BIT(row->payload)) == 0 || (row->payload_types & BIT(member->type)) == 0)
        return -EINVAL;
    if (member->type == JSON_STRING && unquote(member->value).len == 0 && !row->payload_may_be_empty)
        return -EINVAL;
    *payload = member->value;
    return 0;
}

int message_decode(slice text, size_t max_name_bytes, message *out)
{
    assert(max_name_bytes <= MESSAGE_MAX_NAME_BYTES);

    fields found;
    int status = find_fields(text, &found);
    if (status == 0)
        status = read_type(&found, &out->type);
    if (status != 0)
        return status;

    out->room = out->user = out->payload = out->text = (slice){NULL, 0};
    const message_row *row = &rows[out->type];
    status = read_names(&found, row, max_name_bytes, out);
    if (status != 0)
        return status;
    return read_payload(&found, row, out->type == MESSAGE_ERROR ? &out->text : &out->payload);
}

const char *message_type_name(message_type type)
{
    return rows[type].name.data;
}

/* Sending only reads, but its struct is shared with receiving and so not const. */
static struct iovec borrow(slice bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.len};
}

void message_encode_signal(struct iovec parts[MESSAGE_SIGNAL_PARTS], message_type type, slice room_json,
                           slice user_json, slice payload)
{
    const message_row *row = &rows[type];
    assert(row->signal_head.len > 0);

    parts[0] = borrow(row->signal_head);
    parts[1] = borrow(room_json);
    parts[2] = borrow(SLICE_LITERAL(",\"from\":"));
    parts[3] = borrow(user_json);
    parts[4] = borrow(row->signal_payload_key);
    parts[5] = borrow(payload);
    parts[6] = borrow(SLICE_LITERAL("}"));
    static_assert(MESSAGE_SIGNAL_PARTS == 7, "every part is laid out");
}

/* One pass collects the members that the protocol knows. Then the type picks a row of the table below, which
 * says which members count, which must be there, and what they may hold. What the row does not name is
 * ignored like an unknown field, so an odd `sdp` in a join harms nobody. */
#include "dialect_1/message_1.h"

#include "protocol/json_scan.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

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
    [FIELD_TYPE] = FIELDS_TEXT("type"),           [FIELD_ROOM] = FIELDS_TEXT("room"),
    [FIELD_USER] = FIELDS_TEXT("user"),           [FIELD_SDP] = FIELDS_TEXT("sdp"),
    [FIELD_CANDIDATE] = FIELDS_TEXT("candidate"), [FIELD_MESSAGE] = FIELDS_TEXT("message"),
};

/* The name of each type, by message_type. */
static const slice type_names[] = {
    [MESSAGE_JOIN] = FIELDS_TEXT("join"),           [MESSAGE_LEAVE] = FIELDS_TEXT("leave"),
    [MESSAGE_OFFER] = FIELDS_TEXT("offer"),         [MESSAGE_ANSWER] = FIELDS_TEXT("answer"),
    [MESSAGE_CANDIDATE] = FIELDS_TEXT("candidate"), [MESSAGE_ERROR] = FIELDS_TEXT("error"),
};

enum { TYPE_COUNT = sizeof(type_names) / sizeof(type_names[0]) };

typedef struct message_row {
    unsigned names;            /* BIT(field_id): the names that count */
    unsigned required_names;   /* BIT(field_id): those of them that must be there */
    field_id payload;          /* which must be there; FIELD_COUNT = the type has none */
    unsigned payload_types;    /* BIT(json_type): what the payload may be */
    bool payload_may_be_empty; /* as a string */
    slice signal_head;         /* of a signal as it goes to the peer, up to the room */
    slice signal_payload_key;  /* between the user and the payload */
} message_row;

/* protocol/README.md, "Version 1". `from` is no field here: whatever it holds is
 * ignored (rule 2), as are the fields that nobody knows. */
static const message_row rows[] = {
    [MESSAGE_JOIN] = {.names = BIT(FIELD_ROOM) | BIT(FIELD_USER),
                      .required_names = BIT(FIELD_ROOM) | BIT(FIELD_USER),
                      .payload = FIELD_COUNT},
    [MESSAGE_LEAVE] = {.names = BIT(FIELD_ROOM) | BIT(FIELD_USER), .payload = FIELD_COUNT},
    [MESSAGE_OFFER] = {.names = BIT(FIELD_ROOM),
                       .payload = FIELD_SDP,
                       .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT),
                       .signal_head = FIELDS_TEXT("{\"type\":\"offer\",\"room\":"),
                       .signal_payload_key = FIELDS_TEXT(",\"sdp\":")},
    [MESSAGE_ANSWER] = {.names = BIT(FIELD_ROOM),
                        .payload = FIELD_SDP,
                        .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT),
                        .signal_head = FIELDS_TEXT("{\"type\":\"answer\",\"room\":"),
                        .signal_payload_key = FIELDS_TEXT(",\"sdp\":")},
    [MESSAGE_CANDIDATE] = {.names = BIT(FIELD_ROOM),
                           .payload = FIELD_CANDIDATE,
                           .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT) | BIT(JSON_NULL),
                           .payload_may_be_empty = true, /* the end of candidates */
                           .signal_head = FIELDS_TEXT("{\"type\":\"candidate\",\"room\":"),
                           .signal_payload_key = FIELDS_TEXT(",\"candidate\":")},
    [MESSAGE_ERROR] = {.payload = FIELD_MESSAGE, .payload_types = BIT(JSON_STRING)},
};

static_assert(sizeof(rows) / sizeof(rows[0]) == TYPE_COUNT, "each type has its row");

/* Read a name, if the type takes it and it is given. 0, -EINVAL or -ENOMEM. */
static int read_name(const found_fields *found, const message_row *row, field_id id, size_t max_bytes,
                     char storage[MESSAGE_MAX_NAME_BYTES], slice *name)
{
    int status =
        (row->names & BIT(id)) != 0 ? fields_read_name(found, id, max_bytes, storage, name) : -ENOENT;
    if (status == -ENOENT)
        return (row->required_names & BIT(id)) != 0 ? -EINVAL : 0;
    if (status == -ENOMEM)
        return status;
    /* protocol/README.md, "Version 1": not empty, and bounded. */
    return status == 0 && name->len > 0 ? 0 : -EINVAL;
}

static int read_names(const found_fields *found, const message_row *row, size_t max_bytes, message *out)
{
    int status = read_name(found, row, FIELD_ROOM, max_bytes, out->storage[0], &out->room);
    if (status == 0)
        status = read_name(found, row, FIELD_USER, max_bytes, out->storage[1], &out->user);
    return status;
}

static bool takes_payload(const message_row *row, json_type type, slice value)
{
    if ((row->payload_types & BIT(type)) == 0)
        return false;
    return type != JSON_STRING || fields_unquote(value).len > 0 || row->payload_may_be_empty;
}

static int read_payload(const found_fields *found, const message_row *row, slice *payload)
{
    if (row->payload == FIELD_COUNT)
        return 0;
    const json_member *member = fields_get(found, row->payload);
    if (member == NULL || !takes_payload(row, member->type, member->value))
        return -EINVAL;
    *payload = member->value;
    return 0;
}

int message_decode(slice text, size_t max_name_bytes, message *out)
{
    assert(max_name_bytes <= MESSAGE_MAX_NAME_BYTES);

    found_fields found;
    if (fields_find(&found, text, field_names, FIELD_COUNT) != 0)
        return -EINVAL;
    int type = fields_read_word(&found, FIELD_TYPE, type_names, TYPE_COUNT);
    if (type < 0)
        return -EINVAL;

    out->type = (message_type)type;
    out->room = out->user = out->payload = out->text = (slice){NULL, 0};
    const message_row *row = &rows[type];
    int status = read_names(&found, row, max_name_bytes, out);
    if (status != 0)
        return status;
    return read_payload(&found, row, out->type == MESSAGE_ERROR ? &out->text : &out->payload);
}

/* ---- The usual form ---- */

/* Step over this text, or over nothing where it does not stand at *at. */
static inline __attribute__((always_inline)) bool skip_text(const char **at, const char *end, slice text)
{
    if ((size_t)(end - *at) < text.len || memcmp(*at, text.data, text.len) != 0)
        return false;
    *at += text.len;
    return true;
}

/* skip_text() for a member, of which `head` is all before the value. */
static inline __attribute__((always_inline)) bool skip_member(const char **at, const char *end, slice head,
                                                              slice value)
{
    const char *start = *at;
    if (!skip_text(at, end, head))
        return false;
    if ((size_t)(end - *at) >= value.len && slice_same_bytes(*at, value.data, value.len)) {
        *at += value.len;
        return true;
    }
    *at = start;
    return false;
}

/* Step over the type of a signal. MESSAGE_ERROR if it is none. */
static inline message_type skip_type(const char **at, const char *end)
{
    enum { TELLS_THEM_APART = sizeof("{\"type\":\"") - 1 };
    if (end - *at <= TELLS_THEM_APART)
        return MESSAGE_ERROR;
    switch ((*at)[TELLS_THEM_APART]) {
    case 'c':
        return skip_text(at, end, SLICE_LITERAL("{\"type\":\"candidate\"")) ? MESSAGE_CANDIDATE
                                                                            : MESSAGE_ERROR;
    case 'o':
        return skip_text(at, end, SLICE_LITERAL("{\"type\":\"offer\"")) ? MESSAGE_OFFER : MESSAGE_ERROR;
    case 'a':
        return skip_text(at, end, SLICE_LITERAL("{\"type\":\"answer\"")) ? MESSAGE_ANSWER : MESSAGE_ERROR;
    default:
        return MESSAGE_ERROR;
    }
}

bool message_read_usual(slice text, slice room_json, slice user_json, usual_signal *out)
{
    assert(room_json.len > 2 && user_json.len > 2); /* more than the quotes */
    const char *at = text.data;
    const char *end = text.data + text.len;
    if (text.len == 0 || end[-1] != '}')
        return false;
    out->type = skip_type(&at, end);
    if (out->type == MESSAGE_ERROR)
        return false;
    bool has_room = skip_member(&at, end, SLICE_LITERAL(",\"room\":"), room_json);
    bool has_from = skip_member(&at, end, SLICE_LITERAL(",\"from\":"), user_json);
    bool has_key = out->type == MESSAGE_CANDIDATE ? skip_text(&at, end, SLICE_LITERAL(",\"candidate\":"))
                                                  : skip_text(&at, end, SLICE_LITERAL(",\"sdp\":"));
    if (!has_key || at == end)
        return false;

    json_type type;
    const char *value_end = json_scan_value(at, end, &type);
    if (value_end == NULL || value_end + 1 != end)
        return false;
    out->payload = (slice){at, (size_t)(value_end - at)};
    out->is_as_passed_on = has_room && has_from;
    return takes_payload(&rows[out->type], type, out->payload);
}

const char *message_type_name(message_type type)
{
    return type_names[type].data;
}

void message_encode_signal(struct iovec parts[MESSAGE_SIGNAL_PARTS], message_type type, slice room_json,
                           slice user_json, slice payload)
{
    const message_row *row = &rows[type];
    assert(row->signal_head.len > 0);

    parts[0] = slice_to_iovec(row->signal_head);
    parts[1] = slice_to_iovec(room_json);
    parts[2] = slice_to_iovec(SLICE_LITERAL(",\"from\":"));
    parts[3] = slice_to_iovec(user_json);
    parts[4] = slice_to_iovec(row->signal_payload_key);
    parts[5] = slice_to_iovec(payload);
    parts[6] = slice_to_iovec(SLICE_LITERAL("}"));
    static_assert(MESSAGE_SIGNAL_PARTS == 7, "every part is laid out");
}

void message_encode_refusal(struct iovec parts[MESSAGE_REFUSAL_PARTS], slice why_json)
{
    parts[0] = slice_to_iovec(SLICE_LITERAL("{\"type\":\"error\",\"message\":"));
    parts[1] = slice_to_iovec(why_json);
    parts[2] = slice_to_iovec(SLICE_LITERAL("}"));
}

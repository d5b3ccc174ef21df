/* The type picks a row of the table below: what must be there, and what else is passed on. All else is
 * ignored like an unknown field. */
#include "dialect_session/session_message.h"

#include "base/parts.h"
#include "protocol/json_scan.h"

#include <assert.h>
#include <errno.h>

#define BIT(n) (1u << (n))

typedef enum field_id {
    FIELD_TYPE,
    FIELD_SESSION_ID,
    FIELD_SDP,
    FIELD_CANDIDATE,
    FIELD_MESSAGE,
    FIELD_INITIATOR,
    FIELD_REASON,
    FIELD_CODE,
    FIELD_COUNT, /* also: no such field */
} field_id;

static const slice field_names[FIELD_COUNT] = {
    [FIELD_TYPE] = FIELDS_TEXT("type"),       [FIELD_SESSION_ID] = FIELDS_TEXT("sessionId"),
    [FIELD_SDP] = FIELDS_TEXT("sdp"),         [FIELD_CANDIDATE] = FIELDS_TEXT("candidate"),
    [FIELD_MESSAGE] = FIELDS_TEXT("message"), [FIELD_INITIATOR] = FIELDS_TEXT("initiator"),
    [FIELD_REASON] = FIELDS_TEXT("reason"),   [FIELD_CODE] = FIELDS_TEXT("code"),
};

/* The name of each type, by session_message_type. */
static const slice type_names[] = {
    [SESSION_MESSAGE_OFFER] = FIELDS_TEXT("offer"),         [SESSION_MESSAGE_ANSWER] = FIELDS_TEXT("answer"),
    [SESSION_MESSAGE_CANDIDATE] = FIELDS_TEXT("candidate"), [SESSION_MESSAGE_HANGUP] = FIELDS_TEXT("hangup"),
    [SESSION_MESSAGE_ERROR] = FIELDS_TEXT("error"),
};

enum { TYPE_COUNT = sizeof(type_names) / sizeof(type_names[0]) };

typedef struct message_row {
    field_id payload;       /* which must be there; FIELD_COUNT = the type has none */
    unsigned payload_types; /* BIT(json_type): what the payload may be; a string must not be empty */
    unsigned options;       /* BIT(field_id): what else is passed on, whatever it holds */
    slice head;             /* of the message as it is passed on, up to the id */
    slice payload_key;
} message_row;

/* protocol/README.md, "The session dialect" */
static const message_row rows[TYPE_COUNT] = {
    [SESSION_MESSAGE_OFFER] = {.payload = FIELD_SDP,
                               .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT),
                               .options = BIT(FIELD_INITIATOR),
                               .head = FIELDS_TEXT("{\"type\":\"offer\",\"sessionId\":"),
                               .payload_key = FIELDS_TEXT("\"sdp\":")},
    [SESSION_MESSAGE_ANSWER] = {.payload = FIELD_SDP,
                                .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT),
                                .options = BIT(FIELD_INITIATOR),
                                .head = FIELDS_TEXT("{\"type\":\"answer\",\"sessionId\":"),
                                .payload_key = FIELDS_TEXT("\"sdp\":")},
    [SESSION_MESSAGE_CANDIDATE] = {.payload = FIELD_CANDIDATE,
                                   .payload_types = BIT(JSON_OBJECT),
                                   .head = FIELDS_TEXT("{\"type\":\"candidate\",\"sessionId\":"),
                                   .payload_key = FIELDS_TEXT("\"candidate\":")},
    [SESSION_MESSAGE_HANGUP] = {.payload = FIELD_COUNT,
                                .options = BIT(FIELD_INITIATOR) | BIT(FIELD_REASON),
                                .head = FIELDS_TEXT("{\"type\":\"hangup\",\"sessionId\":")},
    [SESSION_MESSAGE_ERROR] = {.payload = FIELD_MESSAGE,
                               .payload_types = BIT(JSON_STRING),
                               .options = BIT(FIELD_CODE),
                               .head = FIELDS_TEXT("{\"type\":\"error\",\"sessionId\":"),
                               .payload_key = FIELDS_TEXT("\"message\":")},
};

/* ---- Reading ---- */

/* An id that is absent, null or blank is none: then the message is for the sender's session. */
static int read_session_id(const found_fields *found, size_t max_bytes, session_message *out)
{
    int status = fields_read_name(found, FIELD_SESSION_ID, max_bytes, out->storage, &out->session_id);
    if (status == -ENOENT)
        return 0;
    return status == -ENOSPC ? -EINVAL : status;
}

static int read_payload(const found_fields *found, const message_row *row, slice *payload)
{
    if (row->payload == FIELD_COUNT)
        return 0;
    const json_member *member = fields_get(found, row->payload);
    if (member == NULL || (row->payload_types & BIT(member->type)) == 0)
        return -EINVAL;
    if (member->type == JSON_STRING && fields_unquote(member->value).len == 0)
        return -EINVAL;
    *payload = member->value;
    return 0;
}

/* The raw value of a field, if the type takes it and it is given. */
static slice read_option(const found_fields *found, const message_row *row, field_id id)
{
    const json_member *member = (row->options & BIT(id)) != 0 ? fields_get(found, id) : NULL;
    return member != NULL ? member->value : (slice){NULL, 0};
}

int session_message_decode(slice text, size_t max_id_bytes, session_message *out)
{
    assert(max_id_bytes <= FIELDS_MAX_NAME_BYTES);

    found_fields found;
    if (fields_find(&found, text, field_names, FIELD_COUNT) != 0)
        return -EINVAL;
    int type = fields_read_word(&found, FIELD_TYPE, type_names, TYPE_COUNT);
    if (type < 0)
        return -EINVAL;

    const message_row *row = &rows[type];
    out->type = (session_message_type)type;
    out->session_id = out->payload = (slice){NULL, 0};
    out->initiator = read_option(&found, row, FIELD_INITIATOR);
    out->reason = read_option(&found, row, FIELD_REASON);
    out->code = read_option(&found, row, FIELD_CODE);
    int status = read_session_id(&found, max_id_bytes, out);
    return status == 0 ? read_payload(&found, row, &out->payload) : status;
}

const char *session_message_type_name(session_message_type type)
{
    return type_names[type].data;
}

/* ---- Writing ---- */

/* Lay out a member that was given, with a comma in front of all but the first. */
static void add_option(struct iovec *parts, size_t *count, slice key_with_comma, slice value)
{
    if (value.len == 0)
        return;
    slice key = key_with_comma;
    if (*count == 0) {
        key.data++;
        key.len--;
    }
    assert(*count + 2 <= SESSION_MESSAGE_BODY_PARTS);
    parts[(*count)++] = slice_to_iovec(key);
    parts[(*count)++] = slice_to_iovec(value);
}

size_t session_message_body(struct iovec parts[SESSION_MESSAGE_BODY_PARTS], const session_message *m)
{
    size_t count = 0;
    if (m->payload.len > 0) {
        parts[count++] = slice_to_iovec(rows[m->type].payload_key);
        parts[count++] = slice_to_iovec(m->payload);
    }
    add_option(parts, &count, SLICE_LITERAL(",\"reason\":"), m->reason);
    add_option(parts, &count, SLICE_LITERAL(",\"code\":"), m->code);
    add_option(parts, &count, SLICE_LITERAL(",\"initiator\":"), m->initiator);
    return count;
}

size_t session_message_envelope(struct iovec parts[SESSION_MESSAGE_PARTS], session_message_type type,
                                slice id_json, const struct iovec *body, size_t body_count)
{
    assert(body_count <= SESSION_MESSAGE_BODY_PARTS);

    size_t count = 0;
    parts[count++] = slice_to_iovec(rows[type].head);
    parts[count++] = slice_to_iovec(id_json);
    if (parts_len(body, (int)body_count) > 0)
        parts[count++] = slice_to_iovec(SLICE_LITERAL(","));
    for (size_t i = 0; i < body_count; i++)
        parts[count++] = body[i];
    parts[count++] = slice_to_iovec(SLICE_LITERAL("}"));
    return count;
}

void session_message_error(struct iovec parts[SESSION_MESSAGE_ERROR_PARTS], slice id_json, slice text)
{
    parts[0] = slice_to_iovec(rows[SESSION_MESSAGE_ERROR].head);
    parts[1] = slice_to_iovec(id_json);
    parts[2] = slice_to_iovec(SLICE_LITERAL(",\"message\":\""));
    parts[3] = slice_to_iovec(text);
    parts[4] = slice_to_iovec(SLICE_LITERAL("\"}"));
    static_assert(SESSION_MESSAGE_ERROR_PARTS == 5, "every part is laid out");
}

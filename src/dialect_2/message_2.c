/* The type picks a row of the table below, which says what the type takes and what must be there. Everything
 * else is ignored like an unknown field. */
#include "dialect_2/message_2.h"

#include "base/ascii.h"
#include "protocol/json_scan.h"
#include "protocol/json_text.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define BIT(n) (1u << (n))

typedef enum field_id {
    FIELD_TYPE,
    FIELD_N,
    FIELD_ACK,
    FIELD_TO,
    FIELD_SDP,
    FIELD_CANDIDATE,
    FIELD_DATA,
    FIELD_ROOM,
    FIELD_USER,
    FIELD_TOKEN,
    FIELD_SEEN,
    FIELD_FORMERLY,
    FIELD_TEXT,
    FIELD_COUNT,
} field_id;

static const slice field_names[FIELD_COUNT] = {
    [FIELD_TYPE] = FIELDS_TEXT("type"), [FIELD_N] = FIELDS_TEXT("n"),
    [FIELD_ACK] = FIELDS_TEXT("ack"),   [FIELD_TO] = FIELDS_TEXT("to"),
    [FIELD_SDP] = FIELDS_TEXT("sdp"),   [FIELD_CANDIDATE] = FIELDS_TEXT("candidate"),
    [FIELD_DATA] = FIELDS_TEXT("data"), [FIELD_ROOM] = FIELDS_TEXT("room"),
    [FIELD_USER] = FIELDS_TEXT("user"), [FIELD_TOKEN] = FIELDS_TEXT("token"),
    [FIELD_SEEN] = FIELDS_TEXT("seen"), [FIELD_FORMERLY] = FIELDS_TEXT("formerly"),
    [FIELD_TEXT] = FIELDS_TEXT("text"),
};

/* The name of each type, by message_2_type. */
static const slice type_names[] = {
    [MESSAGE_2_JOIN] = FIELDS_TEXT("join"),           [MESSAGE_2_LEAVE] = FIELDS_TEXT("leave"),
    [MESSAGE_2_OFFER] = FIELDS_TEXT("offer"),         [MESSAGE_2_ANSWER] = FIELDS_TEXT("answer"),
    [MESSAGE_2_CANDIDATE] = FIELDS_TEXT("candidate"), [MESSAGE_2_SIGNAL] = FIELDS_TEXT("signal"),
    [MESSAGE_2_UPDATE] = FIELDS_TEXT("update"),       [MESSAGE_2_ACK] = FIELDS_TEXT("ack"),
    [MESSAGE_2_PING] = FIELDS_TEXT("ping"),           [MESSAGE_2_PONG] = FIELDS_TEXT("pong"),
};

enum { TYPE_COUNT = MESSAGE_2_NO_TYPE };
static_assert(sizeof(type_names) / sizeof(type_names[0]) == TYPE_COUNT, "each type has its name");

typedef struct message_row {
    unsigned takes;            /* BIT(field_id) */
    unsigned requires;         /* BIT(field_id): those of them that must be there */
    field_id payload;          /* which must be there; FIELD_TYPE = the type has none */
    unsigned payload_types;    /* BIT(json_type): what the payload may be */
    bool payload_may_be_empty; /* as a string */
} message_row;

#define JOIN_FIELDS                                                                                 \
    (BIT(FIELD_ROOM) | BIT(FIELD_USER) | BIT(FIELD_TOKEN) | BIT(FIELD_SEEN) | BIT(FIELD_FORMERLY) | \
     BIT(FIELD_DATA))
#define ANY_TYPE                                                                               \
    (BIT(JSON_NULL) | BIT(JSON_FALSE) | BIT(JSON_TRUE) | BIT(JSON_NUMBER) | BIT(JSON_STRING) | \
     BIT(JSON_OBJECT) | BIT(JSON_ARRAY))

/* protocol/README.md, "Version 2". sdp and candidate hold what they hold in version 1. */
static const message_row rows[TYPE_COUNT] = {
    [MESSAGE_2_JOIN] = {.takes = JOIN_FIELDS, .requires = BIT(FIELD_ROOM)},
    [MESSAGE_2_LEAVE] = {.takes = BIT(FIELD_TEXT) | BIT(FIELD_ACK)},
    [MESSAGE_2_OFFER] = {.takes = BIT(FIELD_N) | BIT(FIELD_TO) | BIT(FIELD_ACK),
                         .requires = BIT(FIELD_N),
                         .payload = FIELD_SDP,
                         .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT)},
    [MESSAGE_2_ANSWER] = {.takes = BIT(FIELD_N) | BIT(FIELD_TO) | BIT(FIELD_ACK),
                          .requires = BIT(FIELD_N),
                          .payload = FIELD_SDP,
                          .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT)},
    [MESSAGE_2_CANDIDATE] = {.takes = BIT(FIELD_N) | BIT(FIELD_TO) | BIT(FIELD_ACK),
                             .requires = BIT(FIELD_N),
                             .payload = FIELD_CANDIDATE,
                             .payload_types = BIT(JSON_STRING) | BIT(JSON_OBJECT) | BIT(JSON_NULL),
                             .payload_may_be_empty = true}, /* the end of candidates */
    [MESSAGE_2_SIGNAL] = {.takes = BIT(FIELD_N) | BIT(FIELD_TO) | BIT(FIELD_ACK),
                          .requires = BIT(FIELD_N),
                          .payload = FIELD_DATA,
                          .payload_types = ANY_TYPE,
                          .payload_may_be_empty = true},
    [MESSAGE_2_UPDATE] = {.takes = BIT(FIELD_N) | BIT(FIELD_DATA) | BIT(FIELD_ACK),
                          .requires = BIT(FIELD_N) | BIT(FIELD_DATA)},
    [MESSAGE_2_ACK] = {.takes = BIT(FIELD_ACK), .requires = BIT(FIELD_ACK)},
    [MESSAGE_2_PING] = {.takes = BIT(FIELD_ACK)},
    [MESSAGE_2_PONG] = {.takes = BIT(FIELD_ACK)},
};

/* What is read, and what of. The readers below return 0 or a message_2_fault. */
typedef struct reading {
    const found_fields *found;
    const message_row *row;
    size_t max_name_bytes;
} reading;

static bool takes(const reading *r, field_id id)
{
    return (r->row->takes & BIT(id)) != 0;
}

/* The verdict over a member that is absent, or null where that is as if it were absent. */
static int judge_absent(const reading *r, field_id id)
{
    return (r->row->requires & BIT(id)) != 0 ? MESSAGE_2_INVALID : 0;
}

/* ---- Numbers ---- */

static int read_number(const reading *r, field_id id, uint64_t least, uint64_t *number, bool *has)
{
    *has = false;
    if (!takes(r, id))
        return 0;
    int status = fields_read_integer(r->found, id, least, number);
    *has = status == 0;
    if (status == -ENOENT)
        return judge_absent(r, id);
    return status == 0 ? 0 : MESSAGE_2_INVALID;
}

/* All of them are read, whatever the first is, since `n` and `ack` are told of a message that is refused. */
static int read_numbers(const reading *r, message_2 *out)
{
    int n = read_number(r, FIELD_N, 1, &out->n, &out->has_n);
    int ack = read_number(r, FIELD_ACK, 0, &out->ack, &out->has_ack);
    int seen = read_number(r, FIELD_SEEN, 0, &out->seen, &out->has_seen);
    return n != 0 ? n : ack != 0 ? ack : seen;
}

/* ---- Names, tokens and peer ids ---- */

static int read_name(const reading *r, field_id id, char storage[FIELDS_MAX_NAME_BYTES], slice *name)
{
    if (!takes(r, id))
        return 0;
    switch (fields_read_name(r->found, id, r->max_name_bytes, storage, name)) {
    case 0:
        return name->len > 0 ? 0 : judge_absent(r, id);
    case -ENOENT:
        return judge_absent(r, id);
    case -ENOSPC:
        return MESSAGE_2_TOO_LARGE;
    case -ENOMEM:
        return MESSAGE_2_NO_MEMORY;
    default:
        return MESSAGE_2_INVALID;
    }
}

bool message_2_is_identifier(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (!ascii_is_letter(c) && !ascii_is_digit(c) && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* Read a token or a peer id of `least` to `most` bytes; `storage` takes `most`. */
static int read_identifier(const reading *r, field_id id, size_t least, size_t most, char *storage,
                           slice *out)
{
    const json_member *member = takes(r, id) ? fields_get_value(r->found, id) : NULL;
    if (member == NULL)
        return 0;
    if (member->type != JSON_STRING)
        return MESSAGE_2_INVALID;
    slice text = fields_unquote(member->value);
    if (member->value_has_escapes)
        text = fields_decode_word(text, storage, most);
    if (text.len < least || text.len > most || !message_2_is_identifier(text))
        return MESSAGE_2_INVALID;
    *out = text;
    return 0;
}

static int read_names(const reading *r, message_2 *out)
{
    int fault = read_name(r, FIELD_ROOM, out->room_storage, &out->room);
    if (fault == 0)
        fault = read_name(r, FIELD_USER, out->user_storage, &out->user);
    if (fault == 0)
        fault = read_identifier(r, FIELD_TOKEN, MESSAGE_2_MIN_TOKEN_BYTES, MESSAGE_2_MAX_TOKEN_BYTES,
                                out->token_storage, &out->token);
    if (fault == 0)
        fault = read_identifier(r, FIELD_FORMERLY, 1, MESSAGE_2_MAX_PEER_BYTES, out->formerly_storage,
                                &out->formerly);
    if (fault == 0)
        fault = read_identifier(r, FIELD_TO, 1, MESSAGE_2_MAX_PEER_BYTES, out->to_storage, &out->to);
    return fault;
}

/* ---- What is passed on as it came ---- */

static int read_payload(const reading *r, slice *payload)
{
    if (r->row->payload == FIELD_TYPE)
        return 0;
    const json_member *member = fields_get(r->found, r->row->payload);
    if (member == NULL || (r->row->payload_types & BIT(member->type)) == 0)
        return MESSAGE_2_INVALID;
    if (member->type == JSON_STRING && fields_unquote(member->value).len == 0 &&
        !r->row->payload_may_be_empty)
        return MESSAGE_2_INVALID;
    *payload = member->value;
    return 0;
}

/* Null is none, but it is there: an update to null takes the data away. */
static int read_data(const reading *r, slice *data)
{
    if (!takes(r, FIELD_DATA))
        return 0;
    const json_member *member = fields_get(r->found, FIELD_DATA);
    if (member == NULL)
        return judge_absent(r, FIELD_DATA);
    if (member->type == JSON_NULL)
        return 0;
    if (member->value.len > MESSAGE_2_MAX_DATA_BYTES)
        return MESSAGE_2_TOO_LARGE;
    *data = member->value;
    return 0;
}

/* Does a string with escapes decode to a text that is not too long? */
static int judge_text(slice raw)
{
    enum { LONGEST_ESCAPE = 6 /* bytes of raw text for one that is decoded */ };
    char decoded[MESSAGE_2_MAX_TEXT_BYTES];
    if (raw.len > LONGEST_ESCAPE * sizeof(decoded))
        return MESSAGE_2_TOO_LARGE;
    long len = json_text_decode(raw, decoded, sizeof(decoded));
    explicit_bzero(decoded, sizeof(decoded));
    if (len >= 0)
        return 0;
    return len == -ENOSPC ? MESSAGE_2_TOO_LARGE : len == -ENOMEM ? MESSAGE_2_NO_MEMORY : MESSAGE_2_INVALID;
}

static int read_text(const reading *r, slice *text)
{
    const json_member *member = takes(r, FIELD_TEXT) ? fields_get_value(r->found, FIELD_TEXT) : NULL;
    if (member == NULL)
        return 0;
    if (member->type != JSON_STRING)
        return MESSAGE_2_INVALID;
    slice raw = fields_unquote(member->value);
    int fault = 0;
    if (member->value_has_escapes)
        fault = judge_text(raw);
    else if (raw.len > MESSAGE_2_MAX_TEXT_BYTES)
        fault = MESSAGE_2_TOO_LARGE;
    if (fault == 0)
        *text = member->value;
    return fault;
}

/* ---- The message ---- */

/* Of a type that is not known, only the numbers that its sender counts are read. */
static const message_row unknown_row = {.takes = BIT(FIELD_N) | BIT(FIELD_ACK)};

static void clear(message_2 *out)
{
    out->type = MESSAGE_2_NO_TYPE;
    out->has_n = out->has_ack = out->has_seen = false;
    out->n = out->ack = out->seen = 0;
    out->room = out->user = out->token = out->formerly = out->to = (slice){NULL, 0};
    out->payload = out->data = out->text = (slice){NULL, 0};
}

int message_2_decode(slice text, size_t max_name_bytes, message_2 *out)
{
    assert(max_name_bytes <= FIELDS_MAX_NAME_BYTES);

    clear(out);
    found_fields found;
    if (fields_find(&found, text, field_names, FIELD_COUNT) != 0)
        return MESSAGE_2_INVALID;

    int type = fields_read_word(&found, FIELD_TYPE, type_names, TYPE_COUNT);
    reading r = {&found, type < 0 ? &unknown_row : &rows[type], max_name_bytes};
    int fault = read_numbers(&r, out);
    if (type < 0)
        return type == -ENOENT ? MESSAGE_2_UNSUPPORTED : MESSAGE_2_INVALID;
    out->type = (message_2_type)type;
    if (fault == 0)
        fault = read_names(&r, out);
    if (fault == 0)
        fault = read_payload(&r, &out->payload);
    if (fault == 0)
        fault = read_data(&r, &out->data);
    if (fault == 0)
        fault = read_text(&r, &out->text);
    return fault;
}

const char *message_2_type_name(message_2_type type)
{
    assert(type < MESSAGE_2_NO_TYPE);
    return type_names[type].data;
}

signal_kind message_2_kind(const message_2 *m)
{
    switch (m->type) {
    case MESSAGE_2_OFFER:
        return SIGNAL_OFFER;
    case MESSAGE_2_ANSWER:
        return SIGNAL_ANSWER;
    case MESSAGE_2_CANDIDATE:
        return SIGNAL_CANDIDATE;
    default:
        return SIGNAL_DATA;
    }
}

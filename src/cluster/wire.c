/* One table says which fields a type has, and one says where a field lies and how it is bounded; writing and
 * reading walk both. */
#include "cluster/wire.h"

#include <assert.h>
#include <errno.h>

/* The order in which fields stand. */
typedef enum wire_field {
    FIELD_CODE,
    FIELD_FLAGS,
    FIELD_SPACE,
    FIELD_WORKER,
    FIELD_ORDER,
    FIELD_LIFE,
    FIELD_OTHER,
    FIELD_KEY,
    FIELD_EPOCH,
    FIELD_PEER_EPOCH,
    FIELD_NUMBER,
    FIELD_BINDING,
    FIELD_AGE,
    FIELD_NAME,
    FIELD_VERSION,
    FIELD_ROOM,
    FIELD_USER,
    FIELD_EXTRA,
    FIELD_KEYS,
    FIELD_PAYLOAD,
    FIELDS
} wire_field;

#define HAS(field) (1U << FIELD_##field)

typedef struct row {
    uint32_t fields;
    uint8_t codes; /* the code is below this */
    uint8_t flags; /* which may be set */
} row;

static const row rows[WIRE_TYPES] = {
    [WIRE_BEAT] = {HAS(FLAGS) | HAS(NAME) | HAS(VERSION), 0, WIRE_IS_DRAINING},
    [WIRE_BYE] = {0, 0, 0},
    [WIRE_CLAIM] = {HAS(KEY) | HAS(NUMBER) | HAS(WORKER), 0, 0},
    [WIRE_ANSWER] = {HAS(CODE) | HAS(WORKER) | HAS(OTHER) | HAS(KEY) | HAS(NUMBER), WIRE_VERDICTS, 0},
    [WIRE_ANNOUNCE] = {HAS(KEYS), 0, 0},
    [WIRE_HELLO] = {HAS(FLAGS) | HAS(OTHER) | HAS(EPOCH) | HAS(PEER_EPOCH), 0, WIRE_IS_UP},
    [WIRE_DATA] = {HAS(WORKER) | HAS(OTHER) | HAS(EPOCH) | HAS(PEER_EPOCH) | HAS(NUMBER) | HAS(PAYLOAD), 0,
                   0},
    [WIRE_ACK] = {HAS(OTHER) | HAS(EPOCH) | HAS(PEER_EPOCH) | HAS(NUMBER), 0, 0},
    [WIRE_JOIN] = {HAS(CODE) | HAS(FLAGS) | HAS(SPACE) | HAS(NUMBER) | HAS(BINDING) | HAS(AGE) | HAS(ROOM) |
                       HAS(USER) | HAS(EXTRA),
                   WIRE_DIALECTS, WIRE_IS_REJOIN},
    [WIRE_LEAVE] = {HAS(BINDING) | HAS(EXTRA), 0, 0},
    [WIRE_SIGNAL] = {HAS(CODE) | HAS(FLAGS) | HAS(BINDING) | HAS(EXTRA) | HAS(PAYLOAD), WIRE_KINDS,
                     WIRE_IS_FLEETING},
    [WIRE_ALIVE] = {HAS(BINDING) | HAS(NUMBER), 0, 0},
    [WIRE_LOST] = {HAS(FLAGS) | HAS(BINDING), 0, WIRE_IS_FAULT},
    [WIRE_SWITCH] = {HAS(BINDING), 0, 0},
    [WIRE_JOINED] = {HAS(BINDING) | HAS(EXTRA), 0, 0},
    [WIRE_WAITING] = {HAS(BINDING), 0, 0},
    [WIRE_FULL] = {HAS(BINDING), 0, 0},
    [WIRE_NOT_OWNER] = {HAS(BINDING), 0, 0},
    [WIRE_UNBOUND] = {HAS(BINDING), 0, 0},
    [WIRE_MOVED] = {HAS(WORKER) | HAS(OTHER) | HAS(BINDING), 0, 0},
    [WIRE_SWITCHED] = {HAS(BINDING), 0, 0},
    [WIRE_DELIVER] = {HAS(BINDING) | HAS(PAYLOAD), 0, 0},
    [WIRE_QUEUE_FULL] = {HAS(BINDING) | HAS(EXTRA), 0, 0},
    [WIRE_PROBE] = {HAS(BINDING) | HAS(NUMBER), 0, 0},
    [WIRE_CLOSE] = {HAS(CODE) | HAS(BINDING), WIRE_ENDS, 0},
    [WIRE_FORWARD] = {HAS(OTHER) | HAS(PAYLOAD), 0, 0},
    [WIRE_OWNS] = {HAS(FLAGS) | HAS(KEYS), 0, WIRE_IS_DRAINING},
    [WIRE_MERGE_BEGIN] = {HAS(FLAGS) | HAS(SPACE) | HAS(ORDER) | HAS(LIFE) | HAS(KEY) | HAS(NUMBER) |
                              HAS(ROOM),
                          0, WIRE_IS_DRAINING},
    [WIRE_MERGE_MEMBER] = {HAS(CODE) | HAS(FLAGS) | HAS(ORDER) | HAS(OTHER) | HAS(NUMBER) | HAS(BINDING) |
                               HAS(AGE) | HAS(USER) | HAS(EXTRA),
                           WIRE_DIALECTS, WIRE_IS_WAITING | WIRE_IS_LOST},
    [WIRE_MERGE_SIGNAL] = {HAS(CODE) | HAS(NUMBER) | HAS(AGE) | HAS(PAYLOAD), WIRE_KINDS, 0},
    [WIRE_MERGE_END] = {HAS(NUMBER) | HAS(AGE), 0, 0},
    [WIRE_MERGE_READY] = {HAS(WORKER) | HAS(KEY) | HAS(NUMBER), 0, 0},
    [WIRE_MERGE_COMMIT] = {HAS(KEY) | HAS(NUMBER), 0, 0},
    [WIRE_MERGE_ABORT] = {HAS(KEY) | HAS(NUMBER), 0, 0},
    [WIRE_MERGE_REFUSED] = {HAS(CODE) | HAS(KEY) | HAS(NUMBER), WIRE_REFUSALS, 0},
};

/* How a field is written: so many bytes of an integer, an id, or a text behind so many bytes of length. */
typedef struct shape {
    uint8_t integer, id, text;
    uint32_t max;    /* of an integer or a length; 0 = what its bytes hold */
    uint32_t min;    /* the least */
    uint16_t offset; /* in wire_message */
} shape;

#define AT(field) .offset = offsetof(wire_message, field)

static const shape shapes[FIELDS] = {
    [FIELD_CODE] = {.integer = 1, AT(code)},
    [FIELD_FLAGS] = {.integer = 1, AT(flags)},
    [FIELD_SPACE] = {.integer = 1, AT(space), .max = WIRE_SPACES - 1},
    [FIELD_WORKER] = {.integer = 2, AT(worker)},
    [FIELD_ORDER] = {.integer = 4, AT(order), .max = WIRE_ORDERS},
    [FIELD_LIFE] = {.integer = 4, AT(life)},
    [FIELD_OTHER] = {.id = CLUSTER_ID_BYTES, AT(other)},
    [FIELD_KEY] = {.id = CLUSTER_ID_BYTES, AT(key)},
    [FIELD_EPOCH] = {.integer = 8, AT(epoch), .min = 1},
    [FIELD_PEER_EPOCH] = {.integer = 8, AT(peer_epoch)},
    [FIELD_NUMBER] = {.integer = 8, AT(number)},
    [FIELD_BINDING] = {.integer = 8, AT(binding)},
    [FIELD_AGE] = {.integer = 8, AT(age_ms)},
    [FIELD_NAME] = {.text = 1, AT(name), .max = WIRE_MAX_NODE_NAME, .min = 1},
    [FIELD_VERSION] = {.text = 1, AT(version), .max = WIRE_MAX_NODE_NAME, .min = 1},
    [FIELD_ROOM] = {.text = 2, AT(room), .max = WIRE_MAX_NAME, .min = 1},
    [FIELD_USER] = {.text = 2, AT(user), .max = WIRE_MAX_NAME},
    [FIELD_EXTRA] = {.text = 2, AT(extra), .max = WIRE_MAX_EXTRA},
    [FIELD_KEYS] = {.text = 2, AT(keys), .max = WIRE_MAX_KEYS * CLUSTER_ID_BYTES, .min = CLUSTER_ID_BYTES},
    [FIELD_PAYLOAD] = {.text = 4, AT(payload), .max = WIRE_MAX_PAYLOAD},
};

static bool has_field(wire_type type, int field)
{
    return (rows[type].fields >> field & 1) != 0;
}

/* ---- Fields in the struct ---- */

static uint64_t get_integer(const void *at, uint8_t bytes)
{
    switch (bytes) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static void set_integer(void *at, uint8_t bytes, uint64_t value)
{
    switch (bytes) {
    case 1:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(uint64_t *)at = value;
    }
}

static const void *field_of(const wire_message *m, const shape *s)
{
    return (const char *)m + s->offset;
}

/* ---- Writing ---- */

static uint8_t *put_integer(uint8_t *to, uint64_t value, uint8_t bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        *to++ = (uint8_t)(value >> shift);
    return to;
}

static uint8_t *put_bytes(uint8_t *to, const void *from, size_t len)
{
    if (len > 0) /* memcpy must not see the NULL of an empty slice */
        memcpy(to, from, len);
    return to + len;
}

static uint8_t *put_field(uint8_t *to, const wire_message *m, const shape *s)
{
    const void *at = field_of(m, s);
    if (s->integer > 0)
        return put_integer(to, get_integer(at, s->integer), s->integer);
    if (s->id > 0)
        return put_bytes(to, at, s->id);
    const slice *text = at;
    assert(text->len >= s->min && text->len <= s->max);
    return put_bytes(put_integer(to, text->len, s->text), text->data, text->len);
}

size_t wire_size(const wire_message *m)
{
    size_t size = wire_is_packet(m->type) ? 2 + sizeof(m->from) : 1;
    for (int field = 0; field < FIELDS; field++) {
        const shape *s = &shapes[field];
        if (!has_field(m->type, field))
            continue;
        size += s->integer + s->id + s->text;
        if (s->text > 0)
            size += ((const slice *)field_of(m, s))->len;
    }
    return size;
}

void wire_write(const wire_message *m, uint8_t *out)
{
    assert(m->type > 0 && m->type < WIRE_TYPES);
    uint8_t *to = out;
    if (wire_is_packet(m->type)) {
        *to++ = WIRE_VERSION;
        to = put_bytes(to, &m->from, sizeof(m->from));
    }
    *to++ = (uint8_t)m->type;
    for (int field = 0; field < FIELDS; field++) {
        if (has_field(m->type, field))
            to = put_field(to, m, &shapes[field]);
    }
    assert(to == out + wire_size(m));
}

/* ---- Reading ---- */

static bool take_integer(slice *rest, uint8_t bytes, uint64_t *value)
{
    if (rest->len < bytes)
        return false;
    *value = 0;
    for (int i = 0; i < bytes; i++)
        *value = *value << 8 | (uint8_t)rest->data[i];
    *rest = (slice){rest->data + bytes, rest->len - bytes};
    return true;
}

static bool take_slice(slice *rest, size_t len, slice *taken)
{
    if (rest->len < len)
        return false;
    *taken = (slice){rest->data, len};
    *rest = (slice){rest->data + len, rest->len - len};
    return true;
}

static bool take_field(slice *rest, const shape *s, void *at)
{
    uint64_t number;
    slice id;
    if (s->id > 0) {
        if (!take_slice(rest, s->id, &id))
            return false;
        memcpy(at, id.data, s->id);
        return true;
    }
    if (!take_integer(rest, s->integer + s->text, &number) || number < s->min ||
        (s->max > 0 && number > s->max))
        return false;
    if (s->text > 0)
        return take_slice(rest, (size_t)number, at);
    set_integer(at, s->integer, number);
    return true;
}

static bool is_sound(const wire_message *m)
{
    const row *r = &rows[m->type];
    return ((r->fields & HAS(CODE)) == 0 || m->code < r->codes) && (m->flags & ~r->flags) == 0 &&
           m->keys.len % sizeof(room_key) == 0;
}

/* The type and what follows it, to the end. */
static int read_message(slice rest, bool is_packet, wire_message *m)
{
    uint64_t type;
    if (!take_integer(&rest, 1, &type) || type == 0 || type >= WIRE_TYPES ||
        wire_is_packet((wire_type)type) != is_packet)
        return -EPROTO;
    m->type = (wire_type)type;
    for (int field = 0; field < FIELDS; field++) {
        const shape *s = &shapes[field];
        if (has_field(m->type, field) && !take_field(&rest, s, (char *)m + s->offset))
            return -EPROTO;
    }
    return rest.len == 0 && is_sound(m) ? 0 : -EPROTO;
}

int wire_read_packet(slice data, wire_message *m)
{
    static_assert(sizeof(room_key) == CLUSTER_ID_BYTES && sizeof(node_id) == CLUSTER_ID_BYTES,
                  "ids are their bytes");
    static_assert(FIELDS <= 32, "a bit for each field");
    *m = (wire_message){0};
    uint64_t version;
    slice from;
    if (!take_integer(&data, 1, &version) || version != WIRE_VERSION ||
        !take_slice(&data, sizeof(m->from), &from))
        return -EPROTO;
    memcpy(&m->from, from.data, sizeof(m->from));
    if (node_id_is_nobody(&m->from))
        return -EPROTO;
    return read_message(data, true, m);
}

int wire_read_link(slice data, wire_message *m)
{
    *m = (wire_message){0};
    return read_message(data, false, m);
}

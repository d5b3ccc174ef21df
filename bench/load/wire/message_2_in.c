#include "wire/message_2_in.h"

#include "protocol/fields.h"

#include <cjson/cJSON.h>
#include <string.h>

/* The largest `order`: 2^31 - 1. */
enum { MAX_ORDER = 2147483647 };

typedef enum field_id {
    FIELD_TYPE,
    FIELD_SEQ,
    FIELD_ACK,
    FIELD_FROM,
    FIELD_SDP,
    FIELD_CANDIDATE,
    FIELD_RETRY_AFTER_MS,
    FIELD_COUNT,
} field_id;

static const slice field_names[FIELD_COUNT] = {
    [FIELD_TYPE] = FIELDS_TEXT("type"),
    [FIELD_SEQ] = FIELDS_TEXT("seq"),
    [FIELD_ACK] = FIELDS_TEXT("ack"),
    [FIELD_FROM] = FIELDS_TEXT("from"),
    [FIELD_SDP] = FIELDS_TEXT("sdp"),
    [FIELD_CANDIDATE] = FIELDS_TEXT("candidate"),
    [FIELD_RETRY_AFTER_MS] = FIELDS_TEXT("retryAfterMs"),
};

static const slice type_names[MESSAGE_2_IN_TYPES] = {
    [MESSAGE_2_IN_OFFER] = FIELDS_TEXT("offer"),
    [MESSAGE_2_IN_ANSWER] = FIELDS_TEXT("answer"),
    [MESSAGE_2_IN_CANDIDATE] = FIELDS_TEXT("candidate"),
    [MESSAGE_2_IN_PEER_JOINED] = FIELDS_TEXT("peer-joined"),
    [MESSAGE_2_IN_PEER_CHANGED] = FIELDS_TEXT("peer-changed"),
    [MESSAGE_2_IN_PEER_AWAY] = FIELDS_TEXT("peer-away"),
    [MESSAGE_2_IN_PEER_BACK] = FIELDS_TEXT("peer-back"),
    [MESSAGE_2_IN_PEER_LEFT] = FIELDS_TEXT("peer-left"),
    [MESSAGE_2_IN_ERROR] = FIELDS_TEXT("error"),
    [MESSAGE_2_IN_JOINED] = FIELDS_TEXT("joined"),
    [MESSAGE_2_IN_LEFT] = FIELDS_TEXT("left"),
    [MESSAGE_2_IN_ACK] = FIELDS_TEXT("ack"),
    [MESSAGE_2_IN_TICK] = FIELDS_TEXT("tick"),
    [MESSAGE_2_IN_PING] = FIELDS_TEXT("ping"),
    [MESSAGE_2_IN_PONG] = FIELDS_TEXT("pong"),
    [MESSAGE_2_IN_GOAWAY] = FIELDS_TEXT("goaway"),
};

/* Read a number that may be absent. False if it is none. */
static bool read_number(const found_fields *found, field_id id, uint64_t least, uint64_t *number, bool *has)
{
    int error = fields_read_integer(found, id, least, number);
    *has = error == 0;
    return error == 0 || error == -ENOENT;
}

static bool read_signal(const found_fields *found, message_2_in *out)
{
    const json_member *from = fields_get(found, FIELD_FROM);
    const json_member *payload =
        fields_get(found, out->type == MESSAGE_2_IN_CANDIDATE ? FIELD_CANDIDATE : FIELD_SDP);
    if (from == NULL || from->type != JSON_STRING || payload == NULL)
        return false;
    out->from = fields_unquote(from->value);
    out->payload = payload->value;
    return true;
}

bool message_2_read(slice text, message_2_in *out)
{
    found_fields found;
    bool has_retry;
    *out = (message_2_in){.text = text};
    if (fields_find(&found, text, field_names, FIELD_COUNT) != 0)
        return false;
    int type = fields_read_word(&found, FIELD_TYPE, type_names, MESSAGE_2_IN_TYPES);
    if (type < 0 || !read_number(&found, FIELD_SEQ, 1, &out->seq, &out->has_seq) ||
        !read_number(&found, FIELD_ACK, 0, &out->ack, &out->has_ack) ||
        !read_number(&found, FIELD_RETRY_AFTER_MS, 0, &out->retry_after_ms, &has_retry))
        return false;
    out->type = (message_2_type_in)type;
    bool must_have_seq = out->type <= MESSAGE_2_IN_PEER_LEFT;
    bool may_have_seq = out->type <= MESSAGE_2_IN_ERROR;
    if ((must_have_seq && !out->has_seq) || (out->has_seq && !may_have_seq) ||
        (out->type == MESSAGE_2_IN_ACK && !out->has_ack) || (out->type == MESSAGE_2_IN_GOAWAY && !has_retry))
        return false;
    return out->type > MESSAGE_2_IN_CANDIDATE || read_signal(&found, out);
}

/* ---- The rare ones, by cJSON ---- */

/* Copy a string member that is not longer than `cap` allows. */
static bool copy_text(const cJSON *json, const char *name, char *out, size_t cap)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
    if (value == NULL || strlen(value) >= cap)
        return false;
    strcpy(out, value);
    return true;
}

/* The same of an identifier: a peer id or a token. */
static bool copy_identifier(const cJSON *json, const char *name, size_t least, char *out, size_t cap)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return copy_text(json, name, out, cap) && strlen(out) >= least && out[strspn(out, allowed)] == '\0';
}

static bool copy_number(const cJSON *json, const char *name, double least, double most, double *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    *out = cJSON_IsNumber(item) ? cJSON_GetNumberValue(item) : -1;
    return *out >= least && *out <= most;
}

static const char *read_peers(const cJSON *json, message_2_joined *out)
{
    const cJSON *peers = cJSON_GetObjectItemCaseSensitive(json, "peers");
    if (out->is_resumed)
        return peers == NULL ? NULL : "a resumed session was told its peers";
    if (!cJSON_IsArray(peers) || cJSON_GetArraySize(peers) > 1)
        return "a room of two has too many peers, or none are told";
    const cJSON *other = cJSON_GetArrayItem(peers, 0);
    double order;
    double version;
    if (other == NULL)
        return NULL;
    const cJSON *away = cJSON_GetObjectItemCaseSensitive(other, "away");
    out->other_is_away = cJSON_IsTrue(away);
    bool is_whole = copy_identifier(other, "peer", 1, out->other, sizeof(out->other)) &&
                    copy_text(other, "user", out->other_user, sizeof(out->other_user)) &&
                    copy_number(other, "order", 1, MAX_ORDER, &order) &&
                    copy_number(other, "v", 1, 2, &version) && cJSON_IsBool(away);
    return is_whole ? NULL : "a peer lacks something";
}

static const char *read_joined(const cJSON *json, message_2_joined *out)
{
    double order;
    double received;
    double seconds;
    const cJSON *resumed = cJSON_GetObjectItemCaseSensitive(json, "resumed");
    bool is_whole = copy_text(json, "room", out->room, sizeof(out->room)) &&
                    copy_identifier(json, "peer", 1, out->peer, sizeof(out->peer)) &&
                    copy_identifier(json, "token", 22, out->token, sizeof(out->token)) &&
                    copy_number(json, "order", 1, MAX_ORDER, &order) &&
                    copy_number(json, "received", 0, 9e15, &received) &&
                    copy_number(json, "tick", 1, 1e9, &seconds) &&
                    copy_number(json, "resumeFor", 0, 1e9, &seconds) && cJSON_IsBool(resumed);
    if (!is_whole)
        return "\"joined\" lacks something";
    out->order = (uint32_t)order;
    out->received = (uint64_t)received;
    out->is_resumed = cJSON_IsTrue(resumed);
    return read_peers(json, out);
}

const char *message_2_read_joined(slice text, message_2_joined *out)
{
    *out = (message_2_joined){0};
    cJSON *json = cJSON_ParseWithLength(text.data, text.len);
    const char *why = read_joined(json, out);
    cJSON_Delete(json);
    return why;
}

/* Is it one of the three that protocol/README.md, "Version 2" knows? */
static bool is_reason(const cJSON *reason)
{
    const char *value = cJSON_GetStringValue(reason);
    return value != NULL &&
           (strcmp(value, "left") == 0 || strcmp(value, "lost") == 0 || strcmp(value, "replaced") == 0);
}

const char *message_2_read_presence(slice text, message_2_presence *out)
{
    double order;
    double version = 0;
    *out = (message_2_presence){0};
    cJSON *json = cJSON_ParseWithLength(text.data, text.len);
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(json, "reason");
    bool is_whole = copy_identifier(json, "peer", 1, out->peer, sizeof(out->peer)) &&
                    copy_text(json, "user", out->user, sizeof(out->user)) &&
                    copy_number(json, "order", 1, MAX_ORDER, &order) &&
                    copy_number(json, "v", 1, 2, &version) && (reason == NULL || is_reason(reason));
    out->v = (int)version;
    out->has_reason = reason != NULL;
    cJSON_Delete(json);
    return is_whole ? NULL : "presence lacks something";
}

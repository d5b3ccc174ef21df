/* Arbitrary bytes as a message of the session dialect.
 *
 * What must hold: it is accepted or refused, and holds, what a plain reading of its members says; and what is
 * passed on is read back as the same message, by us and by cJSON, with these members and no others. */
#include "fuzz.h"
#include "json_reference.h"

#include "dialect_session/session_message.h"

#include <sys/uio.h>

/* Small, so that the fuzzer finds ids beyond it. */
enum { MAX_ID_BYTES = 24 };

static const char *const types[] = {"offer", "answer", "candidate", "hangup", "error"};
enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

/* By session_message_type. */
static const char *const payloads[] = {"sdp", "sdp", "candidate", NULL, "message"};

static bool is_payload_fine(slice text, session_message_type type)
{
    json_member member;
    if (payloads[type] == NULL)
        return true;
    if (!reference_find_value(text, payloads[type], &member))
        return false;
    bool is_filled = member.type == JSON_STRING && member.value.len > 2;
    switch (type) {
    case SESSION_MESSAGE_CANDIDATE:
        return member.type == JSON_OBJECT;
    case SESSION_MESSAGE_ERROR:
        return is_filled;
    default:
        return is_filled || member.type == JSON_OBJECT;
    }
}

/* The raw value is that of the member; empty where the type does not take it, or it is absent. */
static void check_raw(slice text, const char *name, bool is_taken, slice read)
{
    json_member member;
    if (is_taken && reference_find_member(text, name, &member))
        REQUIRE(slice_equals(read, member.value));
    else
        REQUIRE(read.len == 0);
}

static void check_fields(slice text, const session_message *m)
{
    bool is_description = m->type == SESSION_MESSAGE_OFFER || m->type == SESSION_MESSAGE_ANSWER;
    check_raw(text, payloads[m->type] == NULL ? "" : payloads[m->type], payloads[m->type] != NULL,
              m->payload);
    check_raw(text, "initiator", is_description || m->type == SESSION_MESSAGE_HANGUP, m->initiator);
    check_raw(text, "reason", m->type == SESSION_MESSAGE_HANGUP, m->reason);
    check_raw(text, "code", m->type == SESSION_MESSAGE_ERROR, m->code);
}

/* What is passed on, in a block of just its size. Owned by the caller. */
static slice pass_on(const session_message *m, slice id_json)
{
    struct iovec body[SESSION_MESSAGE_BODY_PARTS];
    struct iovec parts[SESSION_MESSAGE_PARTS];
    size_t body_count = session_message_body(body, m);
    REQUIRE(body_count <= SESSION_MESSAGE_BODY_PARTS);
    size_t count = session_message_envelope(parts, m->type, id_json, body, body_count);
    REQUIRE(count <= SESSION_MESSAGE_PARTS);
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].iov_len;
    char *text = malloc(len);
    REQUIRE(text != NULL);
    char *at = text;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    return (slice){text, len};
}

static void check_passed_on(const session_message *sent, bool is_common)
{
    slice id = sent->session_id.len > 0 ? sent->session_id : SLICE_LITERAL("default");
    size_t id_len;
    char *id_json = json_text_encode(id, &id_len);
    REQUIRE(id_json != NULL);
    slice text = pass_on(sent, (slice){id_json, id_len});

    session_message received;
    REQUIRE(session_message_decode(text, MAX_ID_BYTES, &received) == 0);
    REQUIRE(received.type == sent->type && slice_equals(received.session_id, id));
    REQUIRE(slice_equals(received.payload, sent->payload) &&
            slice_equals(received.initiator, sent->initiator));
    REQUIRE(slice_equals(received.reason, sent->reason) && slice_equals(received.code, sent->code));
    if (is_common) {
        int members = 2 + (sent->payload.len > 0) + (sent->initiator.len > 0) + (sent->reason.len > 0) +
                      (sent->code.len > 0);
        cJSON *tree = cJSON_ParseWithLength(text.data, text.len);
        REQUIRE(tree != NULL && cJSON_GetArraySize(tree) == members);
        REQUIRE(strcmp(cJSON_GetArrayItem(tree, 0)->valuestring, types[sent->type]) == 0);
        REQUIRE(strcmp(cJSON_GetArrayItem(tree, 1)->string, "sessionId") == 0);
        REQUIRE(slice_equals(slice_of_text(cJSON_GetArrayItem(tree, 1)->valuestring), id));
        cJSON_Delete(tree);
    }
    free((char *)(uintptr_t)text.data);
    free(id_json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    slice text = {copy, size};
    session_message decoded;
    int status = session_message_decode(text, MAX_ID_BYTES, &decoded);
    REQUIRE(status == 0 || status == -EINVAL);
    if (reference_is_utf8(text)) { /* the contract excludes all else: it only must not hurt */
        int type = reference_is_object(text) ? reference_find_type(text, types, TYPE_COUNT) : -1;
        slice id = status == 0 ? decoded.session_id : (slice){NULL, 0};
        bool is_fine = type >= 0 && is_payload_fine(text, (session_message_type)type);
        int id_status = is_fine ? reference_judge_name(text, "sessionId", MAX_ID_BYTES, id) : 0;
        REQUIRE((status == 0) == (is_fine && id_status != -EINVAL && id_status != -ENOSPC));
        if (status == 0) {
            REQUIRE(id_status == 0 && (int)decoded.type == type);
            REQUIRE(strcmp(session_message_type_name(decoded.type), types[type]) == 0);
            check_fields(text, &decoded);
            check_passed_on(&decoded, reference_is_in_common(text));
        }
    }
    free(copy);
    return 0;
}

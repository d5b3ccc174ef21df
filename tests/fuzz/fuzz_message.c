/* Arbitrary bytes as a message.
 *
 * What must hold: a text that the scanner accepts is one that cJSON accepts too, and then the message is
 * accepted or refused exactly as a plain reading of the cJSON tree says; every member's raw text is valid
 * JSON of the told type by itself; a decoded string survives encoding; a signal made from a message is read
 * back as the same message, by us and by cJSON; and what message_read_usual() reads is what message_decode()
 * reads.
 *
 * cJSON is the reference only where it is strict enough: see reference_is_in_common(). */
#include "fuzz.h"
#include "json_reference.h"

#include "dialect_1/message_1.h"
#include "protocol/json_scan.h"
#include "protocol/json_text.h"
#include "websocket/utf8.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Small, so that the fuzzer finds names beyond it. */
enum { MAX_NAME_BYTES = 24 };

static void *allocate(size_t size)
{
    void *block = malloc(size);
    REQUIRE(block != NULL);
    return block;
}

static bool is_name_fine(const cJSON *document, const char *name, bool is_required)
{
    const cJSON *value = reference_find_last(document, name);
    if (value == NULL || cJSON_IsNull(value))
        return !is_required;
    if (!cJSON_IsString(value))
        return false;
    size_t len = reference_trim(value->valuestring).len;
    return len > 0 && len <= MAX_NAME_BYTES;
}

/* protocol/README.md, "Version 1", over the cJSON tree. */
static bool is_message(const cJSON *document)
{
    const cJSON *type = reference_find_last(document, "type");
    if (!cJSON_IsString(type))
        return false;
    if (strcmp(type->valuestring, "join") == 0 || strcmp(type->valuestring, "leave") == 0) {
        bool is_required = type->valuestring[0] == 'j';
        return is_name_fine(document, "room", is_required) && is_name_fine(document, "user", is_required);
    }
    if (strcmp(type->valuestring, "error") == 0) {
        const cJSON *text = reference_find_last(document, "message");
        return cJSON_IsString(text) && text->valuestring[0] != '\0';
    }
    if (!is_name_fine(document, "room", false)) /* `from` may hold anything */
        return false;
    const cJSON *sdp = reference_find_last(document, "sdp");
    if (strcmp(type->valuestring, "offer") == 0 || strcmp(type->valuestring, "answer") == 0)
        return cJSON_IsObject(sdp) || (cJSON_IsString(sdp) && sdp->valuestring[0] != '\0');
    const cJSON *candidate = reference_find_last(document, "candidate");
    return strcmp(type->valuestring, "candidate") == 0 &&
           (cJSON_IsObject(candidate) || cJSON_IsString(candidate) || cJSON_IsNull(candidate));
}

static void check_name(const cJSON *document, const char *key, slice name)
{
    const cJSON *value = reference_find_last(document, key);
    slice expected = cJSON_IsString(value) ? reference_trim(value->valuestring) : (slice){NULL, 0};
    REQUIRE(slice_equals(name, expected));
}

static void check_against_cjson(slice text, int status, const message *decoded)
{
    const char *end;
    cJSON *document = cJSON_ParseWithLengthOpts(text.data, text.len, &end, false);
    REQUIRE(document != NULL);
    for (; end < text.data + text.len; end++)
        REQUIRE(strchr(" \t\r\n", *end) != NULL && *end != '\0');
    REQUIRE(cJSON_IsObject(document));
    REQUIRE((status == 0) == is_message(document));
    if (status == 0) {
        REQUIRE(strcmp(reference_find_last(document, "type")->valuestring,
                       message_type_name(decoded->type)) == 0);
        if (decoded->type != MESSAGE_ERROR)
            check_name(document, "room", decoded->room);
        if (decoded->type == MESSAGE_JOIN || decoded->type == MESSAGE_LEAVE)
            check_name(document, "user", decoded->user);
    }
    cJSON_Delete(document);
}

/* A member's raw text, in an object of its own, is that member again. */
static void check_reparse(const json_member *member)
{
    size_t len = member->key.len + member->value.len + 5;
    char *object = allocate(len);
    char *at = object;
    *at++ = '{';
    *at++ = '"';
    memcpy(at, member->key.data, member->key.len);
    at += member->key.len;
    *at++ = '"';
    *at++ = ':';
    memcpy(at, member->value.data, member->value.len);
    at += member->value.len;
    *at = '}';

    json_scan scan = {.rest = {object, len}};
    json_member again;
    REQUIRE(json_scan_next(&scan, &again) == 1);
    REQUIRE(again.type == member->type);
    REQUIRE(slice_equals(again.key, member->key) && slice_equals(again.value, member->value));
    REQUIRE(again.key_has_escapes == member->key_has_escapes);
    REQUIRE(again.value_has_escapes == member->value_has_escapes);
    json_member more;
    REQUIRE(json_scan_next(&scan, &more) == 0);
    free(object);
}

/* encode(decode(raw)) decodes to the same bytes again. */
static void check_text(slice raw, bool has_escapes)
{
    REQUIRE(has_escapes == (raw.len > 0 && memchr(raw.data, '\\', raw.len) != NULL));
    char *text = allocate(raw.len + 1);
    long len = json_text_decode(raw, text, raw.len);
    REQUIRE(len >= 0 || len == -EINVAL);
    if (len >= 0) {
        REQUIRE(has_escapes ? (size_t)len < raw.len : (size_t)len == raw.len);
        size_t json_len;
        char *json = json_text_encode((slice){text, (size_t)len}, &json_len);
        REQUIRE(json != NULL);
        char *again = allocate((size_t)len + 1);
        REQUIRE(json_text_decode((slice){json + 1, json_len - 2}, again, (size_t)len) == len);
        REQUIRE(memcmp(text, again, (size_t)len) == 0);
        free(again);
        free(json);
    }
    free(text);
}

static void check_member(slice text, const json_member *member)
{
    const char *end = text.data + text.len;
    REQUIRE(member->key.data > text.data && member->value.data > member->key.data + member->key.len);
    REQUIRE(member->value.len > 0 && member->value.data + member->value.len <= end);
    check_reparse(member);
    check_text(member->key, member->key_has_escapes);
    if (member->type == JSON_STRING)
        check_text((slice){member->value.data + 1, member->value.len - 2}, member->value_has_escapes);
}

/* Is the text a valid object? Its first members, enough of them, are each looked at closely. */
static bool check_members(slice text)
{
    json_scan scan = {.rest = text};
    json_member member;
    int result;
    for (int count = 0; (result = json_scan_next(&scan, &member)) > 0; count++) {
        if (count < 32)
            check_member(text, &member);
    }
    REQUIRE(result == 0 || result == -EINVAL);
    return result == 0;
}

/* cJSON reads the signal as the four members that protocol/README.md, "Version 1" shows, the payload as it
 * was. */
static void check_signal_tree(slice signal, const message *sent)
{
    static const char *const names[] = {"type", "room", "from", NULL};
    cJSON *tree = cJSON_ParseWithLength(signal.data, signal.len);
    cJSON *payload = cJSON_ParseWithLength(sent->payload.data, sent->payload.len);
    REQUIRE(tree != NULL && payload != NULL && cJSON_GetArraySize(tree) == 4);
    for (int i = 0; i < 4; i++) {
        const char *payload_name = sent->type == MESSAGE_CANDIDATE ? "candidate" : "sdp";
        REQUIRE(strcmp(cJSON_GetArrayItem(tree, i)->string, names[i] == NULL ? payload_name : names[i]) == 0);
    }
    REQUIRE(strcmp(cJSON_GetArrayItem(tree, 0)->valuestring, message_type_name(sent->type)) == 0);
    const char *room = cJSON_GetArrayItem(tree, 1)->valuestring;
    REQUIRE(sent->room.len == 0 || slice_equals(slice_of_text(room), sent->room));
    REQUIRE(strcmp(cJSON_GetArrayItem(tree, 2)->valuestring, "peer") == 0);

    char *received_text = cJSON_PrintUnformatted(cJSON_GetArrayItem(tree, 3));
    char *sent_text = cJSON_PrintUnformatted(payload);
    REQUIRE(received_text != NULL && sent_text != NULL && strcmp(received_text, sent_text) == 0);
    cJSON_free(received_text);
    cJSON_free(sent_text);
    cJSON_Delete(tree);
    cJSON_Delete(payload);
}

/* The signal that goes to the peer says what the message said. */
static void check_signal(const message *sent, bool is_common)
{
    slice room = sent->room.len > 0 ? sent->room : SLICE_LITERAL("default");
    size_t room_len;
    char *room_json = json_text_encode(room, &room_len);
    REQUIRE(room_json != NULL);
    struct iovec parts[MESSAGE_SIGNAL_PARTS];
    message_encode_signal(parts, sent->type, (slice){room_json, room_len}, SLICE_LITERAL("\"peer\""),
                          sent->payload);

    size_t len = 0;
    for (int i = 0; i < MESSAGE_SIGNAL_PARTS; i++)
        len += parts[i].iov_len;
    char *signal = allocate(len);
    char *at = signal;
    for (int i = 0; i < MESSAGE_SIGNAL_PARTS; i++) {
        memcpy(at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }

    message received;
    REQUIRE(message_decode((slice){signal, len}, MAX_NAME_BYTES, &received) == 0);
    REQUIRE(received.type == sent->type && slice_equals(received.room, room));
    REQUIRE(slice_equals(received.payload, sent->payload));
    if (is_common)
        check_signal_tree((slice){signal, len}, sent);
    free(signal);
    free(room_json);
}

/* The names are those that the message itself has, so that the fuzzer need not find ours. */
static void check_usual(slice text, const message *decoded)
{
    bool has_room = decoded != NULL && decoded->room.len > 0;
    slice room = has_room ? decoded->room : SLICE_LITERAL("default");
    size_t room_len;
    char *room_json = json_text_encode(room, &room_len);
    REQUIRE(room_json != NULL);
    usual_signal usual;
    if (message_read_usual(text, (slice){room_json, room_len}, SLICE_LITERAL("\"peer\""), &usual)) {
        REQUIRE(decoded != NULL && decoded->type == usual.type);
        REQUIRE(slice_equals(decoded->payload, usual.payload) && decoded->payload.data == usual.payload.data);
        REQUIRE(!usual.is_as_passed_on || has_room);
    }
    free(room_json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = {(const char *)data, size};
    message decoded;
    int status = message_decode(text, MAX_NAME_BYTES, &decoded);
    REQUIRE(status == 0 || status == -EINVAL);
    if (!reference_is_utf8(text)) /* the contract excludes it: such a text only must not hurt */
        return 0;

    check_usual(text, status == 0 ? &decoded : NULL);
    bool is_json = check_members(text);
    REQUIRE(is_json || status != 0);
    bool is_common = reference_is_in_common(text);
    if (is_json && is_common)
        check_against_cjson(text, status, &decoded);
    if (status == 0 && decoded.payload.len > 0)
        check_signal(&decoded, is_common);
    return 0;
}

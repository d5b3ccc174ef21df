/* Arbitrary bytes as a message of a client of version 2.
 *
 * What must hold: it is accepted, or refused with a fault that it has, as a plain reading of its members
 * says; what was decoded is what that reading finds; and a message that is refused still tells its type and
 * its numbers. */
#include "fuzz.h"
#include "json_reference.h"

#include "dialect_2/message_2.h"

/* Small, so that the fuzzer finds names beyond it. */
enum { MAX_NAME_BYTES = 24 };

static const char *const types[] = {"join",   "leave",  "offer", "answer", "candidate",
                                    "signal", "update", "ack",   "ping",   "pong"};
enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

/* What a plain reading says of the message so far. */
typedef struct judgement {
    slice text;
    bool is_accepted; /* by the reader under test: then all that it has read must be right */
    bool is_invalid;
    bool is_too_large;
} judgement;

static bool is_counted(int type)
{
    return type >= MESSAGE_2_OFFER && type <= MESSAGE_2_UPDATE;
}

static bool is_addressed(int type)
{
    return type >= MESSAGE_2_OFFER && type <= MESSAGE_2_SIGNAL;
}

/* An integer in digits alone, by its characters. */
static bool read_integer(const json_member *member, uint64_t least, uint64_t *number)
{
    char digits[17] = {0};
    if (member->type != JSON_NUMBER || member->value.len >= sizeof(digits))
        return false;
    memcpy(digits, member->value.data, member->value.len);
    if (strspn(digits, "0123456789") != member->value.len)
        return false;
    *number = strtoull(digits, NULL, 10);
    return *number >= least && *number <= 9007199254740991ull;
}

/* What was read of a number is right, whether the message was refused or not. */
static void judge_number(judgement *j, const char *name, bool is_taken, bool is_required, uint64_t least,
                         bool has, uint64_t read)
{
    json_member member;
    uint64_t number = 0;
    bool is_there = is_taken && reference_find_value(j->text, name, &member);
    bool is_fine = is_there && read_integer(&member, least, &number);
    REQUIRE(has == is_fine && (!has || read == number));
    j->is_invalid |= is_there ? !is_fine : is_required;
}

static void judge_name(judgement *j, const char *name, bool is_taken, bool is_required, slice read)
{
    if (!is_taken) {
        REQUIRE(!j->is_accepted || read.len == 0);
        return;
    }
    switch (reference_judge_name(j->text, name, MAX_NAME_BYTES, read)) {
    case 0:
        j->is_invalid |= is_required && read.len == 0;
        break;
    case -EINVAL:
        j->is_invalid = true;
        break;
    case -ENOSPC:
        j->is_too_large = true;
        break;
    default: /* another name was read, which may be only in a message that was refused before that */
        REQUIRE(!j->is_accepted);
    }
}

static void judge_identifier(judgement *j, const char *name, bool is_taken, size_t least, size_t most,
                             slice read)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    json_member member;
    if (!is_taken || !reference_find_value(j->text, name, &member)) {
        REQUIRE(!j->is_accepted || read.len == 0);
        return;
    }
    char *decoded = NULL;
    long len = member.type == JSON_STRING
                   ? reference_decode((slice){member.value.data + 1, member.value.len - 2}, &decoded)
                   : -1;
    bool is_fine = len >= (long)least && len <= (long)most;
    for (long i = 0; is_fine && i < len; i++)
        is_fine = memchr(alphabet, decoded[i], sizeof(alphabet) - 1) != NULL;
    REQUIRE(!j->is_accepted || !is_fine || slice_equals(read, (slice){decoded, (size_t)len}));
    j->is_invalid |= !is_fine;
    free(decoded);
}

static void judge_payload(judgement *j, int type, slice read)
{
    const char *name = type == MESSAGE_2_CANDIDATE ? "candidate" : type == MESSAGE_2_SIGNAL ? "data" : "sdp";
    json_member member;
    if (!is_addressed(type)) {
        REQUIRE(read.len == 0);
        return;
    }
    bool is_fine = reference_find_member(j->text, name, &member);
    if (is_fine && type == MESSAGE_2_CANDIDATE)
        is_fine = member.type == JSON_OBJECT || member.type == JSON_STRING || member.type == JSON_NULL;
    if (is_fine && (type == MESSAGE_2_OFFER || type == MESSAGE_2_ANSWER))
        is_fine = member.type == JSON_OBJECT || (member.type == JSON_STRING && member.value.len > 2);
    REQUIRE(!j->is_accepted || !is_fine || slice_equals(read, member.value));
    j->is_invalid |= !is_fine;
}

static void judge_data(judgement *j, int type, slice read)
{
    json_member member = {.type = JSON_NULL};
    bool is_taken = type == MESSAGE_2_JOIN || type == MESSAGE_2_UPDATE;
    bool is_there = is_taken && reference_find_member(j->text, "data", &member);
    j->is_invalid |= type == MESSAGE_2_UPDATE && !is_there;
    slice expected = is_there && member.type != JSON_NULL ? member.value : (slice){NULL, 0};
    j->is_too_large |= expected.len > MESSAGE_2_MAX_DATA_BYTES;
    REQUIRE(!j->is_accepted || slice_equals(read, expected));
}

static void judge_text(judgement *j, int type, slice read)
{
    json_member member;
    if (type != MESSAGE_2_LEAVE || !reference_find_value(j->text, "text", &member)) {
        REQUIRE(read.len == 0);
        return;
    }
    char *decoded = NULL;
    long len = member.type == JSON_STRING
                   ? reference_decode((slice){member.value.data + 1, member.value.len - 2}, &decoded)
                   : -1;
    free(decoded);
    /* A long text with half a surrogate pair has both faults. */
    j->is_invalid |= len < 0;
    j->is_too_large |=
        len > MESSAGE_2_MAX_TEXT_BYTES || (len < 0 && member.value.len > MESSAGE_2_MAX_TEXT_BYTES);
    REQUIRE(!j->is_accepted || slice_equals(read, member.value));
}

static void check_message(slice text, int fault, const message_2 *m)
{
    judgement j = {.text = text, .is_accepted = fault == 0};
    int type = reference_find_type(text, types, TYPE_COUNT);
    REQUIRE((int)m->type == (type < 0 ? MESSAGE_2_NO_TYPE : type));
    REQUIRE((fault == MESSAGE_2_UNSUPPORTED) == (type == -2));
    REQUIRE(type >= 0 || fault != 0);
    REQUIRE(type >= 0 || fault == (type == -2 ? MESSAGE_2_UNSUPPORTED : MESSAGE_2_INVALID));

    judge_number(&j, "n", type < 0 || is_counted(type), is_counted(type), 1, m->has_n, m->n);
    judge_number(&j, "ack", type != MESSAGE_2_JOIN, type == MESSAGE_2_ACK, 0, m->has_ack, m->ack);
    if (type < 0)
        return;
    REQUIRE(strcmp(message_2_type_name(m->type), types[type]) == 0);
    bool is_join = type == MESSAGE_2_JOIN;
    judge_number(&j, "seen", is_join, false, 0, m->has_seen, m->seen);
    judge_name(&j, "room", is_join, true, m->room);
    judge_name(&j, "user", is_join, false, m->user);
    judge_identifier(&j, "token", is_join, 22, 64, m->token);
    judge_identifier(&j, "formerly", is_join, 1, 32, m->formerly);
    judge_identifier(&j, "to", is_addressed(type), 1, 32, m->to);
    judge_payload(&j, type, m->payload);
    judge_data(&j, type, m->data);
    judge_text(&j, type, m->text);
    REQUIRE(fault != 0 || (!j.is_invalid && !j.is_too_large));
    REQUIRE(fault != MESSAGE_2_INVALID || j.is_invalid);
    REQUIRE(fault != MESSAGE_2_TOO_LARGE || j.is_too_large);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    slice text = {copy, size};
    message_2 decoded;
    int fault = message_2_decode(text, MAX_NAME_BYTES, &decoded);
    REQUIRE(fault >= 0 && fault < MESSAGE_2_NO_MEMORY);
    if (reference_is_utf8(text)) { /* the contract excludes all else: it only must not hurt */
        if (reference_is_object(text))
            check_message(text, fault, &decoded);
        else
            REQUIRE(fault == MESSAGE_2_INVALID && decoded.type == MESSAGE_2_NO_TYPE && !decoded.has_n);
    }
    free(copy);
    return 0;
}

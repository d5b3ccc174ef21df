#include "dialect_2/answers.h"

#include "dialect_2/presence.h"
#include "dialect_2/seat_house.h"
#include "dialect_2/writer.h"
#include "protocol/fields.h"

#include <stdlib.h>

/* ---- Joined ---- */

bool answers_needs_ice(const seat *s, bool is_resumed, uint64_t now_ms)
{
    uint64_t half_life_ms = s->house->hall->limits->ice_ttl_ms / 2;
    return !is_resumed || s->ice_told_ms == 0 || now_ms - s->ice_told_ms > half_life_ms;
}

static void write_ice(writer *w, seat *s, bool is_resumed)
{
    const dialect_hall *hall = s->house->hall;
    uint64_t now_ms = hall->now_ms(hall);
    char *servers =
        answers_needs_ice(s, is_resumed, now_ms) ? participant_host_of(s->wire)->ice_servers(s->wire) : NULL;
    if (servers == NULL)
        return;
    WRITER_PUT(w, ",\"iceServers\":");
    writer_put(w, slice_of_text(servers));
    free(servers);
    s->ice_told_ms = now_ms;
}

static void write_joined(writer *w, seat *s, bool is_resumed)
{
    const room_member *me = s->peer->member;
    const dialect_limits *limits = s->house->hall->limits;
    char id[ROOM_PEER_ID_LEN];
    char shown[TOKEN_CHARS];
    room_member_write_id(me, id);
    token_write(&s->current, shown);
    WRITER_PUT(w, "{\"type\":\"joined\",\"room\":");
    writer_put(w, room_member_room_json(me));
    WRITER_PUT(w, ",\"peer\":\"");
    writer_put(w, (slice){id, sizeof(id)});
    WRITER_PUT(w, "\",\"order\":");
    writer_put_number(w, room_member_order(me));
    WRITER_PUT(w, ",\"token\":\"");
    writer_put(w, (slice){shown, sizeof(shown)});
    writer_put(w, is_resumed ? SLICE_LITERAL("\",\"resumed\":true") : SLICE_LITERAL("\",\"resumed\":false"));
    WRITER_PUT(w, ",\"received\":");
    writer_put_number(w, s->received);
    WRITER_PUT(w, ",\"tick\":");
    writer_put_number(w, (limits->ping_interval_ms + 999) / 1000);
    WRITER_PUT(w, ",\"resumeFor\":");
    writer_put_number(w, limits->resume_for_ms / 1000);
    if (!is_resumed) {
        WRITER_PUT(w, ",\"peers\":");
        presence_write_peers(w, s);
    }
    write_ice(w, s, is_resumed);
    WRITER_PUT(w, "}");
}

void answers_joined(seat *s, bool is_resumed)
{
    writer w = {0};
    write_joined(&w, s, is_resumed);
    slice text = writer_text(&w);
    if (text.len == 0)
        participant_host_of(s->wire)->give_up(s->wire); /* its client comes back, and is told then */
    else
        (void)participant_say(s->wire, text);
    writer_clear(&w);
}

/* ---- Errors ---- */

typedef struct error_row {
    slice code;    /* as JSON, as the next */
    slice message; /* for people who read logs */
} error_row;

static const error_row errors[] = {
    [ANSWER_INVALID] = {FIELDS_TEXT("\"invalid\""), FIELDS_TEXT("\"Invalid message\"")},
    [ANSWER_NOT_JOINED] = {FIELDS_TEXT("\"not-joined\""), FIELDS_TEXT("\"Join a room first\"")},
    [ANSWER_ROOM_FULL] = {FIELDS_TEXT("\"room-full\""), FIELDS_TEXT("\"The room is full\"")},
    [ANSWER_NO_SUCH_PEER] = {FIELDS_TEXT("\"no-such-peer\""),
                             FIELDS_TEXT("\"Nobody in the room has this id\"")},
    [ANSWER_QUEUE_FULL] = {FIELDS_TEXT("\"queue-full\""), FIELDS_TEXT("\"The queue of the room is full\"")},
    [ANSWER_TOO_LARGE] = {FIELDS_TEXT("\"too-large\""), FIELDS_TEXT("\"Too large\"")},
    [ANSWER_BUSY] = {FIELDS_TEXT("\"busy\""), FIELDS_TEXT("\"The server has no place for this now\"")},
    [ANSWER_UNSUPPORTED] = {FIELDS_TEXT("\"unsupported\""), FIELDS_TEXT("\"Unknown type of message\"")},
    [ANSWER_NOT_ALLOWED] = {FIELDS_TEXT("\"not-allowed\""), {NULL, 0}},
};

answer_code answers_code_of(message_2_fault fault)
{
    static const answer_code codes[] = {
        [MESSAGE_2_INVALID] = ANSWER_INVALID,
        [MESSAGE_2_TOO_LARGE] = ANSWER_TOO_LARGE,
        [MESSAGE_2_UNSUPPORTED] = ANSWER_UNSUPPORTED,
        [MESSAGE_2_NO_MEMORY] = ANSWER_BUSY,
    };
    return codes[fault];
}

/* From `code` to the end of the fields that all errors have. */
static void write_error_with(writer *w, answer_code code, slice message_json, bool is_fatal)
{
    WRITER_PUT(w, "\"code\":");
    writer_put(w, errors[code].code);
    WRITER_PUT(w, ",\"message\":");
    writer_put(w, message_json);
    writer_put(w, is_fatal ? SLICE_LITERAL(",\"fatal\":true") : SLICE_LITERAL(",\"fatal\":false"));
    if (code == ANSWER_BUSY)
        WRITER_PUT(w, ",\"retryAfterMs\":1000");
}

static void write_error(writer *w, answer_code code, bool is_fatal)
{
    write_error_with(w, code, errors[code].message, is_fatal);
}

static void say_error(participant *p, answer_code code, slice message_json, bool is_fatal)
{
    writer w = {0};
    WRITER_PUT(&w, "{\"type\":\"error\",");
    write_error_with(&w, code, message_json, is_fatal);
    WRITER_PUT(&w, "}");
    if (writer_text(&w).len > 0)
        (void)participant_say(p, writer_text(&w));
    writer_clear(&w);
}

void answers_error(participant *p, answer_code code, bool is_fatal)
{
    say_error(p, code, errors[code].message, is_fatal);
}

void answers_not_allowed(participant *p, slice why_json)
{
    say_error(p, ANSWER_NOT_ALLOWED, why_json, false);
}

void answers_refusal(seat *s, answer_code code, uint64_t n)
{
    writer w = {0};
    WRITER_PUT(&w, ",");
    write_error(&w, code, false);
    WRITER_PUT(&w, ",\"n\":");
    writer_put_number(&w, n);
    seat_tell_written(s, SLICE_LITERAL("{\"type\":\"error\",\"seq\":"), &w);
    writer_clear(&w);
}

/* ---- The others ---- */

void answers_left(participant *p)
{
    (void)participant_say(p, SLICE_LITERAL("{\"type\":\"left\"}"));
}

void answers_tick(participant *p)
{
    (void)participant_say(p, SLICE_LITERAL("{\"type\":\"tick\"}"));
}

void answers_pong(participant *p)
{
    (void)participant_say(p, SLICE_LITERAL("{\"type\":\"pong\"}"));
}

void answers_goaway(participant *p, bool is_restart, uint64_t spread)
{
    enum { LEAST_MS = 100, SPREAD_MS = 3000 };
    writer w = {0};
    WRITER_PUT(&w, "{\"type\":\"goaway\",\"reason\":");
    writer_put(&w, is_restart ? SLICE_LITERAL("\"restart\"") : SLICE_LITERAL("\"overloaded\""));
    WRITER_PUT(&w, ",\"retryAfterMs\":");
    writer_put_number(&w, LEAST_MS + spread % SPREAD_MS);
    WRITER_PUT(&w, "}");
    if (writer_text(&w).len > 0)
        (void)participant_say(p, writer_text(&w));
    writer_clear(&w);
}

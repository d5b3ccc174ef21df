/* What clients of the session dialect and of version 2 say, and what they may hear, for wire.h. */
#ifndef HOMECALL_TESTS_FUZZ_WIRE_DIALECTS_H
#define HOMECALL_TESTS_FUZZ_WIRE_DIALECTS_H

#include "fuzz.h"

#include "base/slice.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

typedef enum wire_dialect { WIRE_VERSION_1, WIRE_SESSION, WIRE_VERSION_2, WIRE_DIALECTS } wire_dialect;

/* What a client of version 2 knows, also when its connection is gone. */
typedef struct wire_past {
    char token[32];
    char peer[40];
    unsigned seq; /* the last one that it has heard */
    unsigned n;   /* the last one that it has used */
} wire_past;

#define WIRE_HEAD(target, more)                                                              \
    "GET " target " HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" more "\r\n"

/* A request; `what` chooses one of four sessions. */
static inline const char *wire_request_of(wire_dialect dialect, uint8_t what)
{
    static const char *const sessions[4] = {
        WIRE_HEAD("/signal?sessionId=r0", ""), WIRE_HEAD("/signal?x&sessionId=r%31", ""),
        WIRE_HEAD("/signal?sessionId=+r%32+", ""), WIRE_HEAD("/signal?sessionId=%22%00", "")};
    switch (dialect) {
    case WIRE_SESSION:
        return sessions[what & 3];
    case WIRE_VERSION_2:
        return WIRE_HEAD("/signal?sessionId=r0", "Sec-WebSocket-Protocol: x, homecall.2\r\n");
    default:
        return WIRE_HEAD("/signal", "");
    }
}

/* ---- What is said ---- */

enum { WIRE_TEXT_CAP = 512 };

/* Write a message: in it # and $ become two small numbers, @ the next `n`, % the last `seq`, ! the token and
 * ~ the own peer id. */
static inline void wire_say(char text[WIRE_TEXT_CAP], wire_dialect dialect, wire_past *past, uint8_t what)
{
    static const char *const said[WIRE_DIALECTS][8] = {
        [WIRE_SESSION] = {"{\"type\":\"offer\",\"sdp\":\"v=$\"}",
                          "{\"type\":\"offer\",\"sessionId\":\"r#\",\"sdp\":\"v=$\",\"initiator\":true}",
                          "{\"type\":\"answer\",\"sessionId\":\" r# \",\"sdp\":{\"s\":\"$\"}}",
                          "{\"type\":\"candidate\",\"candidate\":{\"c\":[#,$]}}",
                          "{\"type\":\"candidate\",\"sessionId\":\"r#\",\"candidate\":{}}",
                          "{\"type\":\"hangup\",\"reason\":\"$\"}",
                          "{\"type\":\"error\",\"message\":\"e# $\"}", "null"},
        [WIRE_VERSION_2] = {"{\"type\":\"join\",\"room\":\"r#\",\"user\":\"u$\",\"data\":{\"d\":#}}",
                            "{\"type\":\"join\",\"room\":\"r#\",\"token\":\"!\",\"seen\":%}",
                            "{\"type\":\"join\",\"room\":\"r#\",\"token\":\"!\",\"formerly\":\"~\"}",
                            "{\"type\":\"offer\",\"n\":@,\"sdp\":\"v=$\"}",
                            "{\"type\":\"signal\",\"n\":@,\"data\":[#,$],\"ack\":%}",
                            "{\"type\":\"candidate\",\"n\":@,\"to\":\"~\",\"candidate\":null}",
                            "{\"type\":\"update\",\"n\":@,\"data\":#}",
                            "{\"type\":\"leave\",\"text\":\"$\",\"ack\":%}"},
    };
    size_t len = 0;
    for (const char *at = said[dialect][what & 7]; *at != '\0'; at++) {
        char piece[WIRE_TEXT_CAP] = {*at};
        if (*at == '#' || *at == '$')
            snprintf(piece, sizeof(piece), "%d", *at == '#' ? what >> 3 & 3 : what >> 5 & 3);
        else if (*at == '@')
            snprintf(piece, sizeof(piece), "%u", ++past->n);
        else if (*at == '%')
            snprintf(piece, sizeof(piece), "%u", past->seq);
        else if (*at == '!')
            snprintf(piece, sizeof(piece), "%s",
                     past->token[0] != '\0' ? past->token : "AAAAAAAAAAAAAAAAAAAAAA");
        else if (*at == '~')
            snprintf(piece, sizeof(piece), "%s", past->peer[0] != '\0' ? past->peer : "nobody");
        len += (size_t)snprintf(text + len, WIRE_TEXT_CAP - len, "%s", piece);
    }
}

/* ---- What is heard ---- */

static inline bool wire_is_one_of(const char *type, const char *const types[])
{
    for (; *types != NULL; types++) {
        if (strcmp(type, *types) == 0)
            return true;
    }
    return false;
}

/* protocol/README.md, "The session dialect": sessionId is always there. */
static inline void wire_check_session(const cJSON *message, const char *type)
{
    static const char *const types[] = {"offer", "answer", "candidate", "hangup", "error", NULL};
    REQUIRE(wire_is_one_of(type, types) && cJSON_IsString(cJSON_GetObjectItem(message, "sessionId")));
}

static inline void wire_remember(char *out, size_t cap, const cJSON *text)
{
    REQUIRE(cJSON_IsString(text) && strlen(text->valuestring) < cap);
    snprintf(out, cap, "%s", text->valuestring);
}

/* protocol/README.md, 2.2 and 2.5: the numbers have no gap. */
static inline void wire_check_version_2(const cJSON *message, const char *type, wire_past *past)
{
    static const char *const numbered[] = {
        "offer",        "answer",    "candidate", "signal",    "peer-joined",
        "peer-changed", "peer-away", "peer-back", "peer-left", NULL};
    static const char *const others[] = {"ack", "left", "tick", "pong", "goaway", NULL};
    const cJSON *seq = cJSON_GetObjectItem(message, "seq");
    if (strcmp(type, "joined") == 0) {
        wire_remember(past->token, sizeof(past->token), cJSON_GetObjectItem(message, "token"));
        wire_remember(past->peer, sizeof(past->peer), cJSON_GetObjectItem(message, "peer"));
        past->n = (unsigned)cJSON_GetObjectItem(message, "received")->valuedouble;
        if (!cJSON_IsTrue(cJSON_GetObjectItem(message, "resumed")))
            past->seq = 0;
    } else if (strcmp(type, "error") == 0) {
        REQUIRE(cJSON_IsString(cJSON_GetObjectItem(message, "code")) &&
                (seq != NULL) == cJSON_HasObjectItem(message, "n"));
    } else {
        REQUIRE(wire_is_one_of(type, seq != NULL ? numbered : others));
    }
    if (seq != NULL)
        REQUIRE((unsigned)seq->valuedouble == ++past->seq);
}

#endif

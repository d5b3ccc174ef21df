#include "chaos/attack_kinds.h"

#include "websocket/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mask[WS_MASK_LEN] = {0x12, 0x34, 0x56, 0x78};

/* ---- Bytes to send ---- */

void attack_add(text *t, const void *data, size_t len)
{
    if (t->len + len > t->cap) {
        t->cap = 2 * (t->len + len);
        t->data = realloc(t->data, t->cap);
        if (t->data == NULL)
            exit(2);
    }
    memcpy(t->data + t->len, data, len);
    t->len += len;
}

static void add_frame(text *t, int opcode, bool is_final, const void *payload, size_t len)
{
    uint8_t header[WS_MAX_CLIENT_HEADER];
    size_t header_len = ws_client_frame_header(header, (ws_opcode)opcode, len, mask);
    if (!is_final)
        header[0] &= 0x7F;
    attack_add(t, header, header_len);
    size_t at = t->len;
    if (len > 0)
        attack_add(t, payload, len);
    ws_mask(t->data + at, len, mask);
}

static void add_message(text *t, const char *message)
{
    add_frame(t, WS_OPCODE_TEXT, true, message, strlen(message));
}

/* ---- The attacks ---- */

static void join_pair(text *t, unsigned number)
{
    char join[80];
    snprintf(join, sizeof(join), "{\"type\":\"join\",\"room\":\"chaos %u\",\"user\":\"%u\"}", number / 2,
             number);
    add_message(t, join);
}

static void join_alone(text *t, unsigned number)
{
    char join[80];
    snprintf(join, sizeof(join), "{\"type\":\"join\",\"room\":\"alone %u\",\"user\":\"u\"}", number);
    add_message(t, join);
}

static void begin_text(text *t, unsigned number)
{
    (void)number;
    add_frame(t, WS_OPCODE_TEXT, false, "{", 1);
}

static void ping(text *t)
{
    for (int i = 0; i < 1000; i++)
        add_frame(t, WS_OPCODE_PING, true, NULL, 0);
}

static void fragment(text *t)
{
    for (int i = 0; i < 1000; i++)
        add_frame(t, WS_OPCODE_CONTINUATION, false, " ", 1);
}

static void continuation(text *t)
{
    for (int i = 0; i < 1000; i++)
        add_frame(t, WS_OPCODE_CONTINUATION, false, NULL, 0);
}

static void signal_small(text *t)
{
    add_message(t, "{\"type\":\"candidate\",\"candidate\":{\"candidate\":\"candidate:1 1 udp 2122260223 "
                   "192.0.2.1 56143 typ host generation 0 ufrag abcd network-cost 999\",\"sdpMid\":\"0\"}}");
}

static void add_signal(text *t, size_t len)
{
    char *message = malloc(len + 64);
    if (message == NULL)
        exit(2);
    int head = sprintf(message, "{\"type\":\"candidate\",\"candidate\":\"");
    memset(message + head, 'x', len);
    strcpy(message + (size_t)head + len, "\"}");
    add_message(t, message);
    free(message);
}

static void signal_of_60_kb(text *t)
{
    add_signal(t, 60000);
}

/* As much JSON as a message may have, of the shape that costs most, and no fault. */
static void worst_json(text *t)
{
    text json = {0};
    attack_add(&json, "{", 1);
    while (json.len < 128 * 1024 - 64)
        attack_add(&json, "\"\\n\":0,", 7);
    attack_add(&json, "\"type\":\"leave\"}", 16 - 1);
    add_frame(t, WS_OPCODE_TEXT, true, json.data, json.len);
    free(json.data);
}

/* Nearly all of the largest message; the rest never comes. */
static void most_of_a_message(text *t, unsigned number)
{
    (void)number;
    char *zeros = calloc(1, 127 * 1024);
    if (zeros == NULL)
        exit(2);
    memset(zeros, ' ', 127 * 1024);
    add_frame(t, WS_OPCODE_TEXT, false, zeros, 127 * 1024);
    free(zeros);
}

static void fill_queue(text *t, unsigned number)
{
    join_alone(t, number);
    for (int i = 0; i < 4; i++)
        add_signal(t, 60000);
}

static void one_byte(text *t)
{
    add_frame(t, WS_OPCODE_CONTINUATION, false, " ", 1);
}

static void pong(text *t)
{
    add_frame(t, WS_OPCODE_PONG, true, NULL, 0);
}

static void one_ping(text *t)
{
    add_frame(t, WS_OPCODE_PING, true, NULL, 0);
}

static const attack attacks[] = {
    {"pings", .say_always = ping},
    {"fragments", .say_once = begin_text, .say_always = fragment},
    {"continuations", .say_once = begin_text, .say_always = continuation},
    {"signals", join_pair, signal_small, .rate = 900},
    {"json", .say_always = worst_json},
    {"deaf", join_pair, signal_of_60_kb, .is_deaf = true},
    {"trickle", most_of_a_message, one_byte, .rate = 0.2},
    {"queues", fill_queue, pong, .rate = 0.2},
    {"hellos", .say_always = pong, .is_hello = true},
    {"keys", .say_always = one_ping, .renews = true},
};

const attack *attack_find(const char *name)
{
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        if (strcmp(attacks[i].name, name) == 0)
            return &attacks[i];
    }
    return NULL;
}

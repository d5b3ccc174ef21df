#include "halls/script.h"

#include <stdio.h>

/* Nothing that the rooms or dialects know ends near a multiple of this. */
enum { STEP_MS = 400, LONGER_THAN_TRUST_MS = 1200 };

/* splitmix64 */
unsigned script_draw(uint64_t *state, unsigned below)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (unsigned)((z ^ z >> 31) % below);
}

typedef struct player {
    site *site;
    const cast *cast;
    uint64_t rng;
    unsigned said; /* so that each signal has a text of its own */
} player;

static unsigned draw(player *p, unsigned below)
{
    return script_draw(&p->rng, below);
}

/* As JSON. */
static const char *const rooms_json[HALL_ROOMS] = {"\"anna\"", "\"quay\"", "\"\\\"odd\\\" room\"",
                                                   "\"a session\""};
static const char *const users_json[] = {"\"ann\"", "\"b\\u00e9la\"", "\"c\\\"d\""};

/* ---- Version 1 ---- */

static void do_1(player *p, unsigned who)
{
    char text[512];
    bool is_in = p->site->callers[who].p.peer.member != NULL;
    unsigned what = draw(p, is_in ? 30 : 8);
    unsigned room = draw(p, HALL_ROOMS - 1);
    unsigned user = draw(p, 3);
    p->said++;
    if (what < 5)
        snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":%s,\"user\":%s}", rooms_json[room],
                 users_json[user]);
    else if (what < 7)
        snprintf(text, sizeof(text), "{\"type\":\"leave\"}");
    else if (what < 14)
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"sdp\":\"v=%u \\u20ac\"}", p->said);
    else if (what < 19)
        snprintf(text, sizeof(text), "{\"type\":\"answer\",\"sdp\":{\"a\":[%u]}}", p->said);
    else if (what < 28)
        snprintf(text, sizeof(text), "{\"type\":\"candidate\",\"candidate\":%s}",
                 p->said % 3 == 0 ? "null" : "\"c\"");
    else if (what < 29)
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"room\":%s,\"sdp\":\"w\"}", rooms_json[room]);
    else
        snprintf(text, sizeof(text), "{\"type\":\"nonsense\"}");
    site_say(p->site, who, text);
}

/* ---- Sessions ---- */

static void do_session(player *p, unsigned who)
{
    char text[512];
    unsigned what = draw(p, 16);
    p->said++;
    if (what < 4)
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"sdp\":\"v=%u\",\"initiator\":true}", p->said);
    else if (what < 7)
        snprintf(text, sizeof(text), "{\"type\":\"answer\",\"sessionId\":\"a session\",\"sdp\":\"v=%u\"}",
                 p->said);
    else if (what < 12)
        snprintf(text, sizeof(text), "{\"type\":\"candidate\",\"candidate\":{\"c\":%u}}", p->said);
    else if (what < 13)
        snprintf(text, sizeof(text), "{\"type\":\"hangup\"}");
    else if (what < 14)
        snprintf(text, sizeof(text), "{\"type\":\"hangup\",\"reason\":\"r%u\",\"initiator\":1}", p->said);
    else if (what < 15)
        snprintf(text, sizeof(text), "{\"type\":\"error\",\"message\":\"m%u\",\"code\":3}", p->said);
    else
        snprintf(text, sizeof(text), "[]");
    site_say(p->site, who, text);
}

/* ---- Version 2 ---- */

/* Mostly with what it has, sometimes with the token before, as if "joined" had not come, or with that of
 * another caller, whose connection is there still. */
static void join_2(player *p, unsigned who)
{
    caller *c = &p->site->callers[who];
    const caller *from = draw(p, 6) == 0 ? &p->site->callers[draw(p, CALLERS)] : c;
    const char *shown = draw(p, 5) == 0 ? from->former_token : from->token;
    char text[512], data[64], token[128];
    unsigned room = draw(p, HALL_ROOMS - 1);
    unsigned user = draw(p, 4);
    unsigned how = draw(p, 4);
    snprintf(data, sizeof(data), ",\"data\":{\"d\":%u}", p->said);
    token[0] = '\0';
    if (shown[0] != '\0' && how == 0)
        snprintf(token, sizeof(token), ",\"token\":\"%s\"", shown);
    else if (shown[0] != '\0' && how < 3)
        snprintf(token, sizeof(token), ",\"token\":\"%s\",\"seen\":%llu", shown,
                 (unsigned long long)(from->seen > 0 && draw(p, 3) == 0 ? from->seen - 1 : from->seen));
    if (token[0] != '\0') { /* where it was */
        room = from->last_room;
        c->seen = from->seen;
    }
    c->last_room = room;
    snprintf(text, sizeof(text), "{\"type\":\"join\",\"room\":%s%s%s%s%s%s}", rooms_json[room],
             user < 3 ? ",\"user\":" : "", user < 3 ? users_json[user] : "", draw(p, 2) ? data : "", token,
             draw(p, 4) == 0 ? ",\"formerly\":\"me-before\"" : "");
    site_say(p->site, who, text);
}

/* The numbers are those of its own site. */
static void say_numbered(player *p, unsigned who, unsigned what)
{
    caller *c = &p->site->callers[who];
    char text[512], to[64], ack[64];
    unsigned whom = draw(p, 8);
    uint64_t n = c->n + 1;
    if (draw(p, 30) == 0)
        n += draw(p, 2) == 0 ? 1 : (uint64_t)-1; /* a gap, or once more */
    to[0] = ack[0] = '\0';
    if (whom < c->id_count)
        snprintf(to, sizeof(to), ",\"to\":\"%.11s\"", c->ids[whom]);
    if (draw(p, 3) == 0)
        snprintf(ack, sizeof(ack), ",\"ack\":%llu", (unsigned long long)c->seen);
    if (what == 0)
        snprintf(text, sizeof(text), "{\"type\":\"update\",\"n\":%llu,\"data\":%u%s}", (unsigned long long)n,
                 p->said, ack);
    else if (what == 1)
        snprintf(text, sizeof(text), "{\"type\":\"signal\",\"n\":%llu,\"data\":[%u]%s%s}",
                 (unsigned long long)n, p->said, to, ack);
    else if (what == 2)
        snprintf(text, sizeof(text), "{\"type\":\"unheard\",\"n\":%llu%s}", (unsigned long long)n, ack);
    else if (what == 3)
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"n\":%llu,\"sdp\":7%s}", (unsigned long long)n,
                 ack);
    else if (what < 8)
        snprintf(text, sizeof(text), "{\"type\":\"offer\",\"n\":%llu,\"sdp\":\"v%u\"%s%s}",
                 (unsigned long long)n, p->said, to, ack);
    else
        snprintf(text, sizeof(text), "{\"type\":\"candidate\",\"n\":%llu,\"candidate\":{\"c\":%u}%s%s}",
                 (unsigned long long)n, p->said, to, ack);
    if (n > c->n && c->is_joined)
        c->n = n;
    site_say(p->site, who, text);
}

static void do_2(player *p, unsigned who)
{
    const caller *c = &p->site->callers[who];
    char text[128];
    unsigned what = draw(p, 24);
    p->said++;
    if (!c->is_joined && what < 22) {
        join_2(p, who);
        return;
    }
    if (what < 14) {
        say_numbered(p, who, what);
        return;
    }
    if (what < 17)
        snprintf(text, sizeof(text), "{\"type\":\"ack\",\"ack\":%llu}", (unsigned long long)c->seen);
    else if (what < 18)
        snprintf(text, sizeof(text), "{\"type\":\"ping\",\"ack\":%llu}", (unsigned long long)c->seen);
    else if (what < 19)
        snprintf(text, sizeof(text), "{\"type\":\"ping\"}");
    else if (what < 20)
        snprintf(text, sizeof(text), "{\"type\":\"pong\"}");
    else if (what < 22) {
        snprintf(text, sizeof(text), "{\"type\":\"leave\",\"text\":\"bye \\u00e9 %u\"}", p->said);
        p->site->callers[who].is_joined = false;
    } else if (what < 23)
        snprintf(text, sizeof(text), "{\"type\":\"signal\",\"data\":1}");
    else
        snprintf(text, sizeof(text), "not JSON");
    site_say(p->site, who, text);
}

/* ---- What happens besides ---- */

/* Not one that waits: what it has said would be handled later, and count as a sign of life in one hall. */
static void fall_silent(player *p, unsigned who)
{
    site_pass(p->site, LONGER_THAN_TRUST_MS);
    p->site->callers[who].is_silent = p->site->callers[who].is_open && !p->site->callers[who].is_held;
    site_pass(p->site, LONGER_THAN_TRUST_MS);
}

static void pass(player *p)
{
    static const unsigned long_times[] = {STEP_MS * 9, STEP_MS * 30, STEP_MS * 80, STEP_MS * 310};
    unsigned what = draw(p, 12);
    if (what == 0)
        site_tick_clients(p->site);
    site_pass(p->site, what < 8 ? STEP_MS : long_times[draw(p, 4)]);
}

static void act(player *p, unsigned who)
{
    static void (*const by_dialect[])(player * p, unsigned who) = {do_2, do_session, do_1};
    int speaks = p->cast->dialects[who];
    unsigned what = draw(p, 40);
    int node = (int)draw(p, NODES);
    if (!p->site->callers[who].is_open)
        site_connect(p->site, who, speaks, node, speaks == CAST_SESSION ? "a session" : NULL);
    else if (what < (p->site->callers[who].is_silent ? 10 : 2)) /* who is silent says nothing either */
        site_cut(p->site, who, false);
    else if (p->site->callers[who].is_silent)
        return;
    else if (what < 3)
        site_cut(p->site, who, true);
    else if (what < 4)
        fall_silent(p, who);
    else
        by_dialect[speaks](p, who);
}

void script_play(site *s, const cast *c, uint64_t seed, unsigned steps)
{
    player p = {.site = s, .cast = c, .rng = seed};
    for (unsigned i = 0; i < steps; i++) {
        unsigned what = draw(&p, 40);
        unsigned who = draw(&p, CALLERS);
        if (what < 8)
            pass(&p);
        else if (what < 9)
            site_drain(s, (int)(who % NODES));
        else
            act(&p, who);
    }
}

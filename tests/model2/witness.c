#include "model2/witness.h"

#include "support/run_fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t bit(int session)
{
    return UINT64_C(1) << session;
}

int witness_begin(witness *w, int actor, int version, const char *room, const char *peer, const char *user)
{
    if (w->session_count == WITNESS_SESSIONS)
        return WITNESS_NOBODY;
    witness_session *s = &w->sessions[w->session_count];
    *s = (witness_session){.actor = actor, .version = version};
    snprintf(s->room, sizeof(s->room), "%s", room);
    snprintf(s->peer, sizeof(s->peer), "%s", peer);
    snprintf(s->user, sizeof(s->user), "%s", user);
    return w->session_count++;
}

void witness_end(witness *w, int session)
{
    if (session != WITNESS_NOBODY)
        w->sessions[session].has_ended = true;
}

int witness_find(const witness *w, const char *room, const char *peer)
{
    for (int i = w->session_count - 1; i >= 0; i--) {
        if (w->sessions[i].version == 2 && strcmp(w->sessions[i].peer, peer) == 0 &&
            strcmp(w->sessions[i].room, room) == 0)
            return i;
    }
    return WITNESS_NOBODY;
}

/* ---- Sending ---- */

int witness_send_begin(witness *w, const char *kind, const char *to)
{
    if (w->send_count == WITNESS_SENDS)
        return WITNESS_NOBODY;
    witness_send *s = &w->sends[w->send_count];
    *s = (witness_send){.session = WITNESS_NOBODY, .kind = kind};
    snprintf(s->to, sizeof(s->to), "%s", to);
    return w->send_count++;
}

void witness_sent(witness *w, int send, int session, uint64_t n, bool is_alone)
{
    w->sends[send].session = session;
    w->sends[send].n = n;
    w->sends[send].was_alone = is_alone;
}

static bool is_understood(const witness *w, const witness_send *s, int session)
{
    return w->sessions[session].version == 2 || strcmp(s->kind, "signal") != 0;
}

static bool is_for(const witness *w, const witness_send *s, int session)
{
    return s->to[0] == '\0' || strcmp(s->to, w->sessions[session].peer) == 0;
}

void witness_owe(witness *w, int send, int session)
{
    witness_send *s = &w->sends[send];
    if (session != WITNESS_NOBODY && strcmp(s->kind, "update") != 0 && is_understood(w, s, session) &&
        is_for(w, s, session))
        s->owed |= bit(session);
}

void witness_owe_queue(witness *w, int from, int to)
{
    for (int i = 0; i < w->send_count; i++) {
        if (w->sends[i].session == from && w->sends[i].was_alone) {
            w->sends[i].was_alone = false;
            witness_owe(w, i, to);
        }
    }
}

void witness_acknowledged(witness *w, int send)
{
    w->sends[send].was_acknowledged = true;
}

void witness_refused(witness *w, int session, uint64_t n, const char *code)
{
    for (int i = 0; i < w->send_count; i++) {
        witness_send *s = &w->sends[i];
        if (s->session != session || s->n != n)
            continue;
        bool is_good = (strcmp(code, "no-such-peer") == 0 && s->to[0] != '\0') ||
                       (strcmp(code, "queue-full") == 0 && s->to[0] == '\0' && w->may_refuse);
        if (!is_good)
            run_fail("signal %d is refused with %s", i, code);
        s->was_refused = true;
        return;
    }
    run_fail("number %d of session %d is refused, and was not sent", (int)n, session);
}

/* ---- Arriving ---- */

/* Those between the last one and this one must have been for others. */
static void check_gap(witness *w, int session, int from, int send)
{
    int last = w->sessions[session].last_from[from] - 1;
    if (last < 0 || w->sessions[session].is_blurred)
        return;
    for (int i = last + 1; i < send; i++) {
        witness_send *s = &w->sends[i];
        if (s->session != from || !is_for(w, s, session) || !is_understood(w, s, session) ||
            strcmp(s->kind, "update") == 0)
            continue;
        /* Rule 7: it is not given back where another member has got it, though one before it was. */
        if (w->is_crowded && w->sessions[from].version == 1 && (s->owed & bit(session)) == 0)
            continue;
        if (!w->may_refuse)
            run_fail("session %d of actor %d gets signal %d, but not %d before it", session,
                     w->sessions[session].actor, send, i);
        if (w->sessions[from].version == 2) /* version 1 is not told which one was refused */
            s->gaps |= bit(session);
    }
}

static bool is_from(const witness *w, int session, int sender, const char *from)
{
    const witness_session *s = &w->sessions[sender];
    if (w->sessions[session].version == 1)
        return strcmp(from, s->user[0] != '\0' ? s->user : s->peer) == 0;
    return s->version == 1 || strcmp(from, s->peer) == 0; /* who speaks version 1 does not know its id */
}

void witness_handed(witness *w, int session, const char *kind, const char *from, const char *payload)
{
    char *end;
    long send = strtol(payload, &end, 10);
    if (end == payload || *end != '\0' || send < 0 || send >= w->send_count)
        run_fail("a signal that nobody has sent: %s", payload);
    witness_send *s = &w->sends[send];
    const witness_session *me = &w->sessions[session];
    int sender = s->session;
    if (sender == WITNESS_NOBODY || sender == session || strcmp(s->kind, kind) != 0)
        run_fail("signal %ld arrives as it was not sent", send);
    if (strcmp(w->sessions[sender].room, me->room) != 0)
        run_fail("signal %ld crosses rooms", send);
    if (!is_from(w, session, sender, from))
        run_fail("signal %ld is said to come from %s", send, from);
    if (!is_for(w, s, session) || !is_understood(w, s, session))
        run_fail("signal %ld was not for session %d", send, session);
    if (me->last_from[sender] > send)
        run_fail("session %d of actor %d gets signal %ld behind %d", session, me->actor, send,
                 me->last_from[sender] - 1);
    check_gap(w, session, sender, (int)send);
    w->sessions[session].last_from[sender] = (int)send + 1;
    s->handed |= bit(session);
}

void witness_left(witness *w, int session, const char *peer, const char *reason)
{
    int gone = witness_find(w, w->sessions[session].room, peer);
    if (gone == WITNESS_NOBODY)
        return;
    bool has_left = strcmp(reason, "left") == 0;
    for (int i = 0; i < w->send_count; i++) {
        const witness_send *s = &w->sends[i];
        bool must_be_here = s->session == gone && (s->owed & bit(session)) != 0 && !s->was_refused &&
                            (s->was_acknowledged || has_left);
        if (must_be_here && (s->handed & bit(session)) == 0)
            run_fail(
                "session %d of actor %d is told that the sender of signal %d is gone (%s), and lacks that",
                session, w->sessions[session].actor, i, reason);
    }
}

/* ---- At the end ---- */

void witness_require_all(const witness *w)
{
    for (int i = 0; i < w->send_count; i++) {
        const witness_send *s = &w->sends[i];
        if (s->session == WITNESS_NOBODY || w->sessions[s->session].has_ended || s->was_refused)
            continue;
        for (int to = 0; to < w->session_count; to++) {
            const witness_session *receiver = &w->sessions[to];
            bool is_lost = ((s->owed | s->gaps) & ~s->handed & bit(to)) != 0;
            if (is_lost && !receiver->has_ended && !receiver->may_lose && !w->sessions[s->session].may_lose)
                run_fail("session %d of actor %d has never got signal %d of session %d", to, receiver->actor,
                         i, s->session);
        }
    }
}

void witness_require_anybody(const witness *w, int session)
{
    if (w->sessions[session].may_lose)
        return;
    for (int i = 0; i < w->send_count; i++) {
        if (w->sends[i].session == session && w->sends[i].handed == 0)
            run_fail("nobody has got signal %d of session %d, of version 1", i, session);
    }
}

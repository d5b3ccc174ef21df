/* The witness knows which signals the applications have sent, in which session, and who has to get them; it
 * sees what each application is handed, and ends the run where protocol/README.md, "Version 2" does not hold:
 *
 * - Each signal arrives once and in the order of its sender, without gaps, at each session that its sender
 *   knew to be there, or one of the two sessions has ended.
 * - What was acknowledged, or was sent before a leave, arrives before its sender's peer-left.
 * - Nothing crosses rooms, and `from` is who has sent it.
 *
 * A session of a client of version 1 is one stay in a room, over one connection. */
#ifndef HOMECALL_TESTS_MODEL2_WITNESS_H
#define HOMECALL_TESTS_MODEL2_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

enum { WITNESS_SESSIONS = 64, WITNESS_SENDS = 512, WITNESS_NOBODY = -1 };

typedef struct witness_session {
    int actor, version;
    char room[16];
    char peer[33]; /* of version 2 */
    char user[16];
    bool has_ended;
    bool is_blurred; /* of version 1: what is on its way from the stay before can't be told from what belongs
                        to this one */
    bool may_lose;   /* of version 1: its connection was cut */
    int last_from[WITNESS_SESSIONS]; /* the last signal of each session that was handed to it, + 1 */
} witness_session;

typedef struct witness_send {
    int session; /* WITNESS_NOBODY until there is one */
    const char *kind;
    char to[33];
    bool was_acknowledged, was_refused, was_alone;
    uint64_t n;
    uint64_t owed;   /* to these sessions, as bits */
    uint64_t handed; /* to these */
    uint64_t gaps;   /* these have got a later one, but not this one */
} witness_send;

typedef struct witness {
    witness_session sessions[WITNESS_SESSIONS];
    int session_count;
    witness_send sends[WITNESS_SENDS];
    int send_count;
    bool is_crowded; /* a room holds more than two */
    bool may_refuse; /* queues are so small that signals are refused */
} witness;

/* A session begins. Returns its number. */
int witness_begin(witness *w, int actor, int version, const char *room, const char *peer, const char *user);
void witness_end(witness *w, int session);

/* The session in that room whose peer id this is, or WITNESS_NOBODY. Two rooms may have the same ids. */
int witness_find(const witness *w, const char *room, const char *peer);

/* An application sends something; returns its number, which is its payload. */
int witness_send_begin(witness *w, const char *kind, const char *to);

/* It has been sent in this session. It is owed to those that witness_owe() names. */
void witness_sent(witness *w, int send, int session, uint64_t n, bool is_alone);
void witness_owe(witness *w, int send, int session);

/* The first peer has come to one who was alone. */
void witness_owe_queue(witness *w, int from, int to);

void witness_acknowledged(witness *w, int send);
void witness_refused(witness *w, int session, uint64_t n, const char *code);

/* A signal is handed to the application of a session. `from` is a peer id, or for version 1 a user. */
void witness_handed(witness *w, int session, const char *kind, const char *from, const char *payload);

/* A session is told that the one of `peer` has gone. */
void witness_left(witness *w, int session, const char *peer, const char *reason);

/* All is quiet, and everything must have arrived. */
void witness_require_all(const witness *w);

/* Each signal of this session of version 1 must have been handed to somebody. */
void witness_require_anybody(const witness *w, int session);

#endif

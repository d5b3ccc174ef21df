/* The server's side of the model: a lobby and two shards of rooms whose loops the test turns itself, in one
 * thread, with the test's clock. A session moves between them by a list. */
#ifndef HOMECALL_TESTS_MODEL2_SITE_H
#define HOMECALL_TESTS_MODEL2_SITE_H

#include "session/session_life.h"

enum { SITE_SHARDS = 2, SITE_LOBBY = SITE_SHARDS, SITE_GROUPS };

/* The times of the server, short so that a run reaches all of them. */
enum {
    SITE_PING_MS = 5000,
    SITE_PONG_MS = 2000,
    SITE_RESUME_FOR_MS = 8000,
    SITE_PENDING_TTL_MS = 6000,
    SITE_PROBE_MS = 1000,
};

typedef struct site_limits {
    unsigned capacity;
    unsigned outbox_messages;
    unsigned pending_messages;
} site_limits;

typedef struct site {
    bool is_open;
    session_shared shared;
    net_loop loops[SITE_GROUPS];
    session_group groups[SITE_GROUPS];
    connection_queue detached;  /* on their way to another group */
    client_account accounts[2]; /* every second session has the one that limits are for */
    uint64_t opened, gone;      /* sessions, and places given back */
    unsigned moved;             /* sessions handed over, since the last turn */
} site;

/* The test's clock, which is the server's, too. */
extern uint64_t site_now_ms;

/* `life`: how often it has been opened in this run. */
void site_open(site *s, const site_limits *limits, unsigned life);

/* End it at once: every descriptor is closed, and nothing is kept. Twice is legal. */
void site_close(site *s);

/* It says goodbye to everybody, as for a restart. */
void site_say_goodbye(site *s);

/* A new connection; the descriptor is taken. */
void site_accept(site *s, int fd);

/* One turn of all loops. False when nothing has moved between them. */
bool site_turn(site *s);

/* When a loop has to turn again; UINT64_MAX = when something comes. */
uint64_t site_next_due_ms(const site *s);

/* All clients have gone, and all times are over: nothing may be left. */
void site_require_empty(const site *s);

#endif

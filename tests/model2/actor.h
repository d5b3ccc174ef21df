/* Actor: one user of the model with a client of version 1 or 2, its line, and its application, which is the
 * witness's. A client of version 1 does not come back by itself. */
#ifndef HOMECALL_TESTS_MODEL2_ACTOR_H
#define HOMECALL_TESTS_MODEL2_ACTOR_H

#include "model2/line.h"
#include "model2/site.h"
#include "model2/witness.h"
#include "support/client_2.h"

enum { ACTORS = 3 };

typedef struct world world;

typedef struct actor {
    world *world; /* borrowed */
    int index, version;
    line line;
    int cuts_next;   /* so many of its next lines will break, after so many bytes */
    bool is_ticking; /* what its client does comes from the time */
    unsigned next_up, next_down;
    line_break next_how;
    client_2 client; /* of version 2 */
    char user[16];   /* may be empty in version 2 */
    unsigned
        line_life; /* of the site, to which its line leads; it may be over while there is something to read */
    unsigned life; /* of the site, in which the session has begun */
    int session;   /* the witness's, or WITNESS_NOBODY */
    int pages;     /* it was loaded so often: what counts as its application */
    /* Of version 1: */
    bool wants_room;
    char room[16];
    bool is_waiting_to_join; /* until its line is open */
    bool has_moved;          /* it was in a room before, over the same line */
} actor;

struct world {
    site site;
    site_limits limits;
    witness witness;
    actor actors[ACTORS];
    int actor_count;
    int version_1_count;
    unsigned lives;  /* of the site */
    bool has_ghosts; /* somebody may have a place in a room that will not come back for it */
    bool is_quiet;   /* nothing is on its way, and nothing has happened since that was seen */
};

/* What the steps of a script do; see script.h. */
void actor_join(actor *a, const char *room);
void actor_send(actor *a, const char *kind, const actor *to);
void actor_update(actor *a);
void actor_leave(actor *a);
void actor_reload(actor *a, bool keeps_token, bool is_silent);
void actor_wake(actor *a);
void actor_tick(actor *a);

/* Make one without a line. `user` may be empty where it speaks version 2. */
void actor_init(actor *a, world *w, int index, int version, const char *user);

/* The member of the room that version 2 tells of with this id; WITNESS_NOBODY if it can't be told. */
int actor_session_of_peer(const world *w, const client_2_peer *peer, const char *room);

#endif

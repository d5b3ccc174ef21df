/* The clients of the simulation: what they do, by themselves and where a script says so. A client of version
 * 2 comes back by itself when it has lost its connection, and says again what was not acknowledged. */
#ifndef HOMECALL_TESTS_CLUSTER_CLIENTS_H
#define HOMECALL_TESTS_CLUSTER_CLIENTS_H

#include "cluster/world.h"

/* By that node, into that room: where it is in none. */
void clients_join(world *w, int client, int node, int room);
void clients_leave(world *w, int client);

/* Its connection ends. */
void clients_lose(world *w, int client);

/* It answers nothing any more, and nobody has noticed. */
void clients_fall_silent(world *w, int client);
void clients_send(world *w, int client);

/* It wants nothing any more. */
void clients_go_out(client *c);

/* Is there a session that it can come back to? */
bool clients_can_return(const client *c);

/* It has lost its connection or its session, and comes back within that time. */
void clients_return_within(client *c, unsigned bound_ms);

/* What is due by itself, and when that is next. */
void clients_turn(world *w);
uint64_t clients_next_ms(const world *w);

/* That node ends: so do the connections to it. */
void clients_lose_node(world *w, int node);

#endif

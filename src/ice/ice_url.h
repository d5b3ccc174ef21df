/* The list of STUN and TURN servers for browsers: the option TURN_URLS, as
 *
 *     stun:turn.example.org, turns:turn.example.org:5349?transport=tcp
 *
 * Its entries are URIs of RFC 7064 (stun, stuns) and RFC 7065 (turn, turns), separated by commas. Blanks
 * around them and empty entries do not count. A browser refuses a whole configuration for one URI that it
 * doesn't understand, so only what browsers understand is accepted: a host is an IPv4 address, an IPv6
 * address in brackets or a plain host name, a port is 1 to 65535, a transport udp or tcp. International host
 * names become ASCII, which is all that browsers look up. The list is read once, and from then on walked as
 * the text that it is. */
#ifndef HOMECALL_ICE_ICE_URL_H
#define HOMECALL_ICE_ICE_URL_H

#include "base/slice.h"

/* How many URLs a list takes. Browsers warn from five on, since each slows down the search for a path. */
enum { ICE_URL_MAX_LISTED = 16 };

/* What is wrong with the text of a list. */
typedef struct ice_url_fault {
    slice entry;        /* the first entry that is wrong; borrowed from the text */
    const char *reason; /* why; a literal, to be written behind the entry and a colon */
} ice_url_fault;

/* Read a list as people write it. 0, and a good list in *list, owned by the caller, who frees it; or -EINVAL
 * with *fault set, or -ENOMEM. */
int ice_url_read_list(slice text, char **list, ice_url_fault *fault);

/* Does this URL of a checked list name a TURN server, which needs credentials? */
bool ice_url_is_turn(slice url);

#endif

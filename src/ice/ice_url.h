/* The list of STUN and TURN servers that browsers are told of, as the option TURN_URLS has it:
 *
 *     stun:turn.example.org, turn:turn.example.org:3478?transport=udp,
 * turns:turn.example.org:5349?transport=tcp
 *
 * URIs by RFC 7064 (stun, stuns) and RFC 7065 (turn, turns), separated by commas; blanks around them and
 * entries of nothing do not count. The rules are those of the RFCs as far as browsers go along, which refuse
 * a whole configuration for one URI that they don't understand: a host is an IPv4 address, an IPv6 address in
 * brackets or a plain host name, a port is 1 to 65535, a transport udp or tcp. The list is checked once, and
 * walked in its text from then on. */
#ifndef HOMECALL_ICE_ICE_URL_H
#define HOMECALL_ICE_ICE_URL_H

#include "base/slice.h"

/* How many URLs a list takes: browsers complain at five already, since each slows down the search for a way.
 */
enum { ICE_URL_MAX_LISTED = 16 };

/* Why a text is no such list. */
typedef struct ice_url_fault {
    slice entry;        /* the first entry that is wrong; in the text */
    const char *reason; /* what is wrong with it; a literal that can follow its name and a colon */
} ice_url_fault;

/* Check the list. 0; or -EINVAL with *fault set. */
int ice_url_check_list(slice list, ice_url_fault *fault);

/* Does this good URL name a TURN server, which asks for credentials? */
bool ice_url_is_turn(slice url);

#endif

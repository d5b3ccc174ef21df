/* What a page asks for before it calls: the servers for its RTCPeerConnection, and for how long they are
 * good.
 *
 *     {"iceServers":[{"urls":["stun:turn.example.org"]},
 *                    {"urls":["turn:turn.example.org?transport=udp"],"username":"…","credential":"…"}],
 *      "ttl":3600}
 *
 * iceServers is what RTCConfiguration takes as it is (webrtc-pc, 4.2.1). STUN servers ask for no credentials
 * and get an entry of their own; an entry without URLs is left out. */
#ifndef HOMECALL_ICE_ICE_JSON_H
#define HOMECALL_ICE_ICE_JSON_H

#include "base/slice.h"
#include "ice/turn_credentials.h"

/* The text, owned by the caller, who frees it; NULL when there is no memory. `urls` is a list that
 * ice_url_check_list() found good. `credentials` may be NULL: then there is no secret to make any, and TURN
 * servers, which would let nobody in, are left out. */
char *ice_json_print(slice urls, const turn_credentials *credentials, uint32_t ttl_s);

#endif

/* The answer to a page that is about to call: the servers for its RTCPeerConnection, and for how long their
 * credentials are good.
 *
 *     {"iceServers":[{"urls":["stun:turn.example.org"]},
 *                    {"urls":["turn:turn.example.org?transport=udp"],"username":"…","credential":"…"}],
 *      "ttl":3600}
 *
 * iceServers can be given to RTCConfiguration as it is (webrtc-pc, 4.2.1). STUN servers need no credentials
 * and have an entry of their own. An entry without URLs is left out. */
#ifndef HOMECALL_ICE_ICE_JSON_H
#define HOMECALL_ICE_ICE_JSON_H

#include "base/slice.h"
#include "ice/turn_credentials.h"

/* Make the text. The caller owns it and frees it; NULL without memory. `urls` is a list of
 * ice_url_read_list(). `credentials` may be NULL: then the TURN servers, which would let nobody in, are left
 * out. */
char *ice_json_print(slice urls, const turn_credentials *credentials, uint32_t ttl_s);

/* Make the array of iceServers alone. */
char *ice_json_print_servers(slice urls, const turn_credentials *credentials);

#endif

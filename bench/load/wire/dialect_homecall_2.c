/* Version 2 of the protocol of HomeCall Signal (protocol/README.md, "Version 2"). What its messages are
 * depends on the session that they belong to, so session_2.c writes and reads them. */
#include "wire/dialect.h"

const load_dialect dialect_homecall_2 = {
    .name = "2",
    .has_sessions = true,
    .subprotocol = "homecall.2",
    .head_bytes = 50,
    .signal_tail = {"}", 1},
};

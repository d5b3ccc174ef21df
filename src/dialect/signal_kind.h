/* The kinds of signals, in all dialects: what room_signal.kind says, and what counters and log lines tell
 * apart. */
#ifndef HOMECALL_DIALECT_SIGNAL_KIND_H
#define HOMECALL_DIALECT_SIGNAL_KIND_H

#include <stdint.h>

typedef enum signal_kind {
    SIGNAL_OFFER,
    SIGNAL_ANSWER,
    SIGNAL_CANDIDATE,
    SIGNAL_DATA,   /* version 2: "signal", whatever the application means by it */
    SIGNAL_HANGUP, /* session dialect, as the next */
    SIGNAL_ERROR,
    SIGNAL_KINDS
} signal_kind;

/* The bit of a kind in room_peer_face.kinds. */
#define SIGNAL_BIT(kind) (UINT32_C(1) << (kind))

/* "offer", "answer" and so on, as `type` has it: a literal. */
const char *signal_kind_name(signal_kind kind);

#endif

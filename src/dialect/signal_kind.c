#include "dialect/signal_kind.h"

#include <assert.h>

const char *signal_kind_name(signal_kind kind)
{
    static const char *const names[SIGNAL_KINDS] = {
        [SIGNAL_OFFER] = "offer", [SIGNAL_ANSWER] = "answer", [SIGNAL_CANDIDATE] = "candidate",
        [SIGNAL_DATA] = "signal", [SIGNAL_HANGUP] = "hangup", [SIGNAL_ERROR] = "error",
    };
    assert(kind < SIGNAL_KINDS);
    return names[kind];
}

#!/usr/bin/env bash
# bench/syscalls.sh: system calls of the whole server for each signal that it relays: one pair that passes candidates of
# 200 bytes one at a time, at log level warn and at info, and fifty pairs with 32 under way in each, whose frames gather.
# Exits with 1 when a bound is passed. Takes root, since the kernel counts them.
set -euo pipefail
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"

# measure BOUND LEVEL [OPTION...]
measure() {
    local bound=$1 level=$2
    shift 2
    start_server LOG_LEVEL="$level" WORKERS=1
    check "log level $level, $*:" "system calls for each relayed signal" syscalls_per_signal "$bound" \
        relay --syscalls "$@"
    end_server
}

measure 3.05 warn --pairs 1 --window 1 --count 10000
measure 3.2 info --pairs 1 --window 1 --count 10000
measure 0.2 warn --pairs 50 --window 32 --count 500000
exit "$failed"

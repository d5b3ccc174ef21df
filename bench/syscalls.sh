#!/usr/bin/env bash
# bench/syscalls.sh: system calls of the whole server for each signal that it relays: one pair that passes candidates of
# 200 bytes one at a time, at log level warn and at info, and fifty pairs with 32 under way in each, whose frames gather.
# Exits with 1 when a bound is passed. Takes root, since the kernel counts them; where it does not, strace does.
set -euo pipefail

# shellcheck source=bench/with_tracefs.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_tracefs.sh"
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"

# measure BOUND LEVEL [OPTION...]
measure() {
    local bound=$1 level=$2
    shift 2
    start_server LOG_LEVEL="$level" WORKERS=1
    if [ -d /sys/kernel/tracing/events ]; then
        check "log level $level, $*:" "system calls for each relayed signal" syscalls_per_signal "$bound" \
            relay --syscalls "$@"
    else
        measure_by_strace "$@"
    fi
    end_server
}

# The same, counted by strace from the first connection to the last.
measure_by_strace() {
    local tracer
    strace -f -c -U calls,name -o "$private/calls" -p "$server_pid" 2>"$private/strace" &
    tracer=$!
    until grep -q attached "$private/strace"; do
        kill -0 "$tracer" # or set -e ends it here
        sleep 0.05
    done
    "$build/bench/homecall-bench" relay "$@" --quiet --json "$private/json" "ws://127.0.0.1:$port/signal"
    kill "$tracer"
    wait "$tracer" || true
    judge "log level $level, $*:" "$(awk -v signals="$(jq .totals.signals "$private/json")" '
        $NF == "total" { calls = $1 } END { print calls / signals }' "$private/calls")" \
        "system calls for each relayed signal, by strace" "$bound"
}

measure 3.05 warn --pairs 1 --window 1 --count 10000
measure 3.2 info --pairs 1 --window 1 --count 10000
measure 0.2 warn --pairs 50 --window 32 --count 500000
exit "$failed"

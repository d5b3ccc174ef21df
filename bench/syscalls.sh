#!/usr/bin/env bash
# bench/syscalls.sh: system calls of the whole server for each signal that it relays: one pair that passes candidates of
# 200 bytes one at a time, at log level warn and at info, and fifty pairs with 32 under way in each, whose frames gather.
# Then for each connection that comes, joins and closes: one after the other, and fifty at the same time.
# Exits with 1 when a bound is passed. Takes root, since the kernel counts them; where it does not, strace does.
set -euo pipefail

# shellcheck source=bench/with_tracefs.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_tracefs.sh"
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"

# measure BOUND LEVEL SCENARIO [OPTION...]
measure() {
    local bound=$1 level=$2 scenario=$3 what="for each connection" counted=operation
    shift 3
    [ "$scenario" = connect ] || { what="for each relayed signal" counted=signal; }
    start_server LOG_LEVEL="$level" WORKERS=1
    if [ -d /sys/kernel/tracing/events ]; then
        check "log level $level, $*:" "system calls $what" "syscalls_per_$counted" "$bound" "$scenario" --syscalls "$@"
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
    "$build/bench/homecall-bench" "$scenario" "$@" --quiet --json "$private/json" "ws://127.0.0.1:$port/signal"
    kill "$tracer"
    wait "$tracer" || true
    judge "log level $level, $*:" "$(awk -v count="$(jq ".totals.${counted}s" "$private/json")" '
        $NF == "total" { calls = $1 } END { print calls / count }' "$private/calls")" \
        "system calls $what, by strace" "$bound"
}

measure 3.05 warn relay --pairs 1 --window 1 --count 10000
measure 3.2 info relay --pairs 1 --window 1 --count 10000
measure 0.2 warn relay --pairs 50 --window 32 --count 500000
measure 13.1 warn connect --joined --connections 1 --count 5000
measure 10.5 warn connect --joined --connections 50 --count 10000
exit "$failed"

#!/usr/bin/env bash
# bench/syscalls.sh [COUNT]: system calls of the whole server for each signal that it relays: one pair, 200-byte
# candidates one at a time, at log level warn and at info. Exits with 1 when a bound is passed.
#
# strace counts every thread from attaching to detaching; what a run of no signals costs is taken off.
set -euo pipefail
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
count=${1:-5000}

# calls SIGNALS: system calls while this many signals are relayed.
calls() {
    strace -c -f -o "$private/strace" -p "$server_pid" 2>"$private/attach" &
    local strace_pid=$!
    until grep -qs attached "$private/attach"; do
        kill -0 "$strace_pid" || { cat "$private/attach" >&2; return 1; }
        sleep 0.02
    done
    "$build/bench/relay_pair" "$port" "$1" >"$private/relay"
    # strace says that it is attached a moment before it listens to signals, so one may be lost.
    while kill -INT "$strace_pid" 2>/dev/null; do
        sleep 0.05
    done
    wait "$strace_pid" || true
    awk '$NF == "total" { print $4 }' "$private/strace"
}

# measure LEVEL BOUND
measure() {
    start_server LOG_LEVEL="$1" WORKERS=1
    local idle all
    idle=$(calls 0)
    all=$(calls "$count")
    end_server
    awk -v level="$1" -v bound="$2" -v calls="$((all - idle))" -v count="$count" 'BEGIN {
        each = calls / count
        printf "log level %-4s  %.2f system calls for each relayed signal (at most %s)\n", level, each, bound
        exit each > bound
    }'
}

failed=0
measure warn 3.2 || failed=1
measure info 5.5 || failed=1
exit "$failed"

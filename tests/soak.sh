#!/usr/bin/env bash
# tests/soak.sh HOURS: a server under mixed load for so long (0.05 are three minutes): calls with losses and returns, connections
# that come and go, users who go from room to room, slow readers and bad clients. Its resident memory and its descriptors are
# sampled. After the first quarter, which is for warming up, they must stay flat; and when the load has gone, no connection and no
# descriptor may be left. Exits with 1 otherwise. The samples are in out/soak.tsv: seconds, KiB, descriptors.
#
# BUILD_DIR is the build that is tested, build/release unless set. BOUND_FACTOR=0.001 makes bounds that must be passed.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/../bench/with_server.sh"
seconds=$(awk -v hours="${1:?usage: tests/soak.sh HOURS}" 'BEGIN { print int(hours * 3600) }')
[ "$seconds" -ge 40 ] || { echo "tests/soak.sh: at least 0.012 hours" >&2; exit 2; }
mkdir -p "$root/out"
samples=$root/out/soak.tsv
loads=()

end_loads() {
    local load
    for load in "${loads[@]}"; do
        kill "$load" 2>/dev/null || true
        wait "$load" 2>/dev/null || true
    done
    loads=()
}
trap 'end_loads; end_server; rm -rf "$private"' EXIT

# The server's descriptors, and its memory in KiB.
descriptors() {
    local open=("/proc/$server_pid/fd/"*)
    echo "${#open[@]}"
}
resident() {
    awk '/^VmRSS:/ { print $2 }' "/proc/$server_pid/status"
}

# load NAME SCENARIO [OPTION...]: run homecall-bench beside until the end.
load() {
    local name=$1
    shift
    "$build/bench/homecall-bench" "$@" --seconds "$seconds" --quiet "ws://127.0.0.1:$port/signal" >"$private/$name" 2>&1 &
    loads+=($!)
}

# None of them may have ended.
check_loads() {
    local load
    for load in "${loads[@]}"; do
        if ! kill -0 "$load" 2>/dev/null; then
            echo "a load has ended too early:" >&2
            tail -n 5 "$private"/{calls,moves,come_and_go,bad} >&2
            exit 1
        fi
    done
}

# median FROM TO COLUMN: of the samples in this part of the time, as 0.25 to 0.5.
median() {
    awk -v from="$1" -v to="$2" -v all="$seconds" '$1 >= from * all && $1 < to * all' "$samples" | cut -f"$3" | sort -n |
        awk '{ values[NR] = $1 } END { print values[int((NR + 1) / 2)] }'
}

# judge_flat WHAT COLUMN: the last quarter of the time against the second one.
judge_flat() {
    local early late
    early=$(median 0.25 0.5 "$2")
    late=$(median 0.75 1 "$2")
    judge "$1, $early in the second quarter and $late in the last:" \
        "$(awk -v early="$early" -v late="$late" 'BEGIN { print (early > 0 ? 100 * late / early : "none") }')" "%" 105
}

start_server LOG_LEVEL=warn WORKERS=2 PENDING_TTL=5 ADMIN_PORT=0 MESSAGE_RATE=1000
before=$(descriptors)
load calls mixed --pairs 40 --talk 2 --loss 0.2
load moves rejoin --connections 50 --rate 50
load come_and_go connect --connections 10 --rate 20 --joined
python3 "$root/tests/soak/bad_clients.py" "$port" "$seconds" >"$private/bad" 2>&1 &
loads+=($!)

: >"$samples"
step=$(awk -v all="$seconds" 'BEGIN { print (all > 100 ? all / 200 : 0.5) }')
started=$EPOCHREALTIME
while :; do
    at=$(awk -v now="$EPOCHREALTIME" -v started="$started" 'BEGIN { printf "%.1f", now - started }')
    awk -v at="$at" -v all="$seconds" 'BEGIN { exit at < all }' && break
    printf '%s\t%s\t%s\n' "$at" "$(resident)" "$(descriptors)" >>"$samples"
    if awk -v at="$at" -v all="$seconds" 'BEGIN { exit at >= 0.9 * all }'; then
        check_loads
    fi
    sleep "$step"
done
end_loads

judge_flat "resident memory in KiB" 2
judge_flat "descriptors" 3
for _ in $(seq 300); do # a lost connection is noticed in its time
    [ "$(descriptors)" -gt "$before" ] || break
    sleep 0.2
done
judge "when the load has gone:" $(($(descriptors) - before)) "descriptors more than before" 0
exit "$failed"

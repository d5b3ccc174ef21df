#!/usr/bin/env bash
# tests/chaos.sh [--short] [ATTACK ...]: attacks on the server, each beside a control group of 50 pairs that place calls.
#
# Server and attackers have a processor each; the control group shares that of the attackers. For each attack the report says
# whether the control group's calls succeeded, the 99th percentile of their times and how much more that is than undisturbed,
# the peak of the server's memory, and its open descriptors. It fails where a call fails, where the time is more than P99_FACTOR
# (5) times the undisturbed one, and where the process has more than MEMORY_MIB (368): that is MAX_BUFFERED_BYTES, and what
# .env.example says comes on top of it. An attack beside which the calls took too long is made once more.
#
# On a machine that does other work as well, the times say little: there compare those of one run.
#
# --short is for CI: fewer and shorter attacks, and the time may be 25 times the undisturbed one, or P99_MS (500), since a machine
# that tests is no quiet place. A server without these limits takes seconds, or has no memory left.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=bench/with_server.sh
. bench/with_server.sh

seconds=8
factor=${P99_FACTOR:-5}
p99_ms=${P99_MS:-0}
names=()
if [ "${1:-}" = --short ]; then
    shift
    seconds=2
    factor=${P99_FACTOR:-25}
    p99_ms=${P99_MS:-500}
    names=(pings fragments-many continuations signals-many json-many deaf trickle queues)
fi
[ $# -eq 0 ] || names=("$@")
memory_mib=${MEMORY_MIB:-368}

# NAME KIND SOCKETS ADDRESSES
all_attacks=(
    "pings pings 100 1"
    "pings-many pings 100 100"
    "fragments fragments 100 1"
    "fragments-many fragments 100 100"
    "continuations continuations 100 1"
    "continuations-many continuations 100 100"
    "signals signals 100 1"
    "signals-many signals 100 100"
    "json json 100 1"
    "json-many json 100 100"
    "deaf deaf 2000 1"
    "deaf-many deaf 2000 1000"
    "trickle trickle 2000 1"
    "trickle-many trickle 2000 1000"
    "queues queues 1030 1"
    "queues-many queues 1030 100"
)

is_wanted() {
    local name
    [ ${#names[@]} -gt 0 ] || return 0
    for name in "${names[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

server_cpu=0
others_cpu=$(($(nproc) > 1 ? 1 : 0))

# control SECONDS: run the control group; sets p99 (ms) and is_whole.
control() {
    is_whole=yes
    timeout $(($1 + 30)) taskset -c "$others_cpu" "$build/bench/homecall-bench" call --pairs 50 --rate 200 --candidates 4 --seconds "$1" \
        --warmup 0 --quiet --json "$private/control" "ws://127.0.0.1:$port/signal" 2>"$private/control.log" || is_whole=no
    p99=-
    [ "$is_whole" = no ] || p99=$(jq -r '.latency_us.operation.p99 / 1000 | . * 100 | round / 100' "$private/control")
}

start() {
    start_server MESSAGE_RATE=1000 TRUSTED_PROXIES=127.0.0.1 ADMIN_PORT=0 taskset -c "$server_cpu"
}

peak_mib() {
    awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$server_pid/status"
}

start
control "$seconds"
[ "$is_whole" = yes ] || { cat "$private/control.log"; exit 1; }
quiet_p99=$p99
printf '%-20s %-7s %9s %7s %9s %6s\n' attack calls "p99 ms" "times" "peak MiB" fds
printf '%-20s %-7s %9.1f %7s %9s %6s\n' undisturbed good "$quiet_p99" 1 "$(peak_mib)" "$(find "/proc/$server_pid/fd" | wc -l)"
end_server

# attack_once KIND SOCKETS ADDRESSES: make it beside the control group, with a server of its own. Sets p99, is_whole, times (how much
# more that p99 is), peak, fds, and faults: what is wrong, of "calls", "slow" and "memory".
attack_once() {
    local attacker
    start
    taskset -c "$others_cpu" nice -n 10 "$build/tests/chaos_attack" "$1" --port "$port" --sockets "$2" --addresses "$3" \
        --seconds $((seconds + 3)) >"$private/attack" &
    attacker=$!
    sleep 1
    control "$seconds"
    fds=$(find "/proc/$server_pid/fd" 2>/dev/null | wc -l)
    peak=$(peak_mib)
    wait "$attacker" || { echo "the attack could not be made" >&2; exit 1; }
    end_server
    times=-
    [ "$is_whole" = no ] || times=$(awk -v p99="$p99" -v quiet="$quiet_p99" 'BEGIN { printf "%.1f", p99 / quiet }')
    faults=$(awk -v is_whole="$is_whole" -v p99="$p99" -v times="$times" -v factor="$factor" -v enough="$p99_ms" -v peak="$peak" \
        -v bound="$memory_mib" 'BEGIN {
        if (is_whole == "no") print "calls"
        else if (times > factor && p99 > enough) print "slow"
        if (peak == "" || peak > bound) print "memory"
    }' | xargs)
}

for line in "${all_attacks[@]}"; do
    read -r name kind sockets addresses <<<"$line"
    is_wanted "$name" || continue
    attack_once "$kind" "$sockets" "$addresses"
    [ "$faults" != slow ] || attack_once "$kind" "$sockets" "$addresses"
    printf '%-20s %-7s %9s %7s %9s %6s%s\n' "$name" "$([ "$is_whole" = yes ] && echo good || echo FAILED)" "$p99" "$times" "$peak" \
        "$fds" "${faults:+  WRONG: $faults}"
    sed 's/^/    /' "$private/attack"
    [ "$is_whole" = yes ] || sed 's/^/    /' "$private/control.log"
    [ -z "$faults" ] || failed=1
done
exit "$failed"

#!/usr/bin/env bash
# tests/chaos.sh [--short] [ATTACK ...]: attacks on the server, each beside a control group of 50 pairs that place calls.
#
# Server and attackers have a processor each; the control group shares that of the attackers. For each attack the report says
# whether the control group's calls succeeded, the 99th percentile of their times and how much more that is than undisturbed,
# the peak of the server's memory, and its open descriptors. It fails where a call fails, where the time is more than P99_FACTOR
# (5) times the undisturbed one, and where the process has more than MEMORY_MIB (368): that is MAX_BUFFERED_BYTES, and what
# .env.example says comes on top of it. And it fails where a house full of people meets a limit that is for attackers.
# An attack beside which the calls took too long is made once more.
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
    names=(pings fragments-many continuations signals-many json-many deaf-many trickle-many queues-many hellos-many)
fi
[ $# -eq 0 ] || names=("$@")
memory_mib=${MEMORY_MIB:-368}

# NAME KIND SOCKETS ADDRESSES WAY: behind a proxy that says so many addresses, or from so many addresses, plain or with TLS; then
# the control group's calls go over TLS as well, with new connections for each.
all_attacks=(
    "pings pings 100 1 proxied"
    "pings-many pings 100 100 proxied"
    "pings-direct pings 100 1 direct"
    "fragments fragments 100 1 proxied"
    "fragments-many fragments 100 100 proxied"
    "continuations continuations 100 1 proxied"
    "continuations-many continuations 100 100 proxied"
    "signals signals 100 1 proxied"
    "signals-many signals 100 100 proxied"
    "json json 100 1 proxied"
    "json-many json 100 100 proxied"
    "deaf deaf 2000 1 proxied"
    "deaf-many deaf 2000 100 proxied"
    "deaf-thousand deaf 2000 1000 proxied"
    "trickle trickle 2000 1 proxied"
    "trickle-many trickle 2000 100 proxied"
    "trickle-thousand trickle 2000 1000 proxied"
    "queues queues 1030 1 proxied"
    "queues-many queues 1030 100 proxied"
    "hellos hellos 100 1 tls"
    "hellos-many hellos 100 100 tls"
    "keys keys 100 1 tls"
    "keys-many keys 100 100 tls"
    "json-tls json 100 100 tls"
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

# control SECONDS WAY: run the control group; sets p99 (ms) and is_whole.
control() {
    local options=("ws://127.0.0.1:$port/signal")
    [ "$2" != tls ] || options=(--reconnect --insecure "wss://127.0.0.1:$tls_port/signal")
    is_whole=yes
    timeout $(($1 + 30)) taskset -c "$others_cpu" "$build/bench/homecall-bench" call --pairs 50 --rate 100 --candidates 4 --seconds "$1" \
        --warmup 0 --quiet --json "$private/control" "${options[@]}" 2>"$private/control.log" || is_whole=no
    p99=-
    [ "$is_whole" = no ] || p99=$(jq -r '.latency_us.operation.p99 / 1000 | . * 100 | round / 100' "$private/control")
}

# start WAY: the control group, which comes from 127.0.0.1, is exempt, or tells no address to the proxy.
start() {
    local options=(TRUSTED_PROXIES=127.0.0.1)
    [ "$1" = proxied ] || options=(EXEMPT_ADDRESSES=127.0.0.1)
    tls_port=$(free_port)
    [ "$1" != tls ] || options+=(WSS_PORT="$tls_port" TLS_CERT_FILE="$private/cert.pem" TLS_KEY_FILE="$private/key.pem")
    start_server MESSAGE_RATE=1000 "${options[@]}" taskset -c "$server_cpu"
}

peak_mib() {
    awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$server_pid/status"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
    -keyout "$private/key.pem" -out "$private/cert.pem" 2>/dev/null

printf '%-20s %-7s %9s %7s %9s %6s\n' attack calls "p99 ms" "times" "peak MiB" fds
declare -A quiet_p99
for way in proxied tls; do
    start "$way"
    control "$seconds" "$way"
    [ "$is_whole" = yes ] || { cat "$private/control.log"; exit 1; }
    quiet_p99[$way]=$p99
    printf '%-20s %-7s %9s %7s %9s %6s\n' "undisturbed, $way" good "$p99" 1 "$(peak_mib)" "$(find "/proc/$server_pid/fd" | wc -l)"
    end_server
done
quiet_p99[direct]=${quiet_p99[proxied]}

# A house of 44 people behind one address, who place a call each second: no limit of an address is for them.
house() {
    local admin_port hit
    admin_port=$(free_port)
    start_server EXEMPT_ADDRESSES=192.0.2.1 ADMIN_PORT="$admin_port" taskset -c "$server_cpu"
    timeout $((seconds + 30)) "$build/bench/homecall-bench" call --pairs 22 --rate 1 --seconds "$seconds" --warmup 0 --quiet \
        "ws://127.0.0.1:$port/signal"
    hit=$(curl -sSf "http://127.0.0.1:$admin_port/metrics" | grep '^homecall_signal_limits_hit_total' | grep -v ' 0$' || true)
    end_server
    printf '%-20s %s\n' "one house" "${hit:-good: no limit was met}"
    [ -z "$hit" ] || failed=1
}
house

# attack_once KIND SOCKETS ADDRESSES WAY: make it beside the control group, with a server of its own. Sets p99, is_whole, times (how much
# more that p99 is), peak, fds, and faults: what is wrong, of "calls", "slow" and "memory".
attack_once() {
    local attacker options=()
    start "$4"
    [ "$4" != direct ] || options=(--direct 1)
    [ "$4" != tls ] || options=(--direct 1 --tls 1)
    taskset -c "$others_cpu" nice -n 10 "$build/tests/chaos_attack" "$1" --port "$([ "$4" = tls ] && echo "$tls_port" || echo "$port")" \
        --sockets "$2" --addresses "$3" --seconds $((seconds + 3)) "${options[@]}" >"$private/attack" &
    attacker=$!
    sleep 1
    control "$seconds" "$4"
    fds=$(find "/proc/$server_pid/fd" 2>/dev/null | wc -l)
    peak=$(peak_mib)
    wait "$attacker" || { echo "the attack could not be made" >&2; exit 1; }
    end_server
    times=-
    [ "$is_whole" = no ] || times=$(awk -v p99="$p99" -v quiet="${quiet_p99[$4]}" 'BEGIN { printf "%.1f", p99 / quiet }')
    faults=$(awk -v is_whole="$is_whole" -v p99="$p99" -v times="$times" -v factor="$factor" -v enough="$p99_ms" -v peak="$peak" \
        -v bound="$memory_mib" 'BEGIN {
        if (is_whole == "no") print "calls"
        else if (times > factor && p99 > enough) print "slow"
        if (peak == "" || peak > bound) print "memory"
    }' | xargs)
}

for line in "${all_attacks[@]}"; do
    read -r name kind sockets addresses way <<<"$line"
    is_wanted "$name" || continue
    attack_once "$kind" "$sockets" "$addresses" "$way"
    [ "$faults" != slow ] || attack_once "$kind" "$sockets" "$addresses" "$way"
    printf '%-20s %-7s %9s %7s %9s %6s%s\n' "$name" "$([ "$is_whole" = yes ] && echo good || echo FAILED)" "$p99" "$times" "$peak" \
        "$fds" "${faults:+  WRONG: $faults}"
    sed 's/^/    /' "$private/attack"
    [ "$is_whole" = yes ] || sed 's/^/    /' "$private/control.log"
    [ -z "$faults" ] || failed=1
done
exit "$failed"

#!/usr/bin/env bash
# bench/cluster.sh [--quick] [ROUNDS]: what a cluster costs. Four setups take turns: one server without a cluster, one node, two
# nodes whose rooms each have both users at one node, and two nodes with every room across. Prints medians of the rounds (5 unless
# set; --quick is one short round), with the least and the greatest in brackets: processor time of the nodes together, and of the
# engine, for a call and for a signal; latency; then what the bounds are for: what a call across costs compared with a local one,
# what a signal across takes longer, and the memory that a node pays for an owned room and for a member that another node has.
# Nodes and engine run on processor 0, each node with one worker, and the load on processor 1.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
seconds=2
default=5
if [ "${1:-}" = --quick ]; then
    shift
    seconds=0.5
    default=1
fi
rounds=${1:-$default} # 0: memory alone
PATH=$PATH:/usr/sbin # where Debian has the engine
load_core=$(($(nproc) > 1 ? 1 : 0))
setups=("one server" "one node" "two nodes, local rooms" "two nodes, rooms across")
nodes=(0 1 2 2)
extras=("" "" "--local-rooms" "")
titles=("call, together, nodes, CPU µs" "call, together, engine, CPU µs"
    "call, singly, nodes, CPU µs" "call, singly, engine, CPU µs"
    "signal, one pair, nodes, CPU µs" "signal, one pair, p50, µs" "signal, one pair, p99, µs"
    "signal, 50 pairs, window 32, nodes, CPU µs" "signal, 50 pairs, window 32, engine, CPU µs")
time="--seconds $seconds --warmup 0.5"
# In fresh rooms, since in a cluster nothing says that the leave of one has come before the next join of the other.
loads=("call --fresh-rooms $time" "call --fresh-rooms --singly $time" "relay --pairs 1 $time" "relay --window 32 $time")
# What is read of each load, in the order of the titles.
values=(".server.cpu_us_per_operation .engine.cpu_us_per_operation"
    ".server.cpu_us_per_operation .engine.cpu_us_per_operation"
    ".server.cpu_us_per_signal .latency_us.signal.p50 .latency_us.signal.p99"
    ".server.cpu_us_per_signal .engine.cpu_us_per_signal")
engine_pid=
engine_port=

# Start the engine with the file that is delivered.
start_engine() {
    mkdir -p "$private/engine"
    cp "$root/deploy/cluster/nats.conf" "$private/engine/"
    "$root/deploy/cluster/secrets.sh" "$private/engine/homecall-cluster" >/dev/null
    engine_port=$(free_port)
    sed -i -e '/^http:/d' -e '/^listen:/d' "$private/engine/nats.conf"
    taskset -c 0 nats-server -c "$private/engine/nats.conf" -a 127.0.0.1 -p "$engine_port" >"$private/engine/log" 2>&1 &
    engine_pid=$!
    server_pids+=("$engine_pid") # so that it ends with them
    for _ in $(seq 200); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$engine_port") 2>/dev/null; then return; fi
        sleep 0.05
    done
    cat "$private/engine/log" >&2
    return 1
}

# start_setup SETUP: what it needs; sets urls and pids.
start_setup() {
    local common=(LOG_LEVEL=warn WORKERS=1 PING_INTERVAL=1h) node
    urls=()
    pids=()
    if [ "${nodes[$1]}" -eq 0 ]; then
        start_server "${common[@]}" taskset -c 0
        urls+=("ws://127.0.0.1:$port/signal")
        pids+=("$server_pid")
        return
    fi
    start_engine
    for node in $(seq "${nodes[$1]}"); do
        start_server "${common[@]}" CLUSTER_URL="nats://127.0.0.1:$engine_port" CLUSTER_USER=homecall CLUSTER_NODE="node-$node" \
            CLUSTER_PASSWORD_FILE="$private/engine/homecall-cluster/password" \
            CLUSTER_SECRET_FILE="$private/engine/homecall-cluster/secret" taskset -c 0
        urls+=("ws://127.0.0.1:$port/signal")
        pids+=("$server_pid")
        [ "$node" -gt 1 ] || port_1=$port
    done
    sleep 2 # a new node listens before it opens rooms
}

# measure ROUND SETUP LOAD FIRST: a run against a fresh setup; lines in $private/figures, of the titles from FIRST on.
measure() {
    local figure=$4 value engine=()
    start_setup "$2"
    [ "${nodes[$2]}" -eq 0 ] || engine=(--engine-pid "$engine_pid")
    # The load and what it is given besides are words.
    # shellcheck disable=SC2086
    taskset -c "$load_core" "$build/bench/homecall-bench" ${loads[$3]} ${extras[$2]} "${engine[@]}" \
        --server-pid "$(IFS=,; echo "${pids[*]}")" --quiet --json "$private/json" "${urls[@]}"
    for value in ${values[$3]}; do
        echo "$figure $2 $(jq "$value // 0" "$private/json")" >>"$private/figures"
        figure=$((figure + 1))
    done
    end_server
    echo "round $1 of $rounds: ${setups[$2]}, ${loads[$3]}" >&2
}

for round in $(seq "$rounds"); do
    first=0
    for load in "${!loads[@]}"; do
        for setup in "${!setups[@]}"; do
            measure "$round" "$setup" "$load" "$first"
        done
        first=$((first + $(wc -w <<<"${values[$load]}")))
    done
done
printf '| |'
printf ' %s |' "${setups[@]}"
printf '\n| --- |'
printf ' ---: |%.0s' "${setups[@]}"
echo
for figure in "${!titles[@]}"; do
    printf '| %s |' "${titles[$figure]}"
    for setup in "${!setups[@]}"; do
        printf ' %s |' "$(cell "$figure" "$setup")"
    done
    echo
done

# median FIGURE SETUP
median() {
    cell "$1" "$2" | sed 's/ .*//'
}

# ratio A B, difference A B
ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}
difference() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", a - b }'
}

start_setup 0
alone=$server_pid:$port
start_setup 2
memory=$(python3 -B "$root/bench/cluster_memory.py" "$alone" "${pids[0]}:$port_1" "${pids[1]}:$port")
end_server
cat <<END

| what the bounds are for | measured | at most |
| --- | ---: | ---: |
| a call across, singly, CPU of the nodes, compared with a local one of two nodes | $(ratio "$(median 2 3)" "$(median 2 2)") | 3.5 |
| the same, compared with one of a server without a cluster | $(ratio "$(median 2 3)" "$(median 2 0)") | |
| a signal across, one pair, p50, longer than a local one of two nodes, µs | $(difference "$(median 5 3)" "$(median 5 2)") | 400 |
| a member that another node has, memory of the owner, bytes | $(jq .remote <<<"$memory") | 1536 |
| an owned room, more than a room without a cluster, bytes | $(jq .room <<<"$memory") | 1024 |
| a member at the owner, more than without a cluster, bytes | $(jq .local <<<"$memory") | |
| a member that is at another node than its room, memory of its own node, more than without a cluster, bytes | $(jq .edge <<<"$memory") | |
END

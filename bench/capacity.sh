#!/usr/bin/env bash
# bench/capacity.sh [COUNT...]: a model of what a server needs, and how well it fits. First what one call, one ping and one
# connection cost, each measured by itself and small; then a day's traffic over COUNT connections (1000 2000 5000 10000
# 19000 unless given), predicted from these and measured. Prints tables in Markdown, as bench/README.md has them.
#
# The server runs on processor 0 with one worker, the load on processor 1.
set -euo pipefail
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
counts=("$@")
[ $# -gt 0 ] || counts=(1000 2000 5000 10000 19000)

ping_seconds=5   # in the runs that are predicted: often enough to weigh something
talk_seconds=5
loss=0.1         # of the calls: each negotiates once more
calibration_pings=1

# run FIGURE SCENARIO [OPTION...]: a figure (a jq expression) of a run against the server that has been started.
run() {
    local figure=$1
    shift
    taskset -c 1 "$build/bench/homecall-bench" "$@" --sources 4 --server-pid "$server_pid" --quiet --json "$private/json" \
        "ws://127.0.0.1:$port/signal" && jq -r "$figure" "$private/json"
}

start() {
    start_server WORKERS=1 LOG_LEVEL=warn "$@" taskset -c 0
}

# calc EXPRESSION: with awk.
calc() {
    awk "BEGIN { printf \"%.2f\", $1 }"
}

echo "measuring what each thing costs" >&2
start PING_INTERVAL=1h
read -r base_bytes idle_bytes < <(run '"\(.server.rss_before_bytes) \(.server.bytes_per_connection)"' \
    idle --connections 1000 --seconds 0.2)
end_server
start PING_INTERVAL=1h
joined_bytes=$(run .server.bytes_per_connection idle --connections 1000 --joined --seconds 0.2)
end_server
start PING_INTERVAL=1h
call_us=$(run .server.cpu_us_per_operation mixed --pairs 400 --rate 100 --talk 1 --loss 0 --warmup 3 --seconds 10)
connect_us=$(run .server.cpu_us_per_operation connect --joined --connections 50 --seconds 4)
end_server
start PING_INTERVAL="$calibration_pings"
ping_us=$(run ".server.cpu_seconds * 1e6 / .seconds / 1000 * $calibration_pings" idle --connections 1000 --seconds 10)
end_server

cat <<END
| what | costs |
| --- | --- |
| the server with its first few connections | $(calc "$base_bytes / 1048576") MiB |
| a connection that has not joined | $(calc "$idle_bytes") bytes |
| a connection in a room of two | $(calc "$joined_bytes") bytes |
| a ping and its pong | $(calc "$ping_us") µs CPU |
| a connection: TCP, upgrade, join, close | $(calc "$connect_us") µs CPU |
| a call: 22 signals that trickle in | $(calc "$call_us") µs CPU |

| connections | calls a second | CPU predicted | measured | off | memory predicted | measured | off |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
END

for count in "${counts[@]}"; do
    echo "measuring $count connections" >&2
    rate=$((count / 50))
    start PING_INTERVAL="$ping_seconds"
    read -r calls seconds cpu rss < <(run \
        '"\(.counts.operations) \(.seconds) \(.server.cpu_seconds) \([.series[].server_rss_bytes] | max)"' \
        mixed --pairs $((count / 2)) --rate "$rate" --talk "$talk_seconds" --loss "$loss" --warmup 8 --seconds 20)
    end_server
    awk -v count="$count" -v calls="$calls" -v seconds="$seconds" -v cpu="$cpu" -v rss="$rss" -v call_us="$call_us" \
        -v ping_us="$ping_us" -v pings="$ping_seconds" -v talk="$talk_seconds" -v loss="$loss" \
        -v base="$base_bytes" -v idle="$idle_bytes" -v joined="$joined_bytes" 'BEGIN {
        rate = calls / seconds
        talking = rate * 2 * (talk + 1)
        predicted_cpu = (rate * (1 + loss) * call_us + count / pings * ping_us) / 1e4
        predicted_mib = (base + (count - talking) * idle + talking * joined) / 1048576
        measured_cpu = cpu / seconds * 100
        measured_mib = rss / 1048576
        printf "| %d | %.0f | %.2f %% | %.2f %% | %+.0f %% | %.1f MiB | %.1f MiB | %+.0f %% |\n", count, rate, predicted_cpu,
            measured_cpu, (measured_cpu / predicted_cpu - 1) * 100, predicted_mib, measured_mib,
            (measured_mib / predicted_mib - 1) * 100
    }'
done

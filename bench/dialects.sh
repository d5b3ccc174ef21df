#!/usr/bin/env bash
# bench/dialects.sh [ROUNDS]: what the three dialects cost beside each other: processor time of the server for a call (as many as
# it can, and 500 a second), for a signal and for a connection that joins and leaves, and memory of an idle connection in a room
# of two. All dialects take turns at a figure, and all figures in each round (5 unless set). Prints a table of medians, with the
# least and the greatest in brackets. The server runs on processor 0 with one worker, the load on processor 1.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
rounds=${1:-5}
load_core=$(($(nproc) > 1 ? 1 : 0))
dialects=(homecall session 2)
titles=("a call, closed loop, CPU µs" "a call, 500 a second, CPU µs" "a signal, 50 pairs, window 32, CPU µs"
    "connect, join, close, CPU µs" "idle in a room of two, bytes")
values=(cpu_us_per_operation cpu_us_per_operation cpu_us_per_signal cpu_us_per_operation bytes_per_connection)
loads=("call --seconds 2 --warmup 0.5" "call --rate 500 --seconds 2 --warmup 0.5"
    "relay --window 32 --seconds 2 --warmup 0.5" "connect --joined --seconds 2 --warmup 0.5"
    "idle --connections 10000 --joined --sources 4 --seconds 0.3")

# measure ROUND FIGURE DIALECT: a run against a fresh server; a line in $private/figures.
measure() {
    start_server LOG_LEVEL=warn WORKERS=1 PING_INTERVAL=1h taskset -c 0
    # The load is words.
    # shellcheck disable=SC2086
    taskset -c "$load_core" "$build/bench/homecall-bench" ${loads[$2]} --dialect "$3" --server-pid "$server_pid" --quiet \
        --json "$private/json" "ws://127.0.0.1:$port/signal"
    echo "$2 $3 $(jq ".server.${values[$2]}" "$private/json")" >>"$private/figures"
    end_server
    echo "round $1 of $rounds: ${titles[$2]}, $3" >&2
}

for round in $(seq "$rounds"); do
    for figure in "${!titles[@]}"; do
        for dialect in "${dialects[@]}"; do
            measure "$round" "$figure" "$dialect"
        done
    done
done
echo "| | version 1 | session | version 2 |"
echo "| --- | ---: | ---: | ---: |"
for figure in "${!titles[@]}"; do
    printf '| %s |' "${titles[$figure]}"
    for dialect in "${dialects[@]}"; do
        printf ' %s |' "$(cell "$figure" "$dialect")"
    done
    echo
done

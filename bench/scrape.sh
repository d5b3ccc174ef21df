#!/usr/bin/env bash
# bench/scrape.sh [ROUNDS]: what it costs to scrape /metrics each second while one worker relays as fast as it can.
#
# Prints the processor time of the admin thread as a share of the worker's (at most 1 %), how many futex calls the worker
# makes while it relays and is scraped (none: it waits for nobody), and the worker's time for each signal in rounds with and
# without scraping in turn. Exits with 1 when a bound is passed. Takes root, since strace looks into the server.
set -euo pipefail
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
rounds=${1:-3}
seconds=${SCRAPE_SECONDS:-8}

# Nanoseconds on a processor of the server's thread of this name.
cpu_ns() {
    local task
    for task in /proc/"$server_pid"/task/*; do
        if [ "$(cat "$task/comm")" = "$1" ]; then
            cut -d' ' -f1 "$task/schedstat"
        fi
    done
}

# tid NAME: the server's thread of this name.
tid() {
    grep -lx "$1" /proc/"$server_pid"/task/*/comm | cut -d/ -f5
}

scrape() {
    curl -sf -H 'Accept: application/openmetrics-text;version=1.0.0' "http://127.0.0.1:$admin_port/metrics"
}

# relay SCRAPES: load for some seconds, so many scrapes meanwhile, one a second; the worker's time for each signal.
relay() {
    local worker_before signals scraper
    worker_before=$(cpu_ns hc-worker-0)
    for _ in $(seq "$1"); do
        sleep 1
        scrape >/dev/null
    done &
    scraper=$!
    "$build/bench/homecall-bench" relay --pairs 20 --window 8 --warmup 0 --seconds "$seconds" --quiet --json "$private/json" \
        "ws://127.0.0.1:$port/signal"
    wait "$scraper"
    signals=$(jq .totals.signals "$private/json")
    echo "$((($(cpu_ns hc-worker-0) - worker_before) / signals))"
}

admin_port=$(free_port)
start_server LOG_LEVEL=warn WORKERS=1 ADMIN_PORT="$admin_port"
scrape >"$private/metrics"
printf '%-58s %7d bytes, %d lines\n' "a scrape:" "$(wc -c <"$private/metrics")" "$(wc -l <"$private/metrics")"

for round in $(seq "$rounds"); do
    without=$(relay 0)
    admin=$(cpu_ns hc-admin)
    worker=$(cpu_ns hc-worker-0)
    with=$(relay $((seconds - 1)))
    admin=$(($(cpu_ns hc-admin) - admin))
    worker=$(($(cpu_ns hc-worker-0) - worker))
    printf '%-58s %7d ns with scraping, %d ns without\n' "round $round: the worker's time for a signal:" "$with" "$without"
    judge "round $round: the admin thread's time:" "$(awk "BEGIN { print 100 * $admin / $worker }")" "% of the worker's" 1
    printf '%-58s %8d us\n' "round $round: a scrape:" $((admin / (seconds - 1) / 1000))
done

# Futex calls are counted while everybody is in a room and the load goes on: a mailbox and its lock are used by who comes or
# goes, and there one may have to wait for a thread that the kernel has stopped for another program.
"$build/bench/homecall-bench" relay --pairs 20 --window 8 --warmup 0 --seconds "$seconds" --quiet --json "$private/json" \
    "ws://127.0.0.1:$port/signal" &
load=$!
until [ "$(scrape | awk '$1 == "homecall_signal_members" { print $2 }')" -eq 40 ]; do
    kill -0 "$load" # or set -e ends it here
    sleep 0.1
done
strace -c -e trace=futex,sendto -o "$private/calls" -p "$(tid hc-worker-0)" 2>/dev/null &
tracer=$!
for _ in $(seq $((seconds - 4))); do
    sleep 1
    scrape >/dev/null
done
kill "$tracer"
wait "$tracer" || true
kill -0 "$load"
wait "$load"
calls() {
    awk -v name="$1" '$NF == name { n = $4 } END { print n + 0 }' "$private/calls"
}
[ "$(calls sendto)" -gt 0 ] # or strace has not seen it
judge "while it relayed $(calls sendto) signals and was scraped:" "$(calls futex)" "futex calls of the worker" 0
exit "$failed"

#!/usr/bin/env bash
# bench/cores.sh [ROUNDS]: what each thread of a server needs for a connection, a signal and a call. From this follows how many
# workers one acceptor and one log writer have enough for (README.md, "Where more cores stop helping"). Processor time is
# counted for each thread by the kernel, so two processors are enough, and a busy machine says nearly the same. Medians of
# ROUNDS rounds, with the least and the greatest figure. It judges nothing.
set -euo pipefail
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
rounds=${1:-3}

# threads: a line "NAME NANOSECONDS" for each kind of thread of the server.
threads() {
    local task
    for task in /proc/"$server_pid"/task/*; do
        echo "$(sed 's/^hc-//; s/-[0-9]*$//' "$task/comm") $(cut -d ' ' -f 1 "$task/schedstat")"
    done | awk '{ sum[$1] += $2 } END { for (name in sum) printf "%s %.0f\n", name, sum[name] }' | sort
}

# measure NAME COUNT URL SCENARIO [OPTION...]: run it once, and write down what each thread has needed for an operation.
measure() {
    local name=$1 count=$2 url=$3
    shift 3
    threads >"$private/before"
    "$build/bench/homecall-bench" "$@" --count "$count" --quiet --insecure "$url"
    threads >"$private/after"
    join "$private/before" "$private/after" | awk -v count="$count" '{ print $1, ($3 - $2) / count / 1000 }' |
        while read -r thread us; do
            echo "$us" >>"$private/$name,$thread"
        done
}

# tell NAME TEXT: what was written down.
tell() {
    local name=$1 text=$2 thread file
    for thread in acceptor worker log admin; do
        for file in "$private/$name,$thread"*; do
            [ -e "$file" ] || continue
            sort -n "$file" | awk -v text="$text" -v thread="$thread" '{ value[NR] = $1 }
                END { printf "%-38s %-10s %8.2f µs (%.2f to %.2f)\n", text, thread, value[int((NR + 1) / 2)], value[1], value[NR] }'
        done
    done
}

make_certificate
tls_port=$(free_port)
start_server LOG_LEVEL=info LOG_FILE=/dev/null WORKERS=1 ACCEPTOR_THREADS=1 WSS_PORT="$tls_port" \
    TLS_CERT_FILE="$private/cert.pem" TLS_KEY_FILE="$private/key.pem"
plain=ws://127.0.0.1:$port/signal
for ((round = 0; round < rounds; round++)); do
    measure connect 15000 "$plain" connect --joined --connections 20
    measure connect-tls 3000 "wss://127.0.0.1:$tls_port/signal" connect --joined --connections 20
    measure relay 600000 "$plain" relay --pairs 50 --window 32
    measure call 15000 "$plain" call --pairs 50
done
end_server

# A scrape: what the admin thread needs to read the counters of all threads.
for workers in 2 8 64; do
    admin_port=$(free_port)
    start_server LOG_LEVEL=warn WORKERS=$workers ACCEPTOR_THREADS=1 ADMIN_PORT="$admin_port"
    for ((round = 0; round < rounds; round++)); do
        threads >"$private/before"
        for ((i = 0; i < 50; i++)); do
            curl -sS -o /dev/null "http://127.0.0.1:$admin_port/metrics"
        done
        threads >"$private/after"
        join "$private/before" "$private/after" | awk '$1 == "admin" { print ($3 - $2) / 50 / 1000 }' >>"$private/scrape-$workers,admin"
    done
    end_server
done

tell connect "a connection: upgrade, join, close"
tell connect-tls "the same over TLS"
tell relay "a signal, window 32, and its line"
tell call "a call: 22 signals and their lines"
for workers in 2 8 64; do
    tell "scrape-$workers" "a scrape of $workers workers"
done
read -r shared own <<<"$("$build/bench/shared_line")"
echo "a locked addition to a line that another processor adds to as well: $shared ns; to a line of one's own: $own ns"

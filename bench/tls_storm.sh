#!/usr/bin/env bash
# bench/tls_storm.sh [COUNT]: COUNT clients (1,000 unless given) come at once over TLS, the server is killed, and they come
# again. Exits with 1 when one of them had to begin its handshake a second time, because the server gave it up.
#
# One thread plays all clients. Where that takes longer than HANDSHAKE_TIMEOUT to say so many first words, the clients are to
# blame: more than some 5,000 need a machine of their own.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
count=${1:-1000}

make_certificate
tls_port=$(free_port)
admin_port=$(free_port)
settings=(LOG_LEVEL=warn WORKERS=1 ADMIN_PORT="$admin_port" WSS_PORT="$tls_port" TLS_CERT_FILE="$private/cert.pem"
    TLS_KEY_FILE="$private/key.pem" MAX_CONNECTIONS=0)
start_server "${settings[@]}"
trap 'end_server; if [ -s "$private/pid" ]; then kill "$(cat "$private/pid")"; fi; rm -rf "$private"' EXIT

# The second one is started by the load generator, in place of the first.
{
    echo "kill -9 $server_pid"
    printf '%q ' env WS_HOST=127.0.0.1 WS_PORT="$port" LOG_FILE="$private/log" MESSAGE_RATE=0 "${settings[@]}" \
        "$build/homecall-signal" --env-file /dev/null
    # shellcheck disable=SC2016 # it is for the other shell
    printf '>%q 2>&1 </dev/null & echo $! >%q\n' "$private/out" "$private/pid"
} >"$private/restart"

# value NAME: a number that the server shows.
value() {
    curl -s "http://127.0.0.1:$admin_port/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}

"$build/bench/homecall-bench" storm --joined --connections "$count" --sources 4 --restart "bash $private/restart" \
    --insecure --quiet --json "$private/json" "wss://127.0.0.1:$tls_port/signal"
printf '%-58s %8.2f s\n' "two storms of $count:" "$(jq .seconds "$private/json")"
judge "handshakes that were begun in vain:" "$(value homecall_signal_tls_handshake_failures_total)" handshakes 0
judge "handshakes beside connections:" "$(awk -v done="$(value homecall_signal_tls_handshakes_total)" -v count="$count" \
    'BEGIN { print done / count }')" times 1
exit "$failed"

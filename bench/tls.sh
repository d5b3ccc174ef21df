#!/usr/bin/env bash
# bench/tls.sh [ROUNDS]: what TLS costs: memory of an idle connection, processor time of a call beside plain text, and
# handshakes for each second of processor time beside `openssl s_server` with the same key (ECDSA P-256, TLS 1.3, no
# resumption). Rounds go in turn, and their medians are compared. Exits with 1 when a bound is passed. A connection (TLS,
# upgrade, join) beside the crypto that its handshake can't do without, a signature and an X25519, is shown without a bound:
# it says as much about the OpenSSL of the machine as about us.
set -euo pipefail
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
rounds=${1:-5}
trap 'end_server; kill "$reference_pid"; rm -rf "$private"' EXIT

# cpu_ns PID: nanoseconds on a processor, of all its threads.
cpu_ns() {
    cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

median() {
    sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# bench FIGURE URL SCENARIO [OPTION...]: a figure of a run.
bench() {
    local figure=$1 url=$2
    shift 2
    "$build/bench/homecall-bench" "$@" --quiet --json "$private/json" --server-pid "$server_pid" --insecure "$url"
    jq -r "$figure" "$private/json"
}

# handshakes PID PORT: full handshakes for each second of the process's processor time.
handshakes() {
    local before count
    before=$(cpu_ns "$1")
    count=$(openssl s_time -connect "127.0.0.1:$2" -new -time 3 2>/dev/null |
        awk '/connections in .* real seconds/ { count = $1 } END { print count }')
    echo "$((count * 1000000000 / ($(cpu_ns "$1") - before)))"
}

make_certificate
tls_port=$(free_port)
start_server LOG_LEVEL=warn WORKERS=1 WSS_PORT="$tls_port" TLS_CERT_FILE="$private/cert.pem" TLS_KEY_FILE="$private/key.pem"
reference_port=$(free_port)
openssl s_server -accept "127.0.0.1:$reference_port" -cert "$private/cert.pem" -key "$private/key.pem" -quiet -naccept 1000000 \
    >/dev/null 2>&1 </dev/null &
reference_pid=$!

judge "an idle connection of 2,000:" "$(bench .server.bytes_per_connection "wss://127.0.0.1:$tls_port/signal" \
    idle --connections 2000 --seconds 0.1)" bytes 14848

for ((round = 0; round < rounds; round++)); do
    for kind in plain tls; do
        url=ws://127.0.0.1:$port/signal
        [ $kind = plain ] || url=wss://127.0.0.1:$tls_port/signal
        bench .server.cpu_us_per_operation "$url" call --pairs 20 --warmup 0.5 --seconds 3 >>"$private/call-$kind"
    done
    bench .server.cpu_us_per_operation "wss://127.0.0.1:$tls_port/signal" \
        connect --joined --connections 20 --warmup 0.5 --seconds 2 >>"$private/connection"
    openssl speed -seconds 1 ecdsap256 ecdhx25519 2>/dev/null | awk '
        /ecdsa \(nistp256\)/ { us += 1e6 / $(NF - 1) }
        /ecdh \(X25519\)/ { us += 1e6 / $NF }
        END { print us }' >>"$private/crypto"
    handshakes "$server_pid" "$tls_port" >>"$private/handshakes-ours"
    handshakes "$reference_pid" "$reference_port" >>"$private/handshakes-reference"
done
for what in call-plain call-tls connection crypto handshakes-ours handshakes-reference; do
    printf '%-52s %8.1f (of %s)\n' "$what, median:" "$(median <"$private/$what")" "$(sort -n "$private/$what" | tr '\n' ' ')"
done
ratio() {
    awk -v a="$(median <"$private/$1")" -v b="$(median <"$private/$2")" 'BEGIN { print a / b }'
}
judge "processor time of a call, beside plain text:" "$(ratio call-tls call-plain)" times 2.2
printf '%-58s %8.2f times\n' "processor time of a connection, beside its crypto:" "$(ratio connection crypto)"
judge "handshakes a second, s_server's beside ours:" "$(ratio handshakes-reference handshakes-ours)" times 1.2
exit "$failed"

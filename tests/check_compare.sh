#!/usr/bin/env bash
# What bench/compare.sh makes of its runs: bars that are met and not met, the table beside the best peer, failures. The runs are
# made up, so that each number of the report is known. COMPARE_TABLES is the folder with the rules, bench/compare unless set.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tables=${COMPARE_TABLES:-$root/bench/compare}
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
figures=$(cat "$tables/figures.json")
wrong=0

# measured SERVER CASE FIGURE VALUE...: a run in each round, with this figure of the server.
measured() {
    local server=$1 case=$2 figure=$3 round=0 value
    shift 3
    for value in "$@"; do
        round=$((round + 1))
        # The dollar signs are jq's, here and below.
        # shellcheck disable=SC2016
        jq -cn --arg server "$server" --arg case "$case" --arg figure "$figure" --argjson value "$value" --argjson round "$round" \
            '{$round, $server, $case, result: ({} | setpath($figure / "."; $value))}' >>"$private/runs"
    done
}

# expect TABLE LINE: the table has exactly this line.
expect() {
    jq -r --argjson figures "$figures" --arg servers "ours floor floor-gather uws uws-raw node-ws" --arg asked abcdefghijklm \
        --arg table "$1" -f "$tables/report.jq" "$private/summary" >"$private/table"
    if ! grep -Fx -e "$2" "$private/table" >"$private/found"; then
        echo "WRONG: the table $1 has no line"
        echo "    $2"
        echo "but these:"
        cat "$private/table"
        wrong=1
    fi
}

cpu=server.cpu_us_per_operation
measured ours call $cpu 110 120 113
measured floor-gather call $cpu 100
measured uws call $cpu 200 300
measured uws-raw call $cpu 100 120 110
measured ours reconnect $cpu 126
measured floor-gather reconnect $cpu 100
measured uws reconnect $cpu 130
measured uws-raw reconnect $cpu 90
measured ours connect $cpu 40
measured node-ws connect $cpu 200
measured ours tls-call $cpu 150.5
measured uws tls-call $cpu 150
measured ours tls-connect $cpu 130
measured openssl crypto us 50
measured openssl alone handshake 100
measured openssl alone call 25
measured ours tls-idle server.bytes_per_connection 14337
echo '{"round":2,"server":"uws","case":"singly","error":"it ended"}' >>"$private/runs"
jq -s --argjson figures "$figures" -f "$tables/summary.jq" "$private/runs" >"$private/summary"

expect bars "| a | Call, bursts sent together, CPU µs/call | ≤ 1.13 × | 113 | 100 (floor-gather) | 1.13 | yes |"
expect bars "| l | Call with new connections, CPU µs/call | ≤ 1.25 × | 126 | 100 (floor-gather) | 1.26 | **no** |"
expect bars "| e | Connect, join, close, CPU µs/connection | ≤ 1.23 × | 40.0 | – | – | – |"
expect bars "| m | TLS: call, bursts sent together, CPU µs/call | ≤ 1.4 × | 151 | 113 (ours, call) | 1.33 | yes |"
expect bars "| m | TLS: full handshake, join, close, CPU µs/connection | ≤ 2.6 × | 130 | 50.0 (openssl, crypto) | 2.60 | yes |"
expect bars "| m | TLS: its part of that call, CPU µs/call | – | 40.5 | 25.0 (openssl, records-alone) | 1.62 | – |"
expect bars "| m | TLS: full handshake, join, close, CPU µs/connection | – | 130 | 100 (openssl, handshake-alone) | 1.30 | – |"
expect bars "| m | TLS: 2,000 idle, not joined, bytes/connection | ≤ 14336 | 14337 | – | – | **no** |"
expect peers "| a | Call, bursts sent together, CPU µs/call | 113 | 110 (uws-raw) | 1.03 | 0.45 | 1.03 | **by 3 %**, the spreads overlap |"
expect peers "| l | Call with new connections, CPU µs/call | 126 | 90.0 (uws-raw) | 1.40 | 0.97 | 1.40 | **by 40 %** |"
expect peers "| e | Connect, join, close, CPU µs/connection | 40.0 | 200 (node-ws) | 0.20 | – | – | – |"
expect peers "| m | TLS: call, bursts sent together, CPU µs/call | 151 | 150 (uws) | 1.00 | 1.00 | – | – |"
expect behind "In 2 of the 4 figures we are behind the best peer: Call, bursts sent together (a); Call with new connections (l)."
expect figures "| a | Call, bursts sent together | CPU µs/call | 113 (110–120) | – | 100 (100–100) | 250 (200–300) | 110 (100–120) | – |"
expect figures "| b | Call, each signal sent singly | CPU µs/call | – | – | – | failed | – | – |"
expect failures "- round 2, uws, singly: it ended"
exit "$wrong"

#!/usr/bin/env bash
# bench/memory.sh [COUNT]: resident memory of the server for each idle connection, not joined and joined in rooms of two,
# at log level warn. Exits with 1 when a bound is passed.
set -euo pipefail
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
count=${1:-10000}

# measure BOUND [joined]
measure() {
    start_server LOG_LEVEL=warn
    local line
    line=$("$build/bench/idle_connections" "$port" "$server_pid" "$count" ${2:+"$2"})
    end_server
    echo "$line (at most $1)"
    awk -v line="$line" -v bound="$1" 'BEGIN { match(line, /[0-9]+ bytes/); exit substr(line, RSTART) + 0 > bound }'
}

failed=0
measure 1024 || failed=1
measure 1536 joined || failed=1
exit "$failed"

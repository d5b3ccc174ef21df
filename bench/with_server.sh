# Sourced by the measuring scripts: servers of our own on free ports of 127.0.0.1, ended on exit.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD_DIR:-$root/build/release}
private=$(mktemp -d)
server_pid=    # of the one that was started last
server_pids=() # of all that run

# End all that run.
end_server() {
    local pid
    for pid in "${server_pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    server_pids=()
    server_pid=
}
trap 'end_server; rm -rf "$private"' EXIT

# start_server [NAME=VALUE ...] [WRAPPER ...]: start one, wait until it accepts, set server_pid and port.
start_server() {
    port=$(free_port)
    env WS_HOST=127.0.0.1 WS_PORT="$port" ADMIN_PORT=0 LOG_FILE="$private/log" MESSAGE_RATE=0 "$@" "$build/homecall-signal" \
        --env-file /dev/null >"$private/out" 2>&1 &
    server_pid=$!
    server_pids+=("$server_pid")
    for _ in $(seq 200); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return 0
        fi
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.05
    done
    cat "$private/out" >&2
    echo "the server did not start" >&2
    return 1
}

# make_certificate: for localhost, with a key on P-256, in $private/cert.pem and $private/key.pem.
make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
        -keyout "$private/key.pem" -out "$private/cert.pem" 2>"$private/openssl" && return
    echo "no certificate: $(tail -n 1 "$private/openssl")" >&2
    return 1
}

# A port that nobody listens on just now.
free_port() {
    local candidate
    while :; do
        candidate=$((20000 + RANDOM % 10000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

# Set by whatever passes its bound, for the script's `exit "$failed"`. A measurement that can't be made ends the script: so
# nothing that measures may stand before `||` or in a condition, where the shell would go on.
failed=0

# judge WHERE VALUE WHAT BOUND: print a value, and note it when it passes its bound or is no number. BOUND_FACTOR makes every
# bound smaller, and one of 0 negative, for tests/check_checks.sh, which wants to see each of them fail.
judge() {
    # shellcheck disable=SC2034 # for those who source this
    awk -v where="$1" -v value="$2" -v what="$3" -v bound="$4" -v factor="${BOUND_FACTOR:-1}" 'BEGIN {
        bound = bound == 0 && factor < 1 ? -1 : bound * factor
        is_good = value ~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ && value + 0 <= bound
        printf "%-58s %8.2f %s (at most %s)%s\n", where, value, what, bound, is_good ? "" : ": TOO MUCH"
        exit !is_good
    }' || failed=1
}

# check WHERE WHAT FIGURE BOUND SCENARIO [OPTION...]: run homecall-bench against the server, and judge a figure of the server's.
check() {
    local where=$1 what=$2 figure=$3 bound=$4
    shift 4
    "$build/bench/homecall-bench" "$@" --quiet --json "$private/json" --server-pid "$server_pid" \
        "ws://127.0.0.1:$port/signal"
    judge "$where" "$(jq -r ".server.$figure" "$private/json")" "$what" "$bound"
}

# cell ROW COLUMN: of the lines "ROW COLUMN VALUE" in $private/figures, "MEDIAN (LEAST–GREATEST)"; a dash where all are 0.
cell() {
    awk -v row="$1" -v column="$2" '$1 == row && $2 == column { print $3 }' "$private/figures" | sort -g | awk '
        { value[NR] = $1 }
        function show(x) { return sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x) }
        END {
            median = NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2
            if (value[NR] == 0) printf "–"
            else printf "%s (%s–%s)", show(median), show(value[1]), show(value[NR])
        }'
}

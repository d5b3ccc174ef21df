# Sourced by the measuring scripts: a server of our own on a free port of 127.0.0.1, ended on exit.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD_DIR:-$root/build/release}
private=$(mktemp -d)
server_pid=

end_server() {
    if [ -n "$server_pid" ]; then
        kill "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
    fi
    server_pid=
}
trap 'end_server; rm -rf "$private"' EXIT

# start_server [NAME=VALUE ...] [WRAPPER ...]: start it, wait until it accepts, set server_pid and port.
start_server() {
    port=$(free_port)
    env WS_HOST=127.0.0.1 WS_PORT="$port" ADMIN_PORT=0 LOG_FILE="$private/log" MESSAGE_RATE=0 "$@" "$build/homecall-signal" \
        --env-file /dev/null >"$private/out" 2>&1 &
    server_pid=$!
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

# check WHERE WHAT FIGURE BOUND SCENARIO [OPTION...]: run homecall-bench against the server, print a figure of the
# server's, and fail when it passes its bound.
check() {
    local where=$1 what=$2 figure=$3 bound=$4
    shift 4
    "$build/bench/homecall-bench" "$@" --quiet --json "$private/json" --server-pid "$server_pid" \
        "ws://127.0.0.1:$port/signal" || return 1
    jq -r ".server.$figure" "$private/json" | awk -v where="$where" -v what="$what" -v bound="$bound" '{
        printf "%-58s %7.2f %s (at most %s)\n", where, $1, what, bound
        exit $1 > bound
    }'
}

#!/usr/bin/env bash
# Build the server and run it behind a private nginx with the page to call from, until Ctrl-C.
#
# Everything that it writes outside build/ lies in one temporary directory, which goes with it. Both processes
# listen on loopback only. They run in sessions of their own, so that Ctrl-C reaches this script alone, which
# then ends them in order: a second signal would cut the server's farewell short.

set -euo pipefail

usage() {
    cat <<'END'
Usage: deploy/run.sh [--port PORT]

Builds HomeCall Signal, starts it behind a private nginx with the page to call
from, and tells where to open it. Ctrl-C ends both. Missing Debian packages are
installed first (as root or by sudo).

  --port PORT   port of the page; or HTTP_PORT in the environment (8080)

WS_PORT in the environment is the server's own port (8888, or the next free one),
ADMIN_PORT the one that "homecall-signal top" asks (9888, or the next free one);
LOG_LEVEL how much it says (warn); every other option of the server is passed on.
PWA_DIR is the directory of another page, and CONTENT_SECURITY_POLICY what that one
may load and whom it may ask. With TURN_SECRET pages are told of a TURN server at
HOST_PUBLIC (localhost), or where TURN_URLS says.
END
}

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

is_port() {
    [[ $1 =~ ^[0-9]{1,5}$ ]] && ((10#$1 >= 1 && 10#$1 <= 65535))
}

# Does somebody listen on this port of 127.0.0.1?
is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# choose_port NAME FIRST: the port that NAME in the environment wishes, or FIRST, or the first free one above it.
choose_port() {
    local name=$1 first=$2 wished=${!1:-} port
    if [ -n "$wished" ]; then
        is_port "$wished" || fail "$name=$wished is not a port."
        ((10#$wished != 10#$http_port)) || fail "The server and the page can't share port $http_port."
        ! is_taken "$wished" || fail "Port $wished is in use. Choose another one: $name=…"
        echo "$wished"
        return
    fi
    for ((port = first; port < first + 100; port++)); do
        if [ "$port" -ne "$http_port" ] && ! is_taken "$port"; then
            echo "$port"
            return
        fi
    done
    fail "No free port from $first to $((first + 99)). Choose one: $name=…"
}

build() {
    local log="$run_dir/build.log"
    echo "Building…"
    if ! (cd "$root" && cmake --preset release &&
        cmake --build --preset release --target homecall-signal) >"$log" 2>&1; then
        cat "$log" >&2
        fail "The build has failed; its output is above."
    fi
}

# Make a value safe for the right side of a sed expression with | as its delimiter.
escape() {
    printf '%s' "$1" | sed 's/[\\&|]/\\&/g'
}

write_nginx_conf() {
    local user_directive=
    # As root, nginx would run its worker as www-data, which may have no way into this directory. Another
    # user's nginx can't change its user at all, and would warn of the directive.
    [ "$(id -u)" -ne 0 ] || user_directive="user $(id -un);"
    sed -e "s|@RUN_DIR@|$(escape "$run_dir")|g" \
        -e "s|@PAGE_DIR@|$(escape "$page_dir")|g" \
        -e "s|@PAGE_POLICY@|$(escape "${CONTENT_SECURITY_POLICY:-}")|g" \
        -e "s|@HTTP_PORT@|$http_port|g" \
        -e "s|@WS_PORT@|$ws_port|g" \
        -e "s|@USER_DIRECTIVE@|$user_directive|g" \
        "$root/deploy/nginx.conf.in" >"$run_dir/nginx.conf"
}

# start NAME PORT COMMAND...: start a child and wait until it listens.
start() {
    local name=$1 port=$2 deadline=$((SECONDS + 15))
    shift 2
    setsid "$@" </dev/null &
    children+=($!)
    until is_taken "$port"; do
        kill -0 "${children[-1]}" 2>/dev/null || fail "$name did not start; what it said is above."
        ((SECONDS < deadline)) || fail "$name does not listen on port $port."
        sleep 0.1
    done
}

# However the script ends, nothing stays. The server goes first: its farewell to the pages passes through nginx.
# shellcheck disable=SC2317 # called by a trap
clean_up() {
    local child
    trap '' HUP INT TERM
    for child in "${children[@]}"; do
        kill -TERM "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    done
    rm -rf "$run_dir"
}

http_port=${HTTP_PORT:-8080}
while [ $# -gt 0 ]; do
    case $1 in
        --port)
            [ $# -ge 2 ] || fail "--port wants a port."
            http_port=$2
            shift 2
            ;;
        --port=*)
            http_port=${1#--port=}
            shift
            ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
done
is_port "$http_port" || fail "'$http_port' is not a port."
! is_taken "$http_port" || fail "Port $http_port is in use. Choose another one: deploy/run.sh --port PORT"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
page_dir=$(realpath -- "${PWA_DIR:-$root/deploy/pwa}")
[ -f "$page_dir/index.html" ] || fail "PWA_DIR=$PWA_DIR has no index.html."
PATH="$PATH:/usr/sbin:/sbin" # where nginx lies, and where an ordinary user does not look
# shellcheck source=deploy/packages.sh
. "$root/deploy/packages.sh"
packages=(build-essential cmake ninja-build pkg-config
    libevent-dev libcjson-dev uthash-dev libssl-dev libsodium-dev libidn2-dev libnats-dev)
command -v nginx >/dev/null || packages+=(nginx-light) # any flavour of nginx will do
install_missing "${packages[@]}"

children=()
run_dir=$(mktemp -d "${TMPDIR:-/tmp}/homecall-signal.XXXXXX")
trap clean_up EXIT
trap 'exit 129' HUP
trap 'echo; echo "Stopping…"; exit 130' INT
trap 'exit 143' TERM

ws_port=$(choose_port WS_PORT 8888)
admin_port=$(choose_port ADMIN_PORT 9888)
build
write_nginx_conf
# The temporary directory as the current one, so that no .env of another place takes part.
start "The server" "$ws_port" env -C "$run_dir" \
    WS_HOST=127.0.0.1 WS_PORT="$ws_port" ADMIN_PORT="$admin_port" LOG_LEVEL="${LOG_LEVEL:-warn}" \
    sh "$root/deploy/compose/signal.sh" "$root/build/release/homecall-signal"
start nginx "$http_port" nginx -e "$run_dir/nginx-error.log" -p "$run_dir" -c "$run_dir/nginx.conf"

echo
echo "  Open http://localhost:$http_port/ in two tabs"
echo
echo "Enter a name, press Call, and open the link in the other tab. Ctrl-C ends everything."
echo "To watch it: ADMIN_PORT=$admin_port build/release/homecall-signal top"

wait -n "${children[@]}" || true
fail "One of the two has ended by itself; so this ends, too."

#!/usr/bin/env bash
# Our server beside others, under the same load, on the same core, in turn.
set -euo pipefail
# shellcheck source=bench/with_tracefs.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_tracefs.sh"

usage() {
    cat <<'END'
usage: bench/compare.sh [OPTION...]

Measures our server, the floor (bench/relays/floor_relay.c, the least that this kernel asks for the work), relays on
Node.js with uWebSockets and with ws, and PeerServer. Each figure is a run of homecall-bench of a few seconds against a
fresh server; all servers take turns at a figure before the next one, and all figures before the next round. Writes
medians, spreads, bars and plots.

  --only NAMES        of ours, floor, floor-gather, uws, uws-raw, node-ws, peer, other; with commas. ours is needed for
                      the bars
  --figures LETTERS   of abcdefghijklm, as bench/RESULTS.md names them
  --rounds N          5 unless set
  --quick             runs of a second, for a first look
  --vs COMMAND        one more server, `other`: started by sh -c, to listen on 127.0.0.1 at /signal, and ended with its
                      process group
  --port P            where COMMAND listens
  --out FILE          bench/RESULTS.md unless set; plots go to results/ beside it

The server runs on processor 0, the load on processor 1. Figure g takes root, since the kernel counts system calls. BUILD_DIR
is the build to measure, build/release unless set.
END
}

die() {
    echo "compare: $*" >&2
    exit 1
}

only=ours,floor,floor-gather,uws,uws-raw,node-ws,peer
figures=abcdefghijklm
rounds=5
timing="--seconds 2 --warmup 0.5"
vs=
vs_port=
out=
while [ $# -gt 0 ]; do
    case $1 in
    --help) usage; exit 0 ;;
    --quick) timing="--seconds 1 --warmup 0.3"; shift; continue ;;
    --only | --figures | --rounds | --vs | --port | --out) [ $# -ge 2 ] || { usage >&2; exit 2; } ;;
    *) usage >&2; exit 2 ;;
    esac
    case $1 in
    --only) only=$2 ;;
    --figures) figures=$2 ;;
    --rounds) rounds=$2 ;;
    --vs) vs=$2 ;;
    --port) vs_port=$2 ;;
    --out) out=$2 ;;
    esac
    shift 2
done
if [ -n "$vs" ]; then
    [ -n "$vs_port" ] || die "--vs needs --port"
    case ,$only, in
    *,other,*) ;;
    *) only=$only,other ;;
    esac
fi

# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
tables=$root/bench/compare
relays=$root/bench/relays
out=${out:-$root/bench/RESULTS.md}
plots=$(dirname "$out")/results
server_core=0
load_core=$(($(nproc) > 1 ? 1 : 0))
run_limit_seconds=120
is_secure=false # the case at hand is one with TLS
group=
bench_pid=

for tool in jq gnuplot taskset ss; do
    command -v "$tool" >/dev/null || die "$tool is missing"
done
case $figures in
*m*) command -v openssl >/dev/null || die "openssl is missing; without it: --figures abcdefghijkl" ;;
esac
for program in homecall-signal bench/homecall-bench bench/floor_relay bench/tls_alone; do
    [ -x "$build/$program" ] ||
        die "$program is not built: cmake --preset release && cmake --build build/release"
done

# ---- Servers ----

# start_relay COMMAND...: like start_server, but for any command, in a process group of its own.
start_relay() {
    setsid taskset -c "$cores" "$@" >"$private/out" 2>&1 &
    group=$!
    for _ in $(seq 200); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            server_pid=$(listening_pid)
            server_pid=${server_pid:-$group}
            return 0
        fi
        kill -0 "$group" 2>/dev/null || break
        sleep 0.05
    done
    return 1
}

# The process that listens on our port: a shell may stand between it and us.
listening_pid() {
    ss -Hltnp "sport = :$port" | grep -o 'pid=[0-9]*' | head -n 1 | cut -d= -f2 || true
}

# start NAME [SETTING=VALUE ...]: start the server of that name, with TLS if $is_secure; its settings are ours alone.
start() {
    local name=$1 certificate=()
    shift
    case $name in
    ours)
        secure_port=$(free_port)
        [ "$is_secure" = false ] ||
            set -- WSS_PORT="$secure_port" TLS_CERT_FILE="$private/cert.pem" TLS_KEY_FILE="$private/key.pem" "$@"
        start_server LOG_LEVEL=warn WORKERS=1 PING_INTERVAL=1h "$@" taskset -c "$cores"
        return
        ;;
    other) port=$vs_port ;;
    *) port=$(free_port) ;;
    esac
    secure_port=$port
    [ "$is_secure" = false ] || certificate=(--cert "$private/cert.pem" --key "$private/key.pem")
    case $name in
    floor) start_relay "$build/bench/floor_relay" "$port" ;;
    floor-gather) start_relay "$build/bench/floor_relay" "$port" gather ;;
    uws) start_relay node "$relays/uws_relay.mjs" "$port" "${certificate[@]}" ;;
    uws-raw) start_relay node "$relays/uws_relay.mjs" "$port" --raw "${certificate[@]}" ;;
    node-ws) start_relay node "$relays/ws_relay.mjs" "$port" "${certificate[@]}" ;;
    peer) start_relay node "$relays/peer_server.mjs" "$port" ;;
    other) start_relay sh -c "$vs" ;;
    *) die "unknown server: $name" ;;
    esac
}

end() {
    if [ -n "$group" ]; then
        kill -TERM -- "-$group" 2>/dev/null || true
        for _ in $(seq 100); do
            kill -0 -- "-$group" 2>/dev/null || break
            sleep 0.02
        done
        kill -KILL -- "-$group" 2>/dev/null || true
        wait "$group" 2>/dev/null || true
        group=
        server_pid=
    fi
    end_server
}

clean_up() {
    [ -z "$bench_pid" ] || kill "$bench_pid" 2>/dev/null || true
    end
    rm -rf "$private"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The packages of npm, where they are wanted and missing.
install_relays() {
    case ,$only, in
    *,uws,* | *,uws-raw,* | *,node-ws,* | *,peer,*) ;;
    *) return 0 ;;
    esac
    command -v node >/dev/null || die "node is missing; without it: --only ours,floor,floor-gather"
    if ! npm --prefix "$relays" ls >/dev/null 2>&1; then
        npm --prefix "$relays" ci >&2
    fi
}

# ---- Runs ----

url() {
    case $is_secure:$1 in
    true:*) echo "wss://127.0.0.1:$secure_port/signal" ;;
    *:peer) echo "ws://127.0.0.1:$port/peerjs" ;;
    *) echo "ws://127.0.0.1:$port/signal" ;;
    esac
}

# has SERVER WHICH: does a case for WHICH of them concern the server?
has() {
    case $2:$1 in
    all:* | ours:ours | growth:ours | growth:floor-gather) true ;;
    rooms:*) [ "$1" != peer ] ;;
    tls:ours | tls:uws | tls:uws-raw | tls:node-ws) true ;;
    *) false ;;
    esac
}

# is_due ROUND SERVER SPARSE: is this case measured in this round? In every second one are what hardly changes, what takes long, and
# servers that are far from all others: so five rounds take less than half an hour.
is_due() {
    [ $(($1 % 2)) -eq 0 ] || return 0
    case $3:$2 in
    true:* | *:node-ws | *:peer) false ;;
    esac
}

record() {
    local round=$1 server=$2 case=$3
    shift 3
    jq -c --argjson round "$round" --arg server "$server" --arg case "$case" "$@" >>"$private/runs"
}

fail_run() {
    local message
    message=$(grep -s . "$4" | tail -n 1 || true)
    echo "compare: round $1, $2, $3: ${message:-$5}" >&2
    # The dollar signs are jq's, here and in run().
    # shellcheck disable=SC2016
    record "$1" "$2" "$3" -n --arg error "${message:-$5}" '{$round, $server, $case, $error}'
}

# run ROUND SERVER CASE ARGUMENTS: load the server that has been started; a line in $private/runs.
run() {
    local round=$1 server=$2 case=$3 dialect=homecall
    [ "$server" != peer ] || dialect=peerjs
    # The arguments are words.
    # shellcheck disable=SC2086
    taskset -c "$load_core" timeout "$run_limit_seconds" "$build/bench/homecall-bench" $timing $4 --dialect "$dialect" --insecure \
        --server-pid "$server_pid" --quiet --json "$private/run" "$(url "$server")" >/dev/null 2>"$private/error" &
    bench_pid=$!
    local status=0
    wait "$bench_pid" || status=$?
    bench_pid=
    if [ "$status" -eq 0 ]; then
        # shellcheck disable=SC2016
        record "$round" "$server" "$case" 'del(.series) | {$round, $server, $case, result: .}' "$private/run"
    else
        fail_run "$round" "$server" "$case" "$private/error" "ended with $status"
    fi
}

# on_both COMMAND...: run it on the processor of the server, and the same on that of the load, as there is a load in all other
# cases: two processors of a virtual machine may be one core. The first one's output.
on_both() {
    local other
    taskset -c "$load_core" "$@" >/dev/null 2>&1 &
    other=$!
    taskset -c "$server_core" "$@" 2>/dev/null || true
    wait "$other" || true
}

# run_openssl ROUND: what OpenSSL alone takes, in µs, as runs of the server `openssl`: a signature by P-256 and an exchange by
# X25519; a handshake, and the records of a call.
run_openssl() {
    echo "round $1 of $rounds: OpenSSL alone" >&2
    local us
    us=$(on_both openssl speed -mr -seconds 1 ecdsap256 ecdhx25519 |
        awk -F: '$1 == "+F4" { sign = $4 } $1 == "+F5" { exchange = $4 }
            END { if (sign > 0 && exchange > 0) printf "{\"us\": %.2f}", 1e6 / sign + 1e6 / exchange }')
    record_openssl "$1" crypto "$us"
    record_openssl "$1" alone "$(on_both "$build/bench/tls_alone" "$private/cert.pem" "$private/key.pem" 500)"
}

# record_openssl ROUND CASE RESULT: a run of the server `openssl`; without a result it has failed.
record_openssl() {
    if [ -n "$3" ]; then
        # shellcheck disable=SC2016
        record "$1" openssl "$2" -n --argjson result "$3" '{$round, $server, $case, $result}'
    else
        fail_run "$1" openssl "$2" /dev/null "it tells nothing"
    fi
}

# The cases of the figures asked for: name, servers, settings, whether unpinned, with TLS and sparse, arguments.
cases() {
    jq -r --arg figures "$figures" '.cases[] | select(.figures / "" | any(. as $letter | $figures | contains($letter)))
        | [.name, .servers, .settings // "-", .unpinned // false, .tls // false, .sparse // false, .arguments] | join("|")' "$tables/figures.json"
}

# measure ROUND: every case with every server.
measure() {
    local name servers settings unpinned sparse arguments server
    while IFS='|' read -r -u 4 name servers settings unpinned is_secure sparse arguments; do
        for server in ${only//,/ }; do
            has "$server" "$servers" || continue
            is_due "$1" "$server" "$sparse" || continue
            echo "round $1 of $rounds: $name, $server" >&2
            cores=$server_core
            [ "$unpinned" = false ] || cores=0-$(($(nproc) - 1))
            set -- "$1"
            [ "$settings" = - ] || set -- "$1" "$settings"
            if start "$server" "${@:2}"; then
                run "$1" "$server" "$name" "$arguments"
            else
                fail_run "$1" "$server" "$name" "$private/out" "the server did not start"
            fi
            end
        done
    done 4< <(cases)
    case $figures in
    *m*) run_openssl "$1" ;;
    esac
}

# shellcheck source=bench/compare/report.sh
. "$tables/report.sh"

install_relays
case $figures in *m*) make_certificate ;; esac
: >"$private/runs"
for round in $(seq "$rounds"); do
    measure "$round"
done
mkdir -p "$plots"
summarize
draw_plots
write_report >"$out"

#!/usr/bin/env bash
# Draws what README shows: the dashboard during two minutes of mixed load, and the terminal view in the midst of it.
#
# Grafana is not needed: a Prometheus is asked for the expressions of the dashboard, and gnuplot draws its panels. So the
# pictures show what the dashboard would, from a real run of the server that is built.

set -euo pipefail

usage() {
    cat <<'END'
Usage: deploy/metrics/draw.sh --out DIR

Starts the server and a Prometheus on free ports of 127.0.0.1, puts load on it for
two minutes, and writes dashboard.svg and top.svg to DIR.

Builds nothing: the build in BUILD_DIR, build/release unless set, is drawn. Needs
prometheus, tmux, curl, jq and gnuplot.
END
}

fail() {
    echo "draw.sh: $*" >&2
    exit 1
}

out=
while [ $# -gt 0 ]; do
    case $1 in
        --out)
            [ $# -ge 2 ] || fail "--out wants a directory."
            out=$2
            shift 2
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
[ -n "$out" ] || { usage >&2; exit 2; }

# shellcheck source=deploy/metrics/with_prometheus.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_prometheus.sh"
for tool in prometheus tmux curl jq gnuplot; do
    command -v "$tool" >/dev/null || fail "$tool is missing."
done
for program in homecall-signal bench/homecall-bench; do
    [ -x "$build/$program" ] || fail "$program is not built: cmake --preset release && cmake --build --preset release"
done

dashboard=$metrics_dir/grafana/dashboards/homecall-signal.json
run_seconds=120
terminal_columns=100
terminal_rows=26
loads=()

terminal() {
    tmux -S "$private/tmux" -f /dev/null "$@"
}

# shellcheck disable=SC2317 # called by a trap
clean_up() {
    local load
    for load in "${loads[@]}"; do
        kill "$load" 2>/dev/null || true
        wait "$load" 2>/dev/null || true
    done
    terminal kill-server 2>/dev/null || true # ours alone: it has a socket of its own
    end_prometheus
    end_server
    rm -rf "$private"
}

# ---- The load ----

# begin SCENARIO [OPTION...]: let it run beside the others.
begin() {
    "$build/bench/homecall-bench" "$@" --quiet "ws://127.0.0.1:$port/signal" &
    loads+=($!)
}

# frame TEXT: a WebSocket frame of a client with up to 125 bytes. Its mask is zero, so it masks nothing.
frame() {
    printf '%b%s' "\\x81\\x$(printf %x $((128 + ${#1})))\\0\\0\\0\\0" "$1"
}

# A client that does everything wrong: no message at all, a signal from outside of any room, a
# complaint, and more than is allowed.
blunder() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    {
        printf 'GET /signal HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
        printf 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
        frame 'hello'
        frame '{"type":"offer","sdp":"x"}'
        frame '{"type":"error","message":"it is not my fault"}'
        printf '\x81\xff\0\0\0\0\1\0\0\0\0\0\0\0' # the head of a message of 16 MiB
    } >&3
    timeout 0.3 cat <&3 >/dev/null
}

# Those that any port on the internet sees: they ask for something else than a WebSocket.
strangers() {
    local url=http://127.0.0.1:$port
    while sleep 0.5; do
        (blunder) || true
        curl -s -o /dev/null "$url/" || true
        curl -s -o /dev/null "$url/signal" || true
        curl -s -o /dev/null -X POST "$url/signal" || true
        curl -s -o /dev/null -H "Cookie: $(printf '%09000d' 0)" "$url/signal" || true
    done
}

until_second() {
    local left=$((started + $1 - $(date +%s)))
    [ "$left" -le 0 ] || sleep "$left"
}

# An ordinary day throughout, and one thing after the other besides.
put_load() {
    strangers &
    loads+=($!)
    begin mixed --pairs 300 --beside 1000 --rate 20 --talk 5 --warmup 0 --seconds "$run_seconds"
    until_second 15
    begin call --pairs 20 --rate 100 --warmup 0 --seconds 20
    until_second 40
    begin storm --connections 2000 --joined
    until_second 60
    begin relay --pairs 50 --rate 4000 --warmup 0 --seconds 20
    until_second 75
    capture_terminal
    until_second 85
    begin rejoin --connections 400 --rate 500 --warmup 0 --seconds 10
    until_second 100
    begin connect --connections 20 --rate 200 --warmup 0 --seconds 10
    until_second "$run_seconds"
}

# Those that measure have ended by themselves; a fault among them spoils the picture.
end_load() {
    local load
    kill "${loads[0]}" # the strangers, who never do
    wait "${loads[0]}" || true
    for load in "${loads[@]:1}"; do
        wait "$load" || fail "A part of the load has failed; what it said is above."
    done
    loads=()
}

# ---- The pictures ----

open_terminal() {
    local command
    printf -v command 'exec env ADMIN_HOST=127.0.0.1 ADMIN_PORT=%d LC_ALL=C.UTF-8 %q --env-file /dev/null top' \
        "$admin_port" "$build/homecall-signal"
    LC_ALL=C.UTF-8 terminal new-session -d -x "$terminal_columns" -y "$terminal_rows" "$command" \; \
        set-option status off
}

# With the port that a server has unless told otherwise: so pictures do not differ by the one that was free.
capture_terminal() {
    LC_ALL=C.UTF-8 terminal capture-pane -e -p >"$private/raw_screen" || fail "The terminal view has ended by itself."
    sed "s/:$admin_port/:9888 /" "$private/raw_screen" >"$private/screen"
}

draw_pictures() {
    jq -R -s -r --arg title "homecall-signal top" --argjson columns "$terminal_columns" --argjson rows "$terminal_rows" \
        -f "$metrics_dir/terminal.jq" "$private/screen" >"$private/top.svg"
    ask_prometheus "$dashboard" "$started" $((started + run_seconds)) >"$private/answers"
    draw_dashboard "$dashboard" "$private/answers" "$started" $((started + run_seconds)) >"$private/dashboard.svg"
    mkdir -p "$out"
    mv "$private/top.svg" "$private/dashboard.svg" "$out"
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Pings more often than in earnest, so that two minutes have some.
start_watched_server WORKERS=2 PING_INTERVAL=5
start_prometheus
open_terminal
sleep 6 # a rate needs a few scrapes before it
echo "Load for $run_seconds seconds…"
started=$(date +%s)
put_load
end_load
draw_pictures
echo "$out/dashboard.svg and $out/top.svg are drawn."

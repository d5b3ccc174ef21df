# Sourced by compare.sh: from the runs in $private/runs to RESULTS.md and its plots.
# shellcheck shell=bash disable=SC2154

summarize() {
    jq -s --argjson figures "$(cat "$tables/figures.json")" -f "$tables/summary.jq" "$private/runs" >"$private/summary"
}

# render FILE.jq NAME VALUE: one table or the data of one plot.
render() {
    jq -r --argjson figures "$(cat "$tables/figures.json")" --arg servers "${only//,/ }" --arg asked "$figures" \
        --arg "$2" "$3" -f "$tables/$1" "$private/summary"
}

# draw_plot NAME SCRIPT [ARGUMENT...]: one without data is not drawn.
draw_plot() {
    local name=$1 script=$root/bench/plot/$2
    shift 2
    rm -f "$plots/$name.svg"
    render plot.jq plot "$name" >"$private/plot"
    [ "$(grep -c "$(printf '\t')" "$private/plot")" -lt 2 ] ||
        gnuplot -d "$root/bench/plot/style.gp" -c "$script" "$private/plot" "$@" >"$plots/$name.svg"
}

draw_plots() {
    local name heading
    while IFS='|' read -r -u 4 name heading; do
        draw_plot "$name" bars.gp "$heading"
    done 4< <(jq -r '.plots[] | .file + "|" + .title' "$tables/figures.json")
    draw_plot growth growth.gp
}

package_version() {
    jq -r --arg name "node_modules/$1" '.packages[$name].version' "$relays/package-lock.json"
}

# name VALUE, as a line of the list of conditions; nothing where there is no value.
condition() {
    [ -z "$2" ] || echo "- $1: $2"
}

conditions() {
    local cpu=/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor
    condition "date" "$(date -u '+%Y-%m-%d %H:%M UTC')"
    condition "processor" "$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) in use$(
        grep -q '^flags.* hypervisor' /proc/cpuinfo && echo ', in a virtual machine')"
    condition "frequency governor" "$(cat "$cpu" 2>/dev/null)"
    condition "kernel" "$(uname -sr)"
    condition "system" "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
    condition "homecall-signal" "$(git -C "$root" describe --tags --always --dirty 2>/dev/null || "$build/homecall-signal" --version)"
    condition "Node.js" "$(node --version 2>/dev/null || true)"
    condition "ws" "$(package_version ws)"
    condition "uws (npm's uwebsockets)" "$(package_version uwebsockets)"
    condition "peer (PeerServer)" "$(package_version peer)"
    condition "TLS" "1.3, a certificate with a P-256 key; $(openssl version | cut -d' ' -f1,2)"
    condition "rounds" "$rounds; the server on processor $server_core, the load on processor $load_core"
}

server_commands() {
    cat <<END
ours          LOG_LEVEL=warn LOG_FILE=FILE WORKERS=1 MESSAGE_RATE=0 PING_INTERVAL=1h WS_PORT=PORT taskset -c $server_core homecall-signal
floor         taskset -c $server_core floor_relay PORT
floor-gather  taskset -c $server_core floor_relay PORT gather
uws           taskset -c $server_core node bench/relays/uws_relay.mjs PORT
uws-raw       taskset -c $server_core node bench/relays/uws_relay.mjs PORT --raw
node-ws       taskset -c $server_core node bench/relays/ws_relay.mjs PORT
peer          taskset -c $server_core node bench/relays/peer_server.mjs PORT      (--dialect peerjs, ws://127.0.0.1:PORT/peerjs)
END
    [ -z "$vs" ] || echo "other         taskset -c $server_core sh -c '$vs'"
}

bench_commands() {
    jq -r --arg timing "$timing" --arg core "$load_core" '.cases[]
        | "\(.name)|taskset -c \($core) homecall-bench \($timing) \(.arguments) --server-pid PID \(
            if .tls then "--insecure wss" else "ws" end)://127.0.0.1:PORT/signal|\(
            [if .settings then "ours with " + .settings else empty end, if .unpinned then "not pinned" else empty end] | join(", "))"' \
        "$tables/figures.json" | awk -F'|' '{ printf "%-13s %s%s\n", $1, $2, $3 == "" ? "" : "    # " $3 }'
}

plot_links() {
    local file
    for file in cpu_per_call cpu_per_signal cpu_per_connection memory_per_connection latency growth; do
        [ ! -e "$plots/$file.svg" ] || printf '![%s](results/%s.svg)\n\n' "${file//_/ }" "$file"
    done
}

write_report() {
    cat <<END
# Measured

Written by \`bench/compare.sh\`: our server beside the least that this kernel asks for the same work (\`floor\`, without and
with gathered writes: \`bench/relays/floor_relay.c\`) and beside servers on Node.js. \`uws\` and \`uws-raw\` are a relay on
uWebSockets, which sends by \`publish()\`: the first reads JSON, the second checks nothing and passes on what came. A figure is
the median of the rounds, with the least and the greatest in brackets. All servers were measured in turn, each on the same
processor. What is far from the rest (\`node-ws\`, \`peer\`), hardly changes (f, g, the memory of m) or takes long (k) was measured
in every second round.

$(conditions)

## The bars

$(render report.jq table bars)

- f and g are bounds in numbers; the floor's figures stand beside them.
- i: the workers are not pinned, so they share a processor with the load.
- j: 100 joined connections go on to new rooms, with one worker and with two, both on one processor. With two, half of the
  joins move to the other worker, so the difference is divided by 0.5. That share is expected, not counted.
- k: each figure against the first of its row.
- l: both users connect for each call and close at its end.
- m: TLS 1.3 with a key of P-256, without resumption. The call is compared with our own one without TLS, the handshake with what
  \`openssl speed\` tells of a signature by P-256 and an exchange by X25519. That a key is made for the exchange, hashes, records and
  the connection itself (figure e) come on top of these. The rows without a bar show how much of it is OpenSSL's: what TLS adds
  to a call beside the records of that call, and a connection beside its handshake, both by OpenSSL alone, from memory to memory
  (\`bench/tls_alone\`). No server over this OpenSSL takes less. \`openssl speed\` and \`tls_alone\` run on both processors at
  once, since the load runs beside all servers, too.

## Beside the best peer

$(render report.jq table peers)

$(render report.jq table behind)

## Figures by server

$(render report.jq table figures)

PeerServer knows no rooms: its connections register by connecting, so its calls are relayed without a queue, and an idle
connection is always a registered one. The relays on Node.js have no limits, no log and no pings; \`uws-raw\` believes its clients,
as the floor does.

$(plot_links)

## Runs that failed

$(render report.jq table failures)

## Commands

The servers:

$(server_commands | sed 's/^/    /')

With TLS (m), ours has also \`WSS_PORT=PORT TLS_CERT_FILE=cert.pem TLS_KEY_FILE=key.pem\`, the relays \`--cert cert.pem --key key.pem\`.

The load, by figure (\`--dialect peerjs\` for PeerServer):

$(bench_commands | sed 's/^/    /')
END
}

#!/usr/bin/env bash
# Calls across the internet, with the services of deploy/docker-compose.yml as .env has them: the page at a public address, and
# callers who can't reach each other.
#
#     anna 192.168.1.2 ─ 198.51.100.2 ┐
#                                     ├ the open net, 198.51.100.1 ─ 203.0.113.7 ─ 10.0.0.5 cloud: web, signal, turn
#     boris 192.168.2.2 ─ 198.51.100.3 ┘
#
# All of it is made of network namespaces that end with the script. Before each of the three stands a router that gives its
# machine another address outside, and the two callers another port for each peer as well. To the cloud it lets through what
# the README says that has to be open, and nothing else.
#
#   test_turn.sh                       what coturn's own clients can see of it
#   test_turn.sh --with COMMAND...     run COMMAND in the open net instead; `ip netns exec anna` leads to a caller
set -euo pipefail
# shellcheck source=tests/deploy/services.sh
. "$(dirname "${BASH_SOURCE[0]}")/services.sh"
build=${BUILD_DIR:-$root/build/release}
public=203.0.113.7
own=10.0.0.5
secret=topsecret
patience=20 # seconds for a client of coturn's

# ---- The net ----

# plug NAME ROUTER ADDRESS: a machine with this address behind the router's.
plug() {
    ip netns add "$1"
    ip link add "$1" type veth peer name uplink netns "$1"
    ip addr add "$2/24" dev "$1"
    ip link set "$1" up
    ip -n "$1" addr add "$3/24" dev uplink
    ip -n "$1" link set uplink addrgenmode none # an IPv6 address that comes later is a change of the network for a browser
    ip -n "$1" link set uplink up
    ip -n "$1" link set lo up
    ip -n "$1" route add default via "$2"
}

# open PROTOCOL PORTS [TARGET]: from the public address to the cloud's own.
open() {
    iptables -t nat -A PREROUTING -d "$public" -p "$1" --dport "$2" -j DNAT --to-destination "$own${3:-}"
}

lay_net() {
    plug cloud 10.0.0.1 "$own"
    plug anna 192.168.1.1 192.168.1.2
    plug boris 192.168.2.1 192.168.2.2
    ip link add outside type veth peer name beyond
    ip addr add 198.51.100.1/24 dev outside
    ip link set outside up
    ip link set beyond up
    echo 1 >/proc/sys/net/ipv4/ip_forward
    open tcp 80 :8080 # where docker-compose.yml has the ports of the containers
    open tcp 443 :8443
    open tcp 3478
    open udp 3478
    open udp 49160:50159
    iptables -t nat -A POSTROUTING -s "$own" ! -d 10.0.0.0/24 -j SNAT --to-source "$public"
    iptables -t nat -A POSTROUTING -s 192.168.1.0/24 -j SNAT --to-source 198.51.100.2 --random
    iptables -t nat -A POSTROUTING -s 192.168.2.0/24 -j SNAT --to-source 198.51.100.3 --random
    iptables -A FORWARD -s 192.168.0.0/16 -d 192.168.0.0/16 -j DROP
    iptables -A FORWARD -d "$public" -j DROP
}

at() {
    ip netns exec "$@"
}

# ---- The services ----

start_services() {
    at cloud bash -c "$service_functions; signal_as_composed" >/srv/signal.log 2>&1 &
    at cloud bash -c "$service_functions; caddy_as_composed" >/srv/caddy.log 2>&1 &
    # Not by at(): a function in the background is a shell of its own, and to end that does not end what it has started.
    ip netns exec cloud bash -c "$service_functions; coturn_as_composed" >/srv/turn.log 2>&1 &
    coturn=$!
    until_works ask_ice
    until_works at cloud timeout 1 "$(of '.services.turn.healthcheck.test[1]')" "$(of '.services.turn.healthcheck.test[2]')"
}

end_coturn() {
    kill "$coturn"
    wait "$coturn" || true
}

# ask_ice: what a caller's page is told.
ask_ice() {
    at anna curl --silent --fail --max-time 5 --insecure "https://$public/ice"
}

# ---- What coturn's clients see ----

# relayed WHO OPTION...: packets through the relay and back, all of them. What the client says is kept in /srv/said.
relayed() {
    local who=$1
    shift
    at "$who" timeout "$patience" turnutils_uclient -v "$@" -n 5 "$public" >/srv/said 2>&1 &&
        grep -q 'Total lost packets 0 ' /srv/said
}

# forbidden ADDRESS: coturn says that it does not lead there.
forbidden() {
    refuses with_told relayed anna -m 1 -c -e "$1" && grep -q '403 (Forbidden IP)' /srv/said
}

# unauthorized OPTION...: coturn does not take such credentials.
unauthorized() {
    refuses relayed anna -m 1 -c -e 198.51.100.1 "$@" && grep -q 'Cannot complete Allocation' /srv/said
}

# with_told QUERY COMMAND...: with user name and password from a fresh /ice.
with_told() {
    local told
    told=$(ask_ice | jq -c '.iceServers[] | select(.username)')
    "$@" -u "$(jq -r .username <<<"$told")" -w "$(jq -r .credential <<<"$told")"
}

sees_its_public_address() {
    at anna timeout 2 turnutils_stunclient "$public" | grep -E 'UDP reflexive addr: 198\.51\.100\.2:' >/dev/null
}

# The 17th allocation of one user is refused (user-quota), so one household's two calls have to be two users.
household_has_two_calls() {
    local first status=0
    with_told relayed anna -y -m 10 -c &
    first=$!
    with_told relayed anna -y -m 10 -c || status=$?
    wait "$first" || status=$?
    return "$status"
}

one_user_is_bounded() {
    refuses with_told relayed anna -y -m 20 -c && grep -q 'error 486' /srv/said
}

# A service of the machine itself, at its own address.
reaches_the_machine() {
    with_told relayed anna -m 1 -c -e "$own"
}

closed_by_the_line_of_turnserver_conf() {
    local line
    line=$(sed -n "s/^#     \(iptables .*\)/\1/p" /srv/compose/turnserver.conf)
    at cloud bash -c "$line"
    patience=5 refuses reaches_the_machine && with_told relayed anna -y -m 1 -c
}

check_turn() {
    local expired=1000:somebody
    expect "callers are told of STUN and TURN at the page's host" is_same \
        "stun:$public:3478 turn:$public:3478?transport=udp turn:$public:3478?transport=tcp" \
        "$(ask_ice | jq -r '[.iceServers[].urls[]] | join(" ")')"
    expect "a caller learns its public address" sees_its_public_address
    at cloud turnutils_peer -L "$own" >/dev/null 2>&1 &
    turnutils_peer -L 198.51.100.1 >/dev/null 2>&1 &
    expect "a relayed caller reaches one in the open" with_told relayed anna -m 1 -c -e 198.51.100.1
    expect "who comes over TCP does, too" with_told relayed anna -t -m 1 -c -e 198.51.100.1
    expect "two relayed callers reach each other" with_told relayed anna -y -m 1 -c
    expect "one household has two calls of ten" household_has_two_calls
    expect "one user has not as many" one_user_is_bounded
    expect "another secret is refused" unauthorized -u somebody -W wrong
    expect "what has expired is refused" unauthorized -u "$expired" \
        -w "$(printf %s "$expired" | openssl dgst -sha1 -hmac "$secret" -binary | base64)"
    for peer in 127.0.0.1 10.0.0.1 169.254.169.254; do
        expect "nobody is led to $peer" forbidden "$peer"
    done
    expect "the machine's own address is open, as turnserver.conf says" reaches_the_machine
    expect "and closed by the line there" closed_by_the_line_of_turnserver_conf
    expect "the secret is no argument" is_same "turnserver -c /tmp/turnserver.conf " \
        "$(tr '\0' ' ' <"/proc/$(pgrep -x turnserver)/cmdline")"
    end_coturn

    expect "a public address alone is refused, since callers would be" refuses at cloud timeout 5 \
        bash -c "$service_functions; coturn_as_composed TURN_EXTERNAL_IP=$public" 2>/srv/refused.log
    expect "and the message says what is expected" grep -qF '203.0.113.7/10.0.0.5' /srv/refused.log
    at cloud bash -c "$service_functions; coturn_as_composed TURN_SECRET=" >/srv/stun.log 2>&1 &
    expect "without a secret it is a STUN server" until_works sees_its_public_address
    patience=5 # it does not even answer
    expect "and no more" refuses relayed anna -m 1 -c -e 198.51.100.1 -u somebody -W "$secret"
    [ "$failures" -eq 0 ] || tail -n 10 /srv/*.log
}

# ---- The whole ----

if [ "${1:-}" = --inside ]; then
    config=$2
    shift 2
    service_functions="$(declare -p powerless config); $(declare -f of environment_of signal_as_composed caddy_as_composed coturn_as_composed)"
    furnish "$build"
    lay_net
    expect "the services start" start_services
    if [ $# -gt 0 ]; then
        (cd "$root" && "$@") || failures=1
    else
        check_turn
    fi
else
    settings=$(mktemp)
    trap 'rm -f "$settings"' EXIT
    printf '%s\n' "HOST_PUBLIC=$public" COMPOSE_PROFILES=turn "TURN_SECRET=$secret" "TURN_EXTERNAL_IP=$public/$own" >"$settings"
    [ "${1:-}" != --with ] || shift
    as_root env BUILD_DIR="$build" "${apart[@]}" --net bash "$0" --inside "$(resolve "$settings")" "$@"
fi
[ "$failures" -eq 0 ]

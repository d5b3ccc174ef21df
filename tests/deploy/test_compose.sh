#!/usr/bin/env bash
# deploy/docker-compose.yml without Docker: the file is held against the option table, the Dockerfile and the files that it
# mounts; then its web service is run by Debian's packages, as the file has it run. test_turn.sh does that with the turn service.
#
# For that the script starts itself again as root, in namespaces of its own: a network that has nothing but a loopback, so
# that 0.0.0.0 and the ports of the containers are free and seen by nobody, and a file system of which /srv and /tmp go with
# it. Every process ends with the namespace.
set -euo pipefail
# shellcheck source=tests/deploy/services.sh
. "$(dirname "${BASH_SOURCE[0]}")/services.sh"
build=${BUILD_DIR:-$root/build/release}
example=$root/deploy/compose.env.example
caddyfile=$root/deploy/compose/Caddyfile

# Options that no setting reaches in the container. Caddy speaks neither the PROXY protocol nor TLS to the server.
left_out=(PROXY_PROTOCOL WSS_PORT TLS_CERT_FILE TLS_KEY_FILE)
# What the compose file has for signal.sh, which makes options of it.
for_signal_sh=(HOST_PUBLIC COMPOSE_PROFILES)
# Options that the compose file has and the table does not know yet.
to_come=()

# ---- The file ----

# holds QUERY: is it true of the file?
holds() {
    jq -e "$1" >/dev/null <<<"$config"
}

# The names in the option table, from the program that has it.
options() {
    "$build/homecall-signal" --env-file /dev/null --print-config | sed -n 's/^\([A-Z_]*\)=.*/\1/p' | sort
}

default_of() {
    "$build/homecall-signal" --env-file /dev/null --print-config | sed -n "s/^$1=//p"
}

names_are_options() {
    local wanted
    wanted=$(printf '%s\n' "$(options)" "${to_come[@]}" "${for_signal_sh[@]}" | grep -vxF "$(printf '%s\n' "${left_out[@]}")")
    is_same "$(sort -u <<<"$wanted")" "$(of '.services.signal.environment | keys[]' | sort)"
}

# with_settings NAME=VALUE... -- COMMAND...: run it in the environment that such an .env gives the server, behind signal.sh.
with_settings() {
    local environment=()
    : >"$settings"
    while [ "$1" != -- ]; do
        echo "$1" >>"$settings"
        shift
    done
    shift
    mapfile -t environment < <(config=$(resolve "$settings") environment_of signal)
    env -i "${environment[@]}" sh "$root/deploy/compose/signal.sh" "$@"
}

server_accepts_its_environment() {
    with_settings "$@" -- "$build/homecall-signal" --env-file /dev/null --check-config
}

# turn_urls_of NAME=VALUE...: what the server is told of STUN and TURN.
turn_urls_of() {
    # shellcheck disable=SC2016 # the inner shell is to expand it
    with_settings "$@" -- sh -c 'echo "$TURN_URLS"'
}

# Every name that the file itself takes from .env stands in the example.
example_has_every_name() {
    local taken
    taken=$(grep -o '[$]{[A-Z_]*' "$compose" | cut -c3- && sed -n 's/^ *- \(TURN_[A-Z_]*\)$/\1/p' "$compose")
    is_same "" "$(sort -u <<<"$taken" | grep -vxF "$(sed -n 's/^#\?\([A-Z_]*\)=.*/\1/p' "$example")")"
}

# What the example sets is what holds without it.
example_changes_nothing() {
    local empty='del(.. | select(. == "" or . == null))'
    is_same "$(of "$empty")" "$(resolve "$example" | jq -r "$empty")"
}

mounts_exist() {
    local sources
    mapfile -t sources < <(of '.services[].volumes[]? | select(startswith("/")) | split(":")[0]')
    ls -d "${sources[@]}" >/dev/null
}

check_file() {
    expect "the names of the environment are those of the options" names_are_options
    expect "the server accepts what it is given" server_accepts_its_environment
    expect "the server accepts it with TURN" server_accepts_its_environment HOST_PUBLIC=call.example.org TURN_SECRET=x COMPOSE_PROFILES=turn
    expect "the server accepts it with STUN alone" server_accepts_its_environment HOST_PUBLIC=call.example.org COMPOSE_PROFILES=turn
    expect "no TURN server is told of where there is none" is_same "" "$(turn_urls_of HOST_PUBLIC=call.example.org COMPOSE_PROFILES=metrics)"
    expect "with a secret it is the one at the page's host" \
        is_same "stun:call.example.org:3478,turn:call.example.org:3478?transport=udp,turn:call.example.org:3478?transport=tcp" \
        "$(turn_urls_of HOST_PUBLIC=call.example.org TURN_SECRET=x)"
    expect "without a secret it is STUN there" is_same "stun:call.example.org:3478" \
        "$(turn_urls_of HOST_PUBLIC=call.example.org COMPOSE_PROFILES=metrics,turn)"
    expect "who names others has those" is_same "turn:other.example" \
        "$(turn_urls_of HOST_PUBLIC=call.example.org TURN_SECRET=x TURN_URLS=turn:other.example)"
    expect "the example of .env has every name" example_has_every_name
    expect "the example of .env changes nothing" example_changes_nothing
    expect "what is mounted is there" mounts_exist
    expect "the page is there" test -s "$(of '.services.web.volumes[] | select(endswith(":/srv/pwa:ro,z")) | split(":")[0]')/index.html"
    expect "what is mounted can be read where SELinux watches" \
        holds '[.services[].volumes[]? | select(startswith("/")) | endswith(":ro,z")] | length >= 7 and all'
    expect "the project has a name of its own" grep -qx 'name: homecall' "$compose"
    expect "nothing has more rights than it needs" holds '[.services[] | .read_only, .cap_drop == ["ALL"], .restart == "unless-stopped",
        .security_opt == ["no-new-privileges:true"], .logging.options["max-size"] != null] | all'
    expect "web and turn alone name a capability, which their files ask for" \
        holds '[.services | to_entries[] | select(.value.cap_add) | [.key, .value.cap_add]] | sort
            == [["turn", ["NET_BIND_SERVICE"]], ["web", ["NET_BIND_SERVICE"]]]'
    expect "nobody is root" holds '[.services | to_entries[] | select(.value.image != "homecall-signal") | .value.user | test("^[1-9][0-9]*:")] | all'
    expect "the server is not root" grep -qE '^USER [1-9][0-9]*:[1-9][0-9]*$' "$root/deploy/Dockerfile"
    expect "images have a full version" \
        holds '[.services | to_entries[] | select(.value.image != "homecall-signal") | .value.image | test(":v?[0-9]+\\.[0-9]+\\.[0-9]+(-[a-z0-9]+)?$")] | all'
    expect "the base has a full version" grep -qE '^ARG BASE=docker.io/library/debian:12\.[0-9]+-slim$' "$root/deploy/Dockerfile"
    expect "every container tells its health" holds '[.services | to_entries[] | select(.value.image != "homecall-signal") | .value.healthcheck.test] | all'
    expect "the server tells its health by itself" grep -qF '"/usr/bin/homecall-signal", "--healthcheck"]' "$root/deploy/Dockerfile"
    expect "the server is not cut off in its grace time" \
        test "$(of '.services.signal.stop_grace_period | rtrimstr("s")')" -gt "$(default_of SHUTDOWN_GRACE)"
    expect "many descriptors" holds '[.services[] | select(.ulimits) | .ulimits.nofile >= 100000] | length >= 3 and all'
    expect "nobody reaches the server from outside" \
        holds '.services.signal.ports == null and (.services.signal.networks | keys) == ["inner"] and .networks.inner.internal'
    expect "all servers of a cluster are alike but for their names" \
        holds '[.services | .signal, .["signal-2"] | del(.hostname, .profiles)] | .[0] == .[1]'
    expect "and the first one alone runs without a cluster" \
        holds '[.services | .signal, .["signal-2"], .nats | .profiles] == [null, ["cluster"], ["cluster"]]'
    expect "the engine is what the nodes ask, and for nobody else" \
        holds '.services.nats.ports == null and (.services.nats.networks | keys) == ["inner"]'
    expect "the server has the ports of the Dockerfile" is_same "$(sed -n 's/^EXPOSE //p' "$root/deploy/Dockerfile")" \
        "$(of '.services.signal.environment | "\(.WS_PORT) \(.ADMIN_PORT)"')"
    expect "Prometheus asks the admin port" grep -qE "^ +- signal:$(of .services.signal.environment.ADMIN_PORT)\$" \
        "$root/deploy/metrics/targets/signal.yml"
    expect "Grafana asks Prometheus" grep -qF 'url: http://prometheus:9090' "$root"/deploy/metrics/grafana/provisioning/datasources/*.yml
}

# ---- The web service's file ----

# The header lines of a Caddyfile, besides what .env may have.
headers_of() {
    grep -oE '(Strict|Content-Security|Permissions|Referrer|X-Content|Cache)-[A-Za-z-]* .*' "$1" | grep -v '{env\.' | sort
}

# The line of the README for another page, with the quotes that it has in .env.
policy_of_readme() {
    sed -n 's/^    CONTENT_SECURITY_POLICY=//p' "$root/deploy/README.md"
}

policy_comes_through() {
    echo "CONTENT_SECURITY_POLICY=$(policy_of_readme)" >"$settings"
    is_same "$(policy_of_readme | tr -d '"')" "$(resolve "$settings" | jq -r '.services.web.environment.CONTENT_SECURITY_POLICY')"
}

check_caddyfile() {
    local adapted
    expect "Caddy finds no fault" env HOST_PUBLIC=localhost caddy validate --adapter caddyfile --config "$caddyfile" 2>/dev/null
    expect "it has Caddy's own format" is_same "$(caddy fmt "$caddyfile")" "$(<"$caddyfile")"
    expect "the page has the headers of proxy/Caddyfile" is_same "$(headers_of "$root/deploy/proxy/Caddyfile")" "$(headers_of "$caddyfile")"
    adapted=$(HOST_PUBLIC=localhost caddy adapt --adapter caddyfile --config "$caddyfile" 2>/dev/null)
    expect "Caddy listens where the ports lead" is_same "$(of '.services.web.ports[] | "\(.published):\(.target)"')" \
        "$(jq -r '.apps.http | "80:\(.http_port)", "443:\(.https_port)"' <<<"$adapted")"
    expect "the policy of the README comes out of .env as it is" policy_comes_through
    expect "Caddy asks the servers at their port" is_same "$(of '.services.signal.networks.inner.aliases[0]') $(of .services.signal.environment.WS_PORT)" \
        "$(jq -r '.. | .dynamic_upstreams? // empty | "\(.name) \(.port)"' <<<"$adapted" | sort -u)"
}

# ---- Inside the namespaces ----

# browse PATH [OPTION...]: as a browser on the host asks, which finds the container's ports at 80 and 443.
browse() {
    local path=$1
    shift
    curl --silent --show-error --max-time 10 --cacert /srv/data/caddy/pki/authorities/local/root.crt \
        --connect-to localhost:443:localhost:8443 --connect-to localhost:80:localhost:8080 "$@" "https://localhost$path"
}

upgrade_status() {
    browse /signal --http1.1 --max-time 1 --output /dev/null --write-out '%{http_code}' -H "Origin: $1" -H 'Connection: Upgrade' \
        -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' 2>/dev/null || true
}

calls_work() {
    (cd /srv && ./homecall-bench call --quiet --count 50 --ca-file /srv/data/caddy/pki/authorities/local/root.crt wss://localhost:8443/signal)
}

is_healthy() {
    (signal_as_composed --healthcheck)
}

check_web() {
    local caddy server
    (signal_as_composed) >/srv/signal.log &
    server=$!
    expect "the server is healthy" until_works is_healthy
    (caddy_as_composed) >/srv/caddy.log 2>&1 &
    caddy=$!
    expect "the web server is healthy" until_works curl --silent --fail "$(of '.services.web.healthcheck.test[-1]')"
    expect "https://localhost/ is the page" until_works browse / --fail
    expect "the page comes whole" is_same "$(browse '/?room=do-not-log-me' --compressed -H 'Referer: https://localhost/?do-not-log-me')" \
        "$(<"/srv/pwa/index.html")"
    expect "the page may do what ours does" is_same "content-security-policy: default-src 'none'" \
        "$(browse / --head | grep -i '^content-security' | cut -d';' -f1)"
    expect "http:// leads to https://" is_same "308 https://localhost/" "$(curl --silent --output /dev/null \
        --write-out '%{http_code} %{redirect_url}' --connect-to localhost:80:localhost:8080 http://localhost/)"
    expect "other ports of localhost may stay plain" test "$(browse / --head | grep -ci strict-transport)" = 0
    expect "the page may open the WebSocket" is_same 101 "$(upgrade_status https://localhost)"
    expect "another page may not" is_same 403 "$(upgrade_status https://other.example)"
    expect "calls work" calls_work
    expect "the page is told of coturn" is_same "$turn_urls" \
        "$(browse /ice -H 'Origin: https://localhost' | jq -r '[.iceServers[].urls[]] | join(",")')"
    kill "$caddy" "$server"
    wait "$caddy" "$server" || true
    expect "the log has requests" grep -q '"uri":"/"' /srv/caddy.log
    expect "the log has no query strings" test "$(grep -c do-not-log-me /srv/caddy.log)" = 0
    [ "$failures" -eq 0 ] || tail -n 20 /srv/signal.log /srv/caddy.log
}

# ---- HOST_PUBLIC in letters of its own ----

# As people write it, and as browsers, DNS and certificates have it.
international=ДомоЗвон.рф
ascii=xn--b1adjthcbc.xn--p1ai

plain_upgrade_status() {
    curl --silent --max-time 1 --output /dev/null --write-out '%{http_code}' -H "Origin: $1" -H 'Connection: Upgrade' \
        -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
        http://signal:8888/signal 2>/dev/null || true
}

certificate_is_for() {
    openssl s_client -connect localhost:8443 -servername "$1" </dev/null 2>/dev/null |
        openssl x509 -noout -ext subjectAltName | grep -x " *DNS:$1" >/dev/null
}

turn_call() {
    timeout 10 turnutils_uclient -u somebody -W topsecret -e 198.51.100.1 -n 3 -m 1 -c 198.51.100.1 >/dev/null
}

check_international() {
    local web server caddy coturn
    mapfile -t web < <(environment_of web)
    (signal_as_composed) >/srv/signal.log &
    server=$!
    expect "the server of $international is healthy" until_works is_healthy
    expect "the page of $international may open the WebSocket" is_same 101 "$(plain_upgrade_status "https://$ascii")"
    expect "another page may not" is_same 403 "$(plain_upgrade_status https://other.example)"
    expect "the page is told of coturn in ASCII" \
        is_same "stun:$ascii:3478,turn:$ascii:3478?transport=udp,turn:$ascii:3478?transport=tcp" \
        "$(curl --silent http://signal:8888/ice | jq -r '[.iceServers[].urls[]] | join(",")')"

    # There is no authority to ask here.
    sed 's/^\tskip_install_trust/&\n\tlocal_certs/' /srv/compose/Caddyfile >/srv/Caddyfile
    env -i PATH="$PATH" "${web[@]}" HOME=/ XDG_DATA_HOME=/srv/data caddy run --adapter caddyfile --config /srv/Caddyfile >/srv/caddy.log 2>&1 &
    caddy=$!
    expect "the web server is healthy" until_works curl --silent --fail "$(of '.services.web.healthcheck.test[-1]')"
    expect "the certificate is for $ascii" until_works certificate_is_for "$ascii"
    # Caddy compares a host in letters of its own with what browsers say from 2.9 on; that of the compose file is newer.
    if dpkg --compare-versions "$(caddy version | sed 's/^v//; s/ .*//')" ge 2.9; then
        expect "https://$ascii/ is the page" curl --silent --fail --cacert /srv/data/caddy/pki/authorities/local/root.crt \
            --connect-to "$ascii:443:localhost:8443" "https://$ascii/" --output /dev/null
    fi

    # An address as of the open net, since coturn relays at none of the loopback.
    ip link add outside type veth peer name beyond
    ip addr add 198.51.100.1/24 dev outside
    ip link set outside up
    ip link set beyond up
    # shellcheck disable=SC2119 # it is given no more settings here
    (coturn_as_composed) >/srv/turn.log 2>&1 &
    coturn=$!
    turnutils_peer -L 198.51.100.1 >/dev/null 2>&1 &
    expect "coturn is healthy" until_works timeout 1 turnutils_stunclient 127.0.0.1
    expect "coturn relays in a realm of that name" turn_call
    kill "$server" "$caddy" "$coturn"
    wait "$server" "$caddy" "$coturn" || true
    [ "$failures" -eq 0 ] || tail -n 20 /srv/signal.log /srv/caddy.log /srv/turn.log
}

# ---- The profile cluster ----

new_calls_work() {
    (cd /srv && ./homecall-bench call --quiet --reconnect --fresh-rooms --pairs 10 --count 100 \
        --ca-file /srv/data/caddy/pki/authorities/local/root.crt wss://localhost:8443/signal)
}

# both_have_clients: Caddy looks again and again which servers there are.
both_have_clients() {
    new_calls_work && grep -q upgraded /srv/signal.log && grep -q upgraded /srv/signal-2.log
}

check_cluster() {
    local engine first second caddy
    printf '127.0.0.1 nats\n127.0.0.1 signal signals\n127.0.0.2 signal-2 signals\n' >>/srv/hosts
    sed -i 's/^127.0.0.1 localhost.*/127.0.0.1 localhost/' /srv/hosts
    cp -r "$root/deploy/cluster" /srv/
    /srv/cluster/secrets.sh >/dev/null
    cp -rp /srv/cluster/secrets /srv/cluster/homecall-cluster
    cp -rp /srv/cluster/homecall-cluster /run/cluster
    (nats_as_composed) >/srv/nats.log 2>&1 &
    engine=$!
    expect "the engine is healthy" until_works curl --silent --fail "$(of '.services.nats.healthcheck.test[-1]')"
    (node_as_composed signal 127.0.0.1) >/srv/signal.log 2>&1 &
    first=$!
    (node_as_composed signal-2 127.0.0.2) >/srv/signal-2.log 2>&1 &
    second=$!
    (caddy_as_composed) >/srv/caddy.log 2>&1 &
    caddy=$!
    expect "the web server is healthy before two servers" until_works curl --silent --fail "$(of '.services.web.healthcheck.test[-1]')"
    expect "calls work over both servers" until_works both_have_clients
    expect "both have found the engine" test "$(cat /srv/signal.log /srv/signal-2.log | grep -c 'the engine is there')" = 2
    kill "$second"
    wait "$second" || true
    expect "calls work when one has ended" until_works new_calls_work
    kill "$first" "$caddy" "$engine"
    wait "$first" "$caddy" "$engine" || true
    [ "$failures" -eq 0 ] || tail -n 20 /srv/nats.log /srv/signal.log /srv/signal-2.log /srv/caddy.log
}

# ---- The whole ----

turn_urls="stun:localhost:3478,turn:localhost:3478?transport=udp,turn:localhost:3478?transport=tcp"
if [ "${1:-}" = --inside ]; then
    config=$2
    furnish "$build"
    check_web
    config=$3
    check_international
    config=$4
    check_cluster
else
    settings=$(mktemp) # none, so far
    trap 'rm -f "$settings"' EXIT
    config=$(resolve "$settings")
    check_file
    check_caddyfile

    printf '%s\n' TURN_SECRET=topsecret "HOST_PUBLIC=$international" >"$settings"
    other=$(resolve "$settings")
    echo COMPOSE_PROFILES=cluster >"$settings"
    cluster=$(resolve "$settings")
    echo TURN_SECRET=topsecret >"$settings"
    expect "the services run" as_root env BUILD_DIR="$build" "${apart[@]}" --net bash "$0" --inside "$(resolve "$settings")" "$other" "$cluster"
fi
[ "$failures" -eq 0 ]

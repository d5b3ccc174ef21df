#!/usr/bin/env bash
# deploy/cluster as its README tells: the engine with the files that are delivered, two nodes, and before them Caddy, nginx and
# HAProxy in turn, each with our file for it and the lines of the README. What may be changed is what stands under an EDIT.
#
# For that the script starts itself again as root in a network of its own, in which the addresses of the README are free, and
# nobody else listens. Every process ends with it.
#
#   test_cluster.sh [README]    deploy/cluster/README.md unless given
set -euo pipefail
# shellcheck source=tests/deploy/services.sh
. "$(dirname "${BASH_SOURCE[0]}")/services.sh"
readme=${1:-$root/deploy/cluster/README.md}
build=${BUILD_DIR:-$root/build/release}
nodes=(10.0.0.11 10.0.0.12)
PATH=$PATH:/usr/sbin
if [ "${HOMECALL_APART:-}" != yes ]; then
    exec env HOMECALL_APART=yes unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$readme"
fi

mount -t tmpfs tmpfs /tmp
private=$(mktemp -d)
chmod 755 "$private"
ip link set lo up
for address in "${nodes[@]}" 10.0.0.13; do
    ip addr add "$address/32" dev lo
done

# ---- The engine ----

# engine FILE [SED...]: start it with a file of ours; sets engine.
engine() {
    local file=$1
    shift
    sed "$@" -e '' "$root/deploy/cluster/$file" >"$private/engine/$file"
    nats-server -c "$private/engine/$file" >"$private/engine/log" 2>&1 &
    engine=$!
    until_works talk "" || { cat "$private/engine/log"; return 1; }
}

# end PID...
end() {
    kill "$@"
    wait "$@" 2>/dev/null || true
}

# talk CONNECT [LINE...]: what the engine answers to a client that signs in with this and says these lines. All is sent at once: what
# comes to an engine that has hung up makes the kernel throw its answer away.
talk() {
    local said
    said=$(printf 'CONNECT {"verbose":false,"pedantic":false,"tls_required":false%s}\r\n' "$1")
    shift
    [ $# -eq 0 ] || said+=$'\n'$(printf '%b\r\n' "$@")
    (
        exec 3<>/dev/tcp/127.0.0.1/4222
        printf '%s\nPING\r\n' "$said" >&3
        timeout 2 sed -n '/^PONG/q; p' <&3
    )
}

# answers PATTERN CONNECT [LINE...]
answers() {
    local pattern=$1
    shift
    talk "$@" | grep -E "$pattern" >/dev/null
}

# connects [NAME=VALUE...]: what a node says of the engine.
connects() {
    env -i CLUSTER_URL=nats://127.0.0.1:4222 CLUSTER_USER=homecall CLUSTER_PASSWORD_FILE="$private/engine/homecall-cluster/password" \
        CLUSTER_SECRET_FILE="$private/engine/homecall-cluster/secret" "$@" \
        "$build/homecall-signal" --env-file /dev/null --check-config --connect
}

# complains_of PATTERN [NAME=VALUE...]
complains_of() {
    local pattern=$1 said
    shift
    if said=$(connects "$@" 2>&1); then
        echo "it does not complain: $said"
        return 1
    fi
    grep -E "$pattern" <<<"$said" >/dev/null || { echo "$said"; return 1; }
}

three_are_valid() {
    local i
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=engine \
        -addext subjectAltName=IP:10.0.0.11,IP:10.0.0.12,IP:10.0.0.13,IP:127.0.0.1 -keyout "$private/engine/engine.key" \
        -out "$private/engine/engine.pem" 2>/dev/null
    cp "$private/engine/engine.pem" "$private/engine/ca.pem"
    for i in 1 2 3; do
        sed -e "s/engine-1/engine-$i/" -e "s/10\\.0\\.0\\.11:4222/10.0.0.1$i:4222/" -e "s/10\\.0\\.0\\.11:6222/10.0.0.1$i:6222/" \
            -e '/nats:\/\/10\.0\.0\.1'"$i"':/d' -e "s/127.0.0.1:8222/127.0.0.1:822$i/" -e "s#/etc/homecall-cluster/#$private/engine/#" \
            "$root/deploy/cluster/nats-three.conf" >"$private/engine/three-$i.conf"
        [ "$i" -eq 1 ] || sed -i "s#^\\(  *\\)nats://10.0.0.1[23]:6222#\\1nats://10.0.0.11:6222#" "$private/engine/three-$i.conf"
        nats-server -t -c "$private/engine/three-$i.conf" >"$private/engine/three.log" 2>&1 || { cat "$private/engine/three.log"; return 1; }
    done
}

have_routes() {
    [ "$(curl -sf http://127.0.0.1:8221/varz | jq .routes)" -ge 2 ]
}

check_engine() {
    local password
    mkdir "$private/engine"
    "$root/deploy/cluster/secrets.sh" "$private/engine/homecall-cluster" >/dev/null
    password=$(cat "$private/engine/homecall-cluster/password")
    engine nats.conf
    "$root/deploy/cluster/secrets.sh" "$private/of-group" root:nogroup >/dev/null
    expect "the group that is named may read the secrets" setpriv --reuid=65534 --regid=65534 --clear-groups \
        cat "$private/of-group/password.conf"
    expect "and nobody else may" refuses setpriv --reuid=65533 --regid=65533 --clear-groups cat "$private/of-group/password.conf" 2>/dev/null
    local known=",\"user\":\"homecall\",\"pass\":\"$password\""
    expect "nobody comes in without a password" answers "Authorization Violation" ""
    expect "nor with a wrong one" answers "Authorization Violation" ',"user":"homecall","pass":"wrong"'
    expect "who has it may hear and say what the cluster needs" refuses answers "ERR" "$known" "SUB hc.homecall.n 1" 'PUB hc.homecall.n 1\r\nx'
    expect "and hear nothing else" answers "Permissions Violation for Subscription" "$known" "SUB foo 1"
    expect "not even all" answers "Permissions Violation for Subscription" "$known" "SUB > 1"
    expect "and say nothing else" answers "Permissions Violation for Publish" "$known" 'PUB foo 1\r\nx'
    expect "a node finds nothing wrong with it" connects
    expect "a node tells of a wrong password" complains_of "does not let us in" CLUSTER_PASSWORD_FILE="$private/engine/homecall-cluster/secret"
    expect "and of an engine that is not there" complains_of "nats://127.0.0.1:4223" CLUSTER_URL=nats://127.0.0.1:4223
    end "$engine"
    engine nats.conf -e 's/"hc\.>"/"other.>"/g'
    expect "and of an engine that allows it nothing" complains_of "permi|may not|allow"
    end "$engine"
    engine nats.conf -e 's/^max_payload.*/max_payload: 64KB/'
    expect "and of one that takes too little" complains_of max_payload
    end "$engine"
    expect "the files for three engines are valid" three_are_valid
    local i three=()
    for i in 1 2 3; do
        nats-server -c "$private/engine/three-$i.conf" >"$private/engine/log-$i" 2>&1 &
        three+=($!)
    done
    expect "the three find each other" until_works have_routes
    expect "a node comes to them by TLS, with a certificate" connects CLUSTER_URL=tls://10.0.0.11:4222,tls://10.0.0.12:4222 \
        CLUSTER_CA_FILE="$private/engine/ca.pem" CLUSTER_CERT_FILE="$private/engine/engine.pem" CLUSTER_KEY_FILE="$private/engine/engine.key"
    expect "and not without one" complains_of . CLUSTER_URL=tls://10.0.0.11:4222 CLUSTER_CA_FILE="$private/engine/ca.pem"
    end "${three[@]}"
}

# ---- The nodes behind each proxy ----

# start_node I: the first is 0; sets pids[I].
start_node() {
    local address=${nodes[$1]}
    env -i WS_HOST="$address" ADMIN_HOST="$address" ALLOW_PLAINTEXT=1 TRUSTED_PROXIES=127.0.0.1,10.0.0.0/24 MESSAGE_RATE=0 GUESS_RATE=0 \
        CLUSTER_URL=nats://127.0.0.1:4222 CLUSTER_USER=homecall CLUSTER_NODE="node-$1" \
        CLUSTER_PASSWORD_FILE="$private/engine/homecall-cluster/password" \
        CLUSTER_SECRET_FILE="$private/engine/homecall-cluster/secret" "$build/homecall-signal" --env-file /dev/null >>"$private/node-$1" 2>&1 &
    pids[$1]=$!
    until_works curl -sf "http://$address:9888/readyz"
}

# block HEADING: the first block of code in the README behind the line that has this text.
block() {
    awk -v heading="$1" 'index($0, heading) { found = 1 } found && /^    / { print substr($0, 5); said = 1; next }
        said && !/^    / { exit }' "$readme" | grep .
}

# put PATTERN LAST HEADING FILE: our file for a proxy, with that block in place of the lines from PATTERN to LAST, which it keeps
# where it is empty.
put() {
    block "$3" >"$private/block"
    awk -v first="$1" -v last="$2" -v block="$private/block" '
        $0 ~ first && !found { found = 1; inside = 1; while ((getline line < block) > 0) print line }
        !inside { print }
        inside && $0 ~ last { inside = 0 }
        END { exit !found }' "$root/deploy/proxy/$4"
}

caddy_proxy() {
    put '^\t\treverse_proxy 127\.0\.0\.1:8888 \{$' '\{$' "Caddy, in place of" Caddyfile |
        sed -e 's/^call\.example\.org {/localhost {/' -e "s#tls admin@.*#tls $private/cert.pem $private/key.pem#" >"$private/Caddyfile"
    XDG_DATA_HOME=$private XDG_CONFIG_HOME=$private exec caddy run --adapter caddyfile --config "$private/Caddyfile"
}

nginx_proxy() {
    mkdir -p "$private/log"
    put '^upstream homecall_signal \{' '^\}' "nginx, in place of" nginx.conf |
        sed -e 's/call\.example\.org;/localhost;/' -e "s#/var/log/nginx#$private/log#" \
            -e "s#/etc/letsencrypt/live/call.example.org/fullchain.pem#$private/cert.pem#" \
            -e "s#/etc/letsencrypt/live/call.example.org/privkey.pem#$private/key.pem#" >"$private/nginx.conf"
    printf 'daemon off; user root; pid %s/pid; error_log stderr; events { } http { include %s/nginx.conf; }\n' "$private" "$private" \
        >"$private/main.conf"
    exec nginx -e stderr -p "$private" -c "$private/main.conf"
}

haproxy_proxy() {
    cat "$private/cert.pem" "$private/key.pem" >"$private/certs/both.pem"
    put '^    server signal 127' . "HAProxy, in place of" haproxy.cfg |
        sed -e "s#/etc/haproxy/certs/#$private/certs/#" -e '/^    log \/dev/d' -e '/^    log global/d' -e '/^    chroot/d' \
            -e 's/^    \(user\|group\) haproxy/    \1 root/' >"$private/haproxy.cfg"
    exec haproxy -f "$private/haproxy.cfg"
}

# calls COUNT: by the proxy, with new connections for each; so many, each signal checked.
calls() {
    "$build/bench/homecall-bench" call --reconnect --fresh-rooms --pairs 10 --count "$1" --insecure --quiet wss://localhost/signal
}

clients_of() {
    grep -c upgraded "$private/node-$1" || true
}

# both_get_some: calls by the proxy come to both nodes.
both_get_some() {
    local before=("$(clients_of 0)" "$(clients_of 1)")
    calls 100 && [ "$(clients_of 0)" -gt "${before[0]}" ] && [ "$(clients_of 1)" -gt "${before[1]}" ]
}

check_proxy() {
    local name=$1 proxy
    "${name}_proxy" >"$private/$name.log" 2>&1 &
    proxy=$!
    expect "$name answers with the lines of the README" until_works curl -sk -o /dev/null https://localhost/ice
    expect "calls by $name come to both nodes" until_works both_get_some
    kill -TERM "${pids[0]}"
    expect "$name: calls work while one node drains and ends" calls 100
    wait "${pids[0]}" || true
    expect "$name: and when it is gone" calls 100
    start_node 0
    expect "$name: both get calls when it is back" until_works both_get_some
    kill -KILL "${pids[1]}"
    wait "${pids[1]}" 2>/dev/null || true
    expect "$name: new calls work when a node was killed" until_works calls 20
    start_node 1
    end "$proxy"
    [ "$failures" -eq 0 ] || tail -5 "$private/$name.log"
}

check_engine
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout "$private/key.pem" -out "$private/cert.pem" 2>/dev/null
mkdir "$private/certs"
engine nats.conf
pids=()
start_node 0
start_node 1
for name in caddy nginx haproxy; do
    check_proxy "$name"
done
[ "$failures" -eq 0 ]

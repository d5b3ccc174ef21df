# shellcheck shell=bash
# For the tests of the containers, to be sourced: what the compose file says, and how to run its services without Docker.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
compose=$root/deploy/docker-compose.yml
# shellcheck source=deploy/packages.sh
. "$root/deploy/packages.sh"

failures=0

# expect SENTENCE COMMAND...: one thing that has to be true.
expect() {
    local sentence=$1
    shift
    if "$@"; then
        echo "ok: $sentence"
    else
        echo "FAILED: $sentence"
        failures=$((failures + 1))
    fi
}

# is_same A B: two texts, shown where they differ.
is_same() {
    diff <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

refuses() {
    ! "$@"
}

# Wait until a command succeeds, as long as anything here may take.
until_works() {
    local _
    for _ in $(seq 100); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "in vain: $*"
    return 1
}

# Some versions of docker-compose write a volume with a line for each of its parts.
volumes_as_text='(.services[].volumes[]? | objects) |= (.source + ":" + .target +
    ([if .read_only then "ro" else empty end, (.bind.selinux // empty)] | join(",") | if . == "" then "" else ":" + . end))'

# resolve ENV_FILE: the compose file as docker-compose understands it, with all profiles, as JSON. It is run as the file itself
# says of the older docker-compose, which is Debian's.
resolve() {
    local line
    line=$(sed -n 's/^#     \(grep .*\) up$/\1/p' "$compose")
    (cd "${compose%/*}" && env -i PATH="$PATH" sh -c "$line --env-file '$1' --profile turn --profile metrics --profile cluster config") |
        python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)' |
        jq "$volumes_as_text"
}

# What resolve has made of it.
config=

# of QUERY: what jq finds in it, a line each.
of() {
    jq -r "$1" <<<"$config"
}

# environment_of SERVICE: what is set for it, as `env` takes it.
environment_of() {
    of ".services.$1.environment | to_entries[] | select(.value != null) | \"\(.key)=\(.value)\""
}

# Before a command: without the rights that a container of the compose file lacks. A user has to be added.
# shellcheck disable=SC2034 # for those who source this
powerless=(setpriv --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs)

# Before a command, as root: with mounts and processes of its own, which end with it.
# shellcheck disable=SC2034
apart=(unshare --mount --pid --fork --kill-child --mount-proc)

# ---- The services of the compose file, run by Debian's packages in namespaces ----

# Lay the files where the containers have them, with names to find each other by. The checkout is looked for in another place
# from now on, since it may be below one of those that are hidden.
furnish() {
    local build=$1 binaries
    mount -t tmpfs tmpfs /run
    mkdir /run/checkout /run/build
    mount --bind "$root" /run/checkout
    mount --bind "$build" /run/build
    root=/run/checkout
    cd /run || return

    mount -t tmpfs tmpfs /srv
    binaries=(/run/build/homecall-signal /run/build/bench/homecall-bench)
    # As a checkout under umask 077 has them, and made readable as the README says.
    (umask 077 && cp -r "$root/deploy/pwa" "$root/deploy/compose" "$root/deploy/metrics" /srv/)
    (cd /srv && sh -ec "$(sed -n 's/^ *\(chmod -R .*\)/\1/p' "$root/deploy/README.md")")
    install -m 755 "${binaries[@]}" /srv/
    mkdir -m 1777 /srv/data
    printf '127.0.0.1 localhost signal signals\n::1 localhost\n' >/srv/hosts
    chmod a+r /srv/hosts
    mount --bind /srv/hosts /etc/hosts
    mount -t tmpfs tmpfs /tmp
    ip link set lo up
}

# signal_as_composed [ARGUMENT...]: the server, or what else its image's entry point is asked for.
signal_as_composed() {
    local environment
    mapfile -t environment < <(environment_of signal)
    exec "${powerless[@]}" --reuid=10001 --regid=10001 env -i "${environment[@]}" \
        sh /srv/compose/signal.sh /srv/homecall-signal --env-file /dev/null "$@"
}

# node_as_composed NAME ADDRESS: a node of the profile cluster, all of which are alike. In a container it has 0.0.0.0 for itself.
node_as_composed() {
    local environment
    mapfile -t environment < <(environment_of signal)
    exec "${powerless[@]}" --reuid=10001 --regid=10001 env -i "${environment[@]}" WS_HOST="$2" ADMIN_HOST="$2" CLUSTER_NODE="$1" \
        sh /srv/compose/signal.sh /srv/homecall-signal --env-file /dev/null
}

# With what cluster/secrets.sh makes, where the containers have it, and the file itself in another place.
nats_as_composed() {
    local arguments
    mapfile -t arguments < <(of '.services.nats.command[]' | sed 's#^/etc/nats/#/srv/cluster/#')
    exec "${powerless[@]}" --reuid=10001 --regid=10001 env -i PATH="$PATH:/usr/sbin" nats-server "${arguments[@]}"
}

# Docker gives a user who is unknown in the image this HOME; the other one is Caddy's image's.
caddy_as_composed() {
    local environment
    mapfile -t environment < <(environment_of web)
    exec "${powerless[@]}" --reuid=10002 --regid=10002 env -i "${environment[@]}" HOME=/ XDG_DATA_HOME=/srv/data \
        caddy run --adapter caddyfile --config /srv/compose/Caddyfile
}

coturn_as_composed() {
    local environment
    mapfile -t environment < <(environment_of turn)
    exec "${powerless[@]}" --reuid=65534 --regid=65534 env -i "${environment[@]}" "$@" sh /srv/compose/turn.sh
}

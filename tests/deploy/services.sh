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

# resolve ENV_FILE: the compose file as docker-compose understands it, with all profiles, as JSON.
resolve() {
    env -i PATH="$PATH" docker-compose -f "$compose" --env-file "$1" --profile turn --profile metrics config |
        python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)'
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

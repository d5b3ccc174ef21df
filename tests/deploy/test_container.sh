#!/usr/bin/env bash
# deploy/Dockerfile without Docker: Podman builds it, over a base that debootstrap makes in the place of the pinned image. The
# server is then started from the image as the compose file would have it started: as its user, without rights, with nothing
# to write to, in a network that has nothing but a loopback. It has to be healthy and to end when told to.
#
# The base is kept in out/container, so that the next run has only to build. All else goes with the namespaces that the
# script starts itself again in, as root.
set -euo pipefail
# shellcheck source=tests/deploy/services.sh
. "$(dirname "${BASH_SOURCE[0]}")/services.sh"
dockerfile=$root/deploy/Dockerfile
base=$(sed -n 's/^ARG BASE=//p' "$dockerfile")
base_name=${base##*/}
base_tar=$root/out/container/${base_name/:/-}.tar

# ---- The image ----

# shellcheck disable=SC2016 # apt is to expand these
readonly apt_uri='$(REPO_URI)' apt_line='deb $(REPO_URI) $(RELEASE) $(COMPONENT)'

# In the place of the pinned image: Debian 12 at its smallest, which takes packages from where this machine takes its own.
make_base() {
    local mirror rootfs=$work/base ours
    ours=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format "$apt_uri" 'Identifier: Packages' "Codename: $ours" 'Component: main' | sed -n 1p)
    debootstrap --variant=minbase bookworm "$rootfs" "$mirror" >"$work/debootstrap.log" 2>&1 || {
        tail -n 20 "$work/debootstrap.log"
        return 1
    }
    apt-get indextargets --format "$apt_line" 'Identifier: Packages' 'Origin: Debian' |
        sed "s/ $ours\>/ bookworm/" | sort -u >"$rootfs/etc/apt/sources.list"
    apt-config dump Acquire >"$rootfs/etc/apt/apt.conf.d/90acquire"
    rm -f "$rootfs"/var/cache/apt/archives/*.deb
    mkdir -p "${base_tar%/*}"
    tar -C "$rootfs" -cf "$base_tar.new" . && mv "$base_tar.new" "$base_tar"
}

in_podman() {
    podman --root "$work/storage" --runroot "$work/run" "$@"
}

build_image() {
    in_podman import --quiet "$base_tar" "$base" >/dev/null || return
    local limits=()
    # Newer versions of podman ask for more of both than a machine may allow.
    [[ $(ulimit -Hn) == unlimited ]] || limits+=(--ulimit "nofile=$(ulimit -Hn)")
    [[ $(ulimit -Hu) == unlimited ]] || limits+=(--ulimit "nproc=$(ulimit -Hu)")
    in_podman build --isolation chroot "${limits[@]}" --format docker --pull=never --file "$dockerfile" --tag homecall-signal "$root" \
        >"$work/build.log" 2>&1 || {
        tail -n 30 "$work/build.log"
        return 1
    }
}

# ---- The server in it ----

# as_in_container COMMAND...: with the root, the user, the rights and the environment that Docker would give it.
as_in_container() {
    exec chroot "$image_root" "${powerless[@]}" --reuid="${user%:*}" --regid="${user#*:}" env -i "${environment[@]}" "$@"
}

is_healthy() {
    (as_in_container "${health_check[@]}") >/dev/null 2>&1
}

# status_of FIELD: of the server, as the kernel has it.
status_of() {
    awk -v field="$1:" '$1 == field { print $2 }' "/proc/$server/status"
}

run_server() {
    local environment entrypoint health_check user server status=0
    mapfile -t environment < <(environment_of signal)
    mapfile -t entrypoint < <(jq -r '.[0].Config.Entrypoint[]' "$work/image.json")
    mapfile -t health_check < <(jq -r '.[0].Healthcheck.Test[1:][]' "$work/image.json")
    user=$(jq -r '.[0].Config.User' "$work/image.json")
    ip link set lo up
    mount -t proc proc "$image_root/proc"

    (as_in_container "${entrypoint[@]}") >"$work/server.log" 2>&1 &
    server=$!
    expect "the server answers its health check" until_works is_healthy
    expect "it is the fixed user" is_same "${user%:*}" "$(status_of Uid)"
    expect "it has no capability" is_same "0000000000000000 0000000000000000" "$(status_of CapPrm) $(status_of CapBnd)"
    expect "it gets no new rights" is_same 1 "$(status_of NoNewPrivs)"
    expect "not even root can write to its files" refuses touch "$image_root/usr/bin/homecall-signal" 2>/dev/null
    expect "it speaks where the web service asks" is_same 426 \
        "$(curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:8888/signal)"
    expect "it logs to the standard output" grep -q ' started ' "$work/server.log"
    kill -TERM "$server"
    wait "$server" || status=$?
    expect "it ends well when told to" is_same 0 "$status"
    expect "then the health check fails" refuses is_healthy
    [ "$failures" -eq 0 ] || cat "$work/server.log"
}

# ---- The whole ----

check_image() {
    local image_root
    [ -s "$base_tar" ] || make_base || return
    expect "the Dockerfile builds" build_image
    [ "$failures" -eq 0 ] || return
    in_podman image inspect homecall-signal >"$work/image.json"
    image_root=$(in_podman image mount homecall-signal)
    mount -o remount,bind,ro "$image_root" 2>/dev/null || mount --bind -o ro "$image_root" "$image_root"
    expect "the image has what runs and not what builds" refuses test -e "$image_root/usr/bin/cc"
    # Without CET, as in test_package.sh.
    expect "its program is hardened" hardening-check --quiet --nocfprotection "$image_root/usr/bin/homecall-signal"
    expect "the server runs" unshare --net bash "$0" --run "$work" "$image_root" "$config"
}

case ${1:-} in
    --build)
        work=$2
        config=$3
        check_image
        ;;
    --run)
        work=$2
        image_root=$3
        config=$4
        run_server
        ;;
    *)
        work=$(mktemp -d)
        trap 'as_root rm -rf "$work"' EXIT
        : >"$work/settings"
        as_root "${apart[@]}" bash "$0" --build "$work" "$(resolve "$work/settings")"
        ;;
esac
[ "$failures" -eq 0 ]

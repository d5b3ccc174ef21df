# shellcheck shell=bash
# For the tests that need a Debian of their own, to be sourced as root: one is made in a directory, entered by chroot, and,
# where the machine lets it, booted with its own systemd in namespaces. All of it goes with the script.

if [ "$(id -u)" -ne 0 ]; then
    echo "$0 takes root: it works in a chroot" >&2
    exit 1
fi
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../bench/with_server.sh"
debian=$private/debian
suite=$(. /etc/os-release && echo "$VERSION_CODENAME") # the one that the package is built for
base=$root/out/debootstrap-$suite.tar
booted=  # the unshare process above a systemd
init=    # that systemd
cgroups=() # made for it

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    end_server
    halt
    umount --lazy "$debian" 2>/dev/null || true
    rm -rf "$private"
}
trap clean_up EXIT

fail() {
    echo "$*" >&2
    exit 1
}

inside() {
    chroot "$debian" "$@"
}

# quietly COMMAND...: show its output only if it fails.
quietly() {
    "$@" >"$private/out" 2>&1 || {
        cat "$private/out" >&2
        fail "failed: $*"
    }
}

# ---- The Debian, and the package ----

make_debian() {
    if [ ! -e "$base" ]; then
        mkdir -p "$root/out"
        quietly debootstrap --variant=minbase "$suite" "$private/base"
        tar -C "$private/base" -cf "$base.$$" .
        mv "$base.$$" "$base"
        rm -rf "$private/base"
    fi
    # In memory, as far as there is some: half of the time would go into writing what is thrown away.
    mkdir "$debian"
    mount -t tmpfs -o mode=755,size=2g tmpfs "$debian"
    tar -C "$debian" -xf "$base"
    printf '#!/bin/sh\nexit 101\n' >"$debian/usr/sbin/policy-rc.d"
    chmod 755 "$debian/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$debian/etc/resolv.conf"
}

make_package() {
    (umask 022 && quietly cpack --config "$build/CPackConfig.cmake" -B "$private/package")
    cp "$private"/package/*.deb "$debian/root/homecall-signal.deb"
}

# ---- Under a systemd of its own ----

# Runs as the first process of new namespaces. /proc/sys is the machine's, and not to be changed.
# shellcheck disable=SC2317 # called by another shell
boot() {
    local debian=$1 device
    mount --bind "$debian" "$debian"
    mount -t proc proc "$debian/proc"
    mount --bind -o ro "$debian/proc/sys" "$debian/proc/sys" && mount -o remount,bind,ro "$debian/proc/sys"
    mount -t sysfs -o ro sysfs "$debian/sys"
    mount -t tmpfs tmpfs "$debian/run"
    mount -t tmpfs tmpfs "$debian/dev"
    for device in null zero full random urandom tty; do
        touch "$debian/dev/$device"
        mount --bind "/dev/$device" "$debian/dev/$device"
    done
    mkdir "$debian/dev/shm" "$debian/dev/pts"
    if [ -e /sys/fs/cgroup/cgroup.procs ]; then
        mount -t cgroup2 cgroup "$debian/sys/fs/cgroup"
    else
        mount -t tmpfs tmpfs "$debian/sys/fs/cgroup"
        mkdir "$debian/sys/fs/cgroup/systemd" "$debian/sys/fs/cgroup/unified"
        mount -t cgroup -o none,name=systemd cgroup "$debian/sys/fs/cgroup/systemd"
        mount -t cgroup2 cgroup "$debian/sys/fs/cgroup/unified"
    fi
    mount --make-rshared "$debian" # as on a machine: credentials reach a service by it
    ip link set lo up
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        setpriv --bounding-set=-sys_time,-sys_module chroot "$debian" /lib/systemd/systemd
}

# In control groups of its own, which halt() removes.
start_booting() {
    local hierarchy
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        [ -e "$hierarchy/cgroup.procs" ] || continue
        mkdir "$hierarchy/homecall-test.$$" && cgroups+=("$hierarchy/homecall-test.$$")
    done
    (
        for hierarchy in "${cgroups[@]}"; do
            echo "$BASHPID" >"$hierarchy/cgroup.procs"
        done
        exec unshare --pid --mount --uts --ipc --net --cgroup --fork --kill-child \
            bash -c "$(declare -f boot); boot '$debian'"
    ) >"$private/boot" 2>&1 &
    booted=$!
}

halt() {
    local hierarchy
    [ -n "$booted" ] || return 0
    kill -KILL "$booted" 2>/dev/null || true
    wait "$booted" 2>/dev/null || true
    booted=
    for hierarchy in "${cgroups[@]}"; do
        for _ in $(seq 100); do
            find "$hierarchy" -depth -type d -exec rmdir {} + 2>/dev/null && break
            sleep 0.05
        done
    done
}

in_booted() {
    nsenter --target "$init" --all --root --wd -- "$@"
}

has_booted() {
    local state
    for _ in $(seq 100); do
        sleep 0.1
        init=$(pgrep -P "$booted" -x systemd) || continue # before it has that name it is still in our root
        state=$(in_booted systemctl is-system-running 2>/dev/null || true)
        case $state in running | degraded) return 0 ;; esac
    done
    return 1
}

# await WHAT COMMAND...: until it succeeds, at most half a minute.
await() {
    local what=$1
    shift
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    in_booted systemctl --no-pager --failed >&2 || true
    in_booted journalctl --no-pager --lines 20 >&2 || true
    fail "$what"
}

show() {
    in_booted systemctl show --value --property "$1" homecall-signal.service
}

# A container may not be allowed to make devices and user namespaces; the rest of the sandbox stays on.
loosen_if_needed() {
    case $(show ExecMainStatus) in
        217 | 226)
            echo "  (without PrivateDevices= and PrivateUsers=, which this machine does not allow)"
            mkdir -p "$debian/etc/systemd/system/homecall-signal.service.d"
            printf '[Service]\nPrivateDevices=no\nPrivateUsers=no\n' \
                >"$debian/etc/systemd/system/homecall-signal.service.d/test.conf"
            in_booted systemctl daemon-reload
            in_booted systemctl stop homecall-signal.socket homecall-signal.service # it may be between two tries
            in_booted systemctl start homecall-signal.socket homecall-signal.service
            ;;
    esac
}

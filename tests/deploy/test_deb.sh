#!/usr/bin/env bash
# The Debian package, in a Debian of its own: it installs, the server runs as its own user, an upgrade keeps the configuration,
# and a purge leaves nothing behind. Where the machine lets a systemd be booted in namespaces, the units run under it, too:
# restarts under load, reload, the watchdog. Takes root, and half a minute more for the first time.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
    echo "test_deb.sh takes root: it works in a chroot" >&2
    exit 1
fi
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../bench/with_server.sh"
debian=$private/debian
base=$root/out/debootstrap-bookworm.tar
env_file=/etc/homecall-signal/env
booted=  # the unshare process above a systemd
init=    # that systemd
cgroups=() # made for it

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    end_server
    halt
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
        quietly debootstrap --variant=minbase bookworm "$private/base"
        tar -C "$private/base" -cf "$base.$$" .
        mv "$base.$$" "$base"
        rm -rf "$private/base"
    fi
    mkdir "$debian"
    tar -C "$debian" -xf "$base"
    printf '#!/bin/sh\nexit 101\n' >"$debian/usr/sbin/policy-rc.d"
    chmod 755 "$debian/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$debian/etc/resolv.conf"
}

make_package() {
    (umask 022 && quietly cpack --config "$build/CPackConfig.cmake" -B "$private/package")
    cp "$private"/package/*.deb "$debian/root/homecall-signal.deb"
}

# What the package depends on is there before it, so that all that changes afterwards is its own doing.
install_dependencies() {
    quietly inside apt-get -q update
    quietly inside env DEBIAN_FRONTEND=noninteractive apt-get -q -y satisfy --no-install-recommends \
        "$(dpkg-deb -f "$debian/root/homecall-signal.deb" Depends), logrotate"
    inside apt-get clean
}

# Every file with its kind, mode and owner, and in /etc with its content; without what apt, dpkg and the linker note down.
list_files() {
    inside find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /root \
        -o -path /var/cache -o -path /var/lib/apt -o -path '/var/lib/dpkg/*-old' -o -path '/var/lib/dpkg/info/format' \) -prune \
        -o -printf '%y %m %u:%g %p\n' | sort
    inside find /etc -xdev -type f ! -name '*-' ! -name ld.so.cache -exec sha256sum {} + | sort
}

# ---- By hand: what needs no systemd ----

install_package() {
    quietly inside env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends /root/homecall-signal.deb
}

installed_is_right() {
    install_package
    [ "$(inside stat -c '%a %U:%G' "$env_file")" = "640 root:homecall-signal" ] || fail "the configuration is open"
    inside getent passwd homecall-signal | grep -q ':/usr/sbin/nologin$' || fail "the user can log in"
    [ "$(inside id -u homecall-signal)" -lt 1000 ] || fail "the user is no system user"
    inside systemctl is-enabled homecall-signal.socket homecall-signal.service >/dev/null
    inside homecall-signal --env-file "$env_file" --check-config >/dev/null
    inside systemd-analyze verify homecall-signal.service homecall-signal.socket
}

runs_as_its_user() {
    port=$(free_port)
    admin_port=$(free_port)
    inside install -d -m 750 -o homecall-signal -g homecall-signal /var/log/homecall-signal # as LogsDirectory= does
    # A command and no function, so that the process in the background is the server itself.
    local as_its_user=(chroot "$debian" setpriv --reuid homecall-signal --regid homecall-signal --clear-groups
        --bounding-set=-all --inh-caps=-all --no-new-privs env WS_PORT="$port" ADMIN_PORT="$admin_port"
        LOG_FILE=/var/log/homecall-signal/signal.log homecall-signal --env-file "$env_file")
    "${as_its_user[@]}" &
    server_pid=$!
    for _ in $(seq 200); do
        "${as_its_user[@]}" --healthcheck 2>/dev/null && break
        sleep 0.05
    done
    "${as_its_user[@]}" --healthcheck
    inside logrotate --force --state /tmp/logrotate.state /etc/logrotate.d/homecall-signal
    [ "$(inside stat -c '%U:%G' /var/log/homecall-signal/signal.log.1)" = homecall-signal:homecall-signal ] ||
        fail "the log was not rotated as the user"
    end_server
}

upgrade_keeps_the_configuration() {
    echo "LOG_LEVEL=warn" >>"$debian$env_file"
    quietly inside dpkg --install /root/homecall-signal.deb
    [ "$(tail -1 "$debian$env_file")" = LOG_LEVEL=warn ] || fail "an upgrade has overwritten the configuration"
    [ "$(inside stat -c '%a %U:%G' "$env_file")" = "640 root:homecall-signal" ] || fail "an upgrade opens the configuration"
}

purge_leaves_nothing() {
    quietly inside dpkg --remove homecall-signal
    [ ! -e "$debian/usr/bin/homecall-signal" ] || fail "the binary stays behind"
    [ -e "$debian$env_file" ] || fail "the configuration goes before the purge"
    quietly inside dpkg --purge homecall-signal
    list_files >"$private/after"
    diff "$private/before" "$private/after" >&2 || fail "a purge leaves the above behind"
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
    in_booted systemctl --no-pager status homecall-signal.service homecall-signal.socket >&2 || true
    fail "$what"
}

is_active() {
    in_booted systemctl is-active homecall-signal.service
}

show() {
    in_booted systemctl show --value --property "$1" homecall-signal.service
}

has_been_restarted() {
    [ "$(show NRestarts)" -gt 0 ] && is_active
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
            in_booted systemctl restart homecall-signal.socket homecall-signal.service
            ;;
    esac
}

restart_under_load() {
    local load
    nsenter --target "$init" --net curl --silent --parallel --parallel-max 20 --max-time 60 --output /dev/null \
        --write-out '%{exitcode} %{http_code}\n' "http://127.0.0.1:8888/[1-20000]" >"$private/answers" 2>/dev/null &
    load=$!
    for _ in $(seq 10); do
        in_booted systemctl restart homecall-signal.service
        sleep 0.1
    done
    kill -0 "$load" || fail "the load was over before the restarts"
    wait "$load" || true
    sort "$private/answers" | uniq -c
    [ "$(grep -cxE '0 (404|503)' "$private/answers")" -eq 20000 ] || fail "a connection was refused or cut off"
}

units_work_under_systemd() {
    start_booting
    if ! has_booted; then
        echo "  left out: no systemd can be booted here"
        halt
        return
    fi
    rm "$debian/usr/sbin/policy-rc.d"
    install_package_booted
    restart_under_load
    in_booted systemctl reload homecall-signal.service

    # The watchdog ends a process that has stopped, and systemd starts it again.
    kill -STOP "$(pgrep -P "$init" -x homecall-signal)"
    await "the watchdog does nothing" has_been_restarted

    quietly in_booted dpkg --purge homecall-signal
    [ -z "$(pgrep -P "$init" -x homecall-signal)" ] || fail "the server runs on after it was purged"
    rm -rf "$debian/etc/systemd/system/homecall-signal.service.d"
    halt
}

install_package_booted() {
    quietly in_booted dpkg --install /root/homecall-signal.deb
    loosen_if_needed
    await "the service does not run after its installation" is_active
    [ "$(show StatusText)" != "" ] || fail "the service has no status"
    await "the health check fails" in_booted homecall-signal --env-file "$env_file" --healthcheck
}

make_debian
make_package
install_dependencies
list_files >"$private/before"
for check in installed_is_right runs_as_its_user upgrade_keeps_the_configuration purge_leaves_nothing \
    units_work_under_systemd; do
    echo "- ${check//_/ }"
    "$check"
done

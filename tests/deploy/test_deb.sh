#!/usr/bin/env bash
# The Debian package, in a Debian of its own: it installs, the server runs as its own user, an upgrade keeps the configuration,
# and a purge leaves nothing behind. Where the machine lets a systemd be booted in namespaces, the units run under it, too:
# restarts under load, reload, the watchdog. Takes root, and half a minute more for the first time.
set -euo pipefail

# shellcheck source=tests/deploy/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"
env_file=/etc/homecall-signal/env

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
    inside getent passwd homecall-signal | grep ':/usr/sbin/nologin$' >/dev/null || fail "the user can log in"
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
    local pid=$!
    server_pids+=("$pid")
    for _ in $(seq 200); do
        "${as_its_user[@]}" --healthcheck 2>/dev/null && break
        sleep 0.05
    done
    "${as_its_user[@]}" --healthcheck
    inside logrotate --force --state /tmp/logrotate.state /etc/logrotate.d/homecall-signal
    [ "$(inside stat -c '%U:%G' /var/log/homecall-signal/signal.log.1)" = homecall-signal:homecall-signal ] ||
        fail "the log was not rotated as the user"
    end_server
    [ ! -e "/proc/$pid" ] || fail "the server runs on"
}

# By apt and over an older package, as deploy/README.md tells it.
upgrade_keeps_the_configuration() {
    local version
    quietly inside dpkg --purge homecall-signal
    quietly inside dpkg --install /root/homecall-signal-0.1.0.deb
    echo "LOG_LEVEL=warn" >>"$debian$env_file"
    install_package
    # shellcheck disable=SC2016 # dpkg-query expands it
    version=$(inside dpkg-query --show --showformat '${Version}' homecall-signal)
    [ "$version" = "$(dpkg-deb -f "$debian/root/homecall-signal.deb" Version)" ] || fail "$version is still there"
    dpkg --compare-versions "$version" gt 0.1.0 || fail "$version is no upgrade of 0.1.0"
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

is_active() {
    in_booted systemctl is-active homecall-signal.service
}

has_been_restarted() {
    [ "$(show NRestarts)" -gt 0 ] && is_active
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
    tls_on_port_443

    # The watchdog ends a process that has stopped, and systemd starts it again.
    kill -STOP "$(pgrep -P "$init" -x homecall-signal)"
    await "the watchdog does nothing" has_been_restarted

    quietly in_booted dpkg --purge homecall-signal
    [ -z "$(pgrep -P "$init" -x homecall-signal)" ] || fail "the server runs on after it was purged"
    rm -rf "$debian/etc/systemd/system/homecall-signal.service.d"
    halt
}

serves_tls() {
    nsenter --target "$init" --net curl --silent --insecure --output "$private/answer" --write-out '%{http_code}' \
        https://127.0.0.1/signal | grep -x 426 >/dev/null
}

# block PATTERN FILE: the indented lines behind the one that has this text.
block() {
    awk -v wanted="$1" 'index($0, wanted) { found = 1; next } found && /^    / { print substr($0, 5); said = 1; next }
        said { exit }' "$2" | grep .
}

# The two ways to a port below 1024, as deploy/README.md and the unit tell them: a socket of systemd's, and a capability.
tls_on_port_443() {
    local units=$debian/etc/systemd/system drop_in=homecall-signal.service.d/port.conf
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -keyout "$private/key.pem" -out "$private/cert.pem" 2>/dev/null
    install -d -m 755 "$debian/etc/homecall-signal/tls"
    install -m 644 "$private/key.pem" "$private/cert.pem" "$debian/etc/homecall-signal/tls"
    printf 'WSS_PORT=443\nTLS_CERT_FILE=%s\nTLS_KEY_FILE=%s\n' /etc/homecall-signal/tls/cert.pem \
        /etc/homecall-signal/tls/key.pem >>"$debian$env_file"

    block '/etc/systemd/system/homecall-signal-tls.socket' "$root/deploy/README.md" >"$units/homecall-signal-tls.socket"
    in_booted sh -ec "$(block 'and then, with ' "$root/deploy/README.md")" 2>"$private/said" ||
        fail "$(cat "$private/said"; in_booted journalctl --no-pager --lines 15)"
    await "no TLS on the socket that systemd has opened" serves_tls
    quietly in_booted systemctl disable --now homecall-signal-tls.socket
    rm "$units/homecall-signal-tls.socket"
    in_booted systemctl daemon-reload

    # Without either the port is refused.
    in_booted systemctl restart homecall-signal.service 2>/dev/null || true
    quietly in_booted systemctl reset-failed homecall-signal.service
    ! serves_tls || fail "port 443 is open without a privilege"
    mkdir -p "$units/homecall-signal.service.d"
    sed -n '/^#   \[Service\]/,/^#$/s/^#   //p' "$debian/usr/lib/systemd/system/homecall-signal.service" >"$units/$drop_in"
    quietly in_booted systemctl daemon-reload
    quietly in_booted systemctl restart homecall-signal.service
    await "no TLS on port 443 by a capability" serves_tls
    rm "$units/$drop_in"
    rmdir --ignore-fail-on-non-empty "$units/homecall-signal.service.d"
    sed -i '/^WSS_PORT=\|^TLS_/d' "$debian$env_file"
    quietly in_booted systemctl daemon-reload
    quietly in_booted systemctl stop homecall-signal.service
    quietly in_booted systemctl start homecall-signal.socket homecall-signal.service
    await "the service does not run without TLS" is_active
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
(umask 022 && quietly cpack --config "$build/CPackConfig.cmake" -B "$private/old" -D CPACK_PACKAGE_VERSION=0.1.0)
cp "$private"/old/*.deb "$debian/root/homecall-signal-0.1.0.deb"
install_dependencies
list_files >"$private/before"
for check in installed_is_right runs_as_its_user upgrade_keeps_the_configuration purge_leaves_nothing \
    units_work_under_systemd; do
    echo "- ${check//_/ }"
    "$check"
done

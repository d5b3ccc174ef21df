# shellcheck shell=bash
# install_missing PKG...: install those of the Debian packages that are not there. To be sourced.
#
# The package index is fetched only when something is missing. As another user than root it asks sudo.
#
# Some packages (nginx, prometheus) start a service while they are installed. Nobody has asked for that, so
# for the time of the installation a policy-rc.d forbids it, and a service that was not there before is
# disabled for the next boot, too. A machine that has one already keeps it as it is.

# Packages that bring a service, and its name.
declare -A SERVICE_OF=([nginx-common]=nginx [prometheus]=prometheus [apache2]=apache2 [haproxy]=haproxy [caddy]=caddy
    [coturn]=coturn [nats-server]=nats-server)

# Is the package there, configured and whole?
is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Run a command with the rights to change the system.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        echo "Packages are missing, and to install them takes root or sudo: $*" >&2
        return 1
    fi
}

# keep_from_boot SERVICE: it is not started at the next boot. systemctl sees to units and to scripts of the older init, also in a
# chroot where no systemd runs. Where it is not there, what it would take away is taken away.
keep_from_boot() {
    if command -v systemctl >/dev/null; then
        as_root systemctl --quiet disable "$1" 2>/dev/null
    else
        as_root rm -f "/etc/systemd/system/multi-user.target.wants/$1.service" &&
            if [ -e "/etc/init.d/$1" ]; then as_root update-rc.d "$1" disable; fi
    fi || echo "$1 could not be disabled: it will start at the next boot." >&2
}

# Runs as root, in a shell of its own, so that the trap ends with it.
# shellcheck disable=SC2016 # the inner shell is to expand these
INSTALL_QUIETLY='
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap "rm -f $policy" EXIT
        trap "exit 1" HUP INT TERM
        printf "#!/bin/sh\nexit 101\n" >"$policy" && chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o DPkg::Lock::Timeout=120 update &&
        apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@" </dev/null
'

install_missing() {
    local package
    local missing=() new_services=()

    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    echo "Installing: ${missing[*]}"
    for package in "${!SERVICE_OF[@]}"; do
        is_installed "$package" || new_services+=("$package")
    done
    as_root sh -c "$INSTALL_QUIETLY" install "${missing[@]}" || return 1
    for package in "${new_services[@]}"; do
        if is_installed "$package"; then
            keep_from_boot "${SERVICE_OF[$package]}"
        fi
    done
}

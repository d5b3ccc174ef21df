#!/usr/bin/env bash
# What the Debian package is: its content, its manual pages and completions, what lintian and hardening-check say of it; that its
# version grows with each commit and is the same from a tarball; and that the commands of deploy/README.md make and install it
# from a fresh clone, in a Debian of its own. Takes root.
set -euo pipefail

# shellcheck source=tests/deploy/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"
readme=$root/deploy/README.md
git=(git -c safe.directory='*')
tree=$private/tree

unpack() {
    make_package
    package=$debian/root/homecall-signal.deb
    dpkg-deb --extract "$package" "$tree"
}

content_is_complete() {
    local file
    for file in etc/homecall-signal/env usr/bin/homecall-signal usr/bin/homecall-bench \
        usr/share/doc/homecall-signal/deploy/README.md usr/share/doc/homecall-signal/deploy/first-evening.md \
        usr/share/doc/homecall-signal/src/protocol/README.md usr/share/doc/homecall-signal/changelog.gz \
        usr/share/homecall-signal/turnserver.conf usr/share/homecall-signal/metrics/prometheus.yml \
        usr/share/homecall-signal/metrics/rules.yml usr/share/homecall-signal/metrics/grafana/dashboards/homecall-signal.json \
        usr/share/homecall-signal/cluster/nats.conf usr/share/homecall-signal/cluster/secrets.sh \
        usr/share/bash-completion/completions/homecall-bench usr/share/zsh/vendor-completions/_homecall-signal; do
        [ -s "$tree/$file" ] || fail "$file is not in the package"
    done
    [ "$(stat -c %a "$tree/etc/homecall-signal/env")" = 640 ] || fail "all may read the configuration before postinst runs"
    ! grep -r "$root" "$tree/usr/share" "$tree/etc" || fail "the package tells where it was built"
    grep -E '^ *maxsize ' "$tree/etc/logrotate.d/homecall-signal" >/dev/null || fail "a log may grow all day"
}

linters_are_content() {
    local said
    said=$(lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$package" 2>&1) || fail "$said"
    # Without CET: Debian's own start files have no marks for it, so no program of Debian 12 passes that.
    hardening-check --nocfprotection "$tree/usr/bin/homecall-signal" "$tree/usr/bin/homecall-bench" >"$private/hardening" ||
        fail "$(cat "$private/hardening")"
}

# Each page has no warning, and tells every option that there is.
pages_are_whole() {
    local page name
    for page in "$tree"/usr/share/man/man*/*.gz; do
        LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$private/warnings" >/dev/null
        [ ! -s "$private/warnings" ] || fail "${page##*/}: $(cat "$private/warnings")"
    done
    zcat "$tree/usr/share/man/man5/homecall-signal.env.5.gz" >"$private/env.5"
    sed -n 's/=.*//p' "$root/.env.example" | grep -E '^[A-Z_]+$' >"$private/names"
    [ "$(wc -l <"$private/names")" -gt 40 ] || fail ".env.example has no options"
    while read -r name; do
        grep -xF "\\fB$name\\fR" "$private/env.5" >/dev/null || fail "homecall-signal.env(5) does not tell $name"
    done <"$private/names"
}

# complete WORD...: what bash would offer for the last of these words.
complete_line() {
    # shellcheck disable=SC2016 # the inner shell is to expand it
    bash -ec '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '"_${1//-/_}"' || true; printf "%s\n" "${COMPREPLY[@]}"' \
        bash "$tree/usr/share/bash-completion/completions/$1" "$@"
}

# expect WORDS WORD...: they are offered for the last word, and nothing else.
expect() {
    local offered
    offered=$(complete_line "${@:2}" | tr '\n' ' ')
    [ "${offered% }" = "$1" ] || fail "for '${*:2}' bash offers '$offered' and not '$1'"
}

completions_complete() {
    expect "--check-config" homecall-signal --ch
    expect "top" homecall-signal --env-file x to
    expect "--interval" homecall-signal top --i
    expect "relay rejoin" homecall-bench re
    expect "--warmup --window" homecall-bench relay --w
    expect "--warmup" homecall-bench idle --w
    expect "session" homecall-bench call --dialect s
    expect "$readme" homecall-bench call --json "$readme"
    zsh -n "$tree/usr/share/zsh/vendor-completions/_homecall-signal"
    zsh -n "$tree/usr/share/zsh/vendor-completions/_homecall-bench"
}

# version_of DIRECTORY: of a package of the sources there.
version_of() {
    cat >"$private/version.cmake" <<EOF_CMAKE
set(PROJECT_SOURCE_DIR "$1")
set(PROJECT_VERSION 0.1.0)
include("$1/deploy/version.cmake")
message("\${HOMECALL_PACKAGE_VERSION}")
EOF_CMAKE
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' cmake -P "$private/version.cmake" 2>&1
}

version_grows() {
    local clone=$private/clone tarball=$private/tarball first second
    "${git[@]}" clone --quiet --no-local "$root" "$clone"
    first=$(version_of "$clone")
    mkdir "$tarball"
    "${git[@]}" -C "$clone" archive HEAD | tar -xC "$tarball"
    [ "$(version_of "$tarball")" = "$first" ] || fail "the tarball has version $(version_of "$tarball"), the clone $first"
    GIT_COMMITTER_DATE="$("${git[@]}" -C "$clone" log -1 --format=%ct) +0000" "${git[@]}" -C "$clone" -c user.name=x -c user.email=x \
        commit --quiet --allow-empty --message x
    [ "$(version_of "$clone")" = "$first" ] || fail "the version is not that of the time of the commit"
    GIT_COMMITTER_DATE="$(($("${git[@]}" -C "$clone" log -1 --format=%ct) + 1)) +0000" "${git[@]}" -C "$clone" -c user.name=x \
        -c user.email=x commit --quiet --allow-empty --message x
    second=$(version_of "$clone")
    dpkg --compare-versions "$second" gt "$first" || fail "$second is no upgrade of $first"
    dpkg --compare-versions "$first" gt 0.1.0 || fail "$first is no upgrade of 0.1.0"
    echo "  $first < $second"
}

# The lines stand in the README, and each is run as it is; the folder has a blank in its name.
readme_makes_it_from_a_clone() {
    local line
    printf 'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n' >"$debian/etc/apt/apt.conf.d/90test"
    rm "$debian/root/homecall-signal.deb"
    mkdir -p "$debian/srv"
    "${git[@]}" clone --quiet --no-local "$root" "$debian/srv/home call"
    quietly inside apt-get -q update
    awk 'index($0, "In a clone of the project") { found = 1; next } found && /^    / { print substr($0, 5); said = 1; next }
        said { exit }' "$readme" >"$private/lines"
    [ "$(wc -l <"$private/lines")" -eq 4 ] || fail "deploy/README.md has other lines than it had"
    while read -r line; do
        echo "    $line"
        quietly inside env DEBIAN_FRONTEND=noninteractive bash -ec "cd '/srv/home call'; $line" </dev/null
    done <"$private/lines"
    inside homecall-signal --version
    inside homecall-bench --version
}

make_debian
unpack
for check in content_is_complete linters_are_content pages_are_whole completions_complete version_grows \
    readme_makes_it_from_a_clone; do
    echo "- ${check//_/ }"
    "$check"
done

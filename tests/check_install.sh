#!/usr/bin/env bash
# Install the release build into an empty folder and use it as a stranger would: run the binary, and embed the library in a
# program of one's own (tests/embed.c) that is built with nothing but the installed files and pkg-config.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

cmake --install build/release --prefix "$prefix" >/dev/null
"$prefix/bin/homecall-signal" --version
"$prefix/bin/homecall-signal" --env-file "$prefix/etc/homecall-signal/env" --check-config
test -s "$prefix/share/homecall-signal/pwa/index.html"

pkgconfig=$(dirname "$(find "$prefix" -name homecall.pc)")
read -ra flags < <(PKG_CONFIG_PATH=$pkgconfig pkg-config --define-prefix --cflags --libs homecall)
cc -std=c11 -Wall -Wextra -Werror tests/embed.c "${flags[@]}" -o "$prefix/embed"
"$prefix/embed"

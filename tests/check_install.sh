#!/usr/bin/env bash
# Install the release build into an empty folder and use it as a stranger would: run the binary, and embed the library in a
# program of one's own (tests/embed.c) that is built with nothing but the installed files and pkg-config: once with the
# shared library, once with the static one. Fails where the shared library shows anything but what its headers declare.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# Is the program linked with a shared library of this name?
uses() {
    LC_ALL=C readelf --dynamic "$1" | grep "(NEEDED).*\[$2" >/dev/null
}

cmake --install build/release --prefix "$prefix" >/dev/null
"$prefix/bin/homecall-signal" --version

# Every library is one more that has to be there and kept up to date. The loader counts, what the kernel lends does not.
libraries=$(ldd "$prefix/bin/homecall-signal" | grep -vc linux-vdso)
echo "$libraries libraries (at most ${LIBRARIES_BOUND:=12})"
[ "$libraries" -le "$LIBRARIES_BOUND" ]

"$prefix/bin/homecall-signal" --env-file "$prefix/etc/homecall-signal/env" --check-config
for file in index.html client/signal.js client/line.js client/negotiate.js; do
    test -s "$prefix/share/homecall-signal/pwa/$file" || fail "the page lacks $file"
done

pkgconfig=$(dirname "$(find "$prefix" -name homecall.pc)")
libdir=$(dirname "$pkgconfig")
ask() {
    PKG_CONFIG_PATH=$pkgconfig pkg-config --define-prefix "$@" homecall
}
embed() {
    local program=$1
    shift
    cc -std=c11 -Wall -Wextra -Werror tests/embed.c "$@" -o "$program"
    "$program"
}

read -ra flags < <(ask --cflags --libs)
embed "$prefix/embed-shared" "${flags[@]}" "-Wl,-rpath,$libdir"
uses "$prefix/embed-shared" libhomecall.so.0 || fail "the shared library was not linked by its version"

read -ra flags < <(ask --static --cflags --libs)
embed "$prefix/embed-static" "${flags[@]/#-lhomecall/-l:libhomecall.a}"
! uses "$prefix/embed-static" libhomecall || fail "the static library was not linked"
for library in systemd ncurses; do
    ! uses "$libdir/libhomecall.so.0" "lib$library" || fail "the shared library brings lib$library along"
    [[ " ${flags[*]} " != *" -l$library"* ]] || fail "the static library asks for lib$library"
done

declared=$(cat "$prefix"/include/homecall/*.h | grep -oE '\<signal_(server|log)_[a-z_]+\(' | tr -d '(' | sort -u)
shown=$(nm --dynamic --defined-only "$libdir/libhomecall.so.0" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort -u)
diff <(echo "$declared") <(echo "$shown") || fail "the shared library shows (>) something else than its headers declare (<)"
echo "$(wc -l <<<"$shown") functions are shown"

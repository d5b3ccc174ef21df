#!/usr/bin/env bash
# Install the release build into an empty folder and use it as a stranger would: run the binary, and embed the library in two
# programs, tests/embed.c and the one in README.md. They are built with nothing but the installed files: by pkg-config and by CMake,
# as C and as C++, with the shared library and with the static one. tests/embed.c has a function of the same name as one inside the
# library. Fails where either library exports anything but what its headers declare.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
prefix=$(mktemp -d)/"a prefix"
trap 'rm -rf "${prefix%/*}"' EXIT

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
flags=()
ask() {
    PKG_CONFIG_PATH=$pkgconfig pkg-config --dont-define-prefix "$@" homecall
}
embed() {
    local program=$1
    shift
    cc -std=c11 -Wall -Wextra -Werror tests/embed.c "$@" -o "$program"
    "$program"
    c++ -x c++ -Wall -Wextra -Werror tests/embed.c -x none "$@" -o "$program-c++"
    "$program-c++"
}

# The program in README.md, as it stands there: from ```c to the next ```.
awk '/^```c$/ { is_code = 1; next } /^```$/ { is_code = 0 } is_code' README.md >"$prefix/readme.c"
grep main "$prefix/readme.c" >/dev/null || fail "README.md has no program"

eval "flags=($(ask --cflags --libs))" # it escapes blanks as for a shell
embed "$prefix/embed-shared" "${flags[@]}" "-Wl,-rpath,$libdir"
cc -std=gnu11 -Wall -Wextra -Werror "$prefix/readme.c" "${flags[@]}" "-Wl,-rpath,$libdir" -o "$prefix/readme"
"$prefix/readme" </dev/null | grep -x 'ws://127\.0\.0\.1:[0-9]*/signal' || fail "the program in README.md does not serve"
uses "$prefix/embed-shared" libhomecall.so.0 || fail "the shared library was not linked by its version"

eval "flags=($(ask --static --cflags --libs))"
embed "$prefix/embed-static" "${flags[@]/#-lhomecall/-l:libhomecall.a}"
! uses "$prefix/embed-static" libhomecall || fail "the static library was not linked"
for library in systemd ncurses; do
    ! uses "$libdir/libhomecall.so.0" "lib$library" || fail "the shared library brings lib$library along"
    [[ " ${flags[*]} " != *" -l$library"* ]] || fail "the static library asks for lib$library"
done

# The two commands of README.md, in a prefix without a blank in its name, which a shell would split there.
plain=${prefix%/*}/plain
cmake --install build/release --prefix "$plain" >/dev/null
cp "$prefix/readme.c" "$plain/program.c"
mapfile -t commands < <(sed -n 's/^    \(cc program\.c .*\)/\1/p' README.md)
[ ${#commands[@]} -eq 2 ] || fail "README.md has other commands than it had"
for command in "${commands[@]}"; do
    (cd "$plain" && PKG_CONFIG_PATH=$(dirname "$(find "$plain" -name homecall.pc)") bash -ec "$command" &&
        LD_LIBRARY_PATH=$(dirname "$(find "$plain" -name libhomecall.so.0)") ./a.out </dev/null >/dev/null) ||
        fail "it does not work: $command"
done

# A project as a stranger's, which is told nothing but where to look.
mkdir "$prefix/project"
cp tests/embed.c "$prefix/project/"
cp tests/embed.c "$prefix/project/embed_cxx.cpp"
cat >"$prefix/project/CMakeLists.txt" <<'EOF_CMAKE'
cmake_minimum_required(VERSION 3.25)
project(stranger LANGUAGES C CXX)
find_package(homecall-signal 0.1 REQUIRED)
foreach(source IN ITEMS embed.c embed_cxx.cpp)
    get_filename_component(name ${source} NAME_WE)
    foreach(kind IN ITEMS signal signal-shared signal-static)
        add_executable(${name}-${kind} ${source})
        target_link_libraries(${name}-${kind} PRIVATE homecall::${kind})
    endforeach()
endforeach()
EOF_CMAKE
cmake -S "$prefix/project" -B "$prefix/project/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$prefix/project/build" >/dev/null
for program in "$prefix"/project/build/embed{,_cxx}-signal{,-shared,-static}; do
    "$program"
done
uses "$prefix/project/build/embed-signal" libhomecall.so.0 || fail "homecall::signal is not the shared library"
! uses "$prefix/project/build/embed-signal-static" libhomecall || fail "homecall::signal-static is not the static library"

declared=$(cat "$prefix"/include/homecall/*.h | grep -oE '\<signal_(server|log)_[a-z_]+\(' | tr -d '(' | sort -u)
shown=$(nm --dynamic --defined-only "$libdir/libhomecall.so.0" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort -u)
diff <(echo "$declared") <(echo "$shown") || fail "the shared library shows (>) something else than its headers declare (<)"
shown=$(nm --extern-only --defined-only "$libdir/libhomecall.a" | awk 'NF == 3 { print $3 }' | sort -u)
diff <(echo "$declared") <(echo "$shown") || fail "the static library shows (>) something else than its headers declare (<)"
echo "$(wc -l <<<"$shown") functions are shown"

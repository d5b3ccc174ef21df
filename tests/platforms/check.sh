#!/usr/bin/env bash
# tests/platforms/check.sh PLATFORM: build everything for a platform, with warnings as errors, and run its tests there:
#
#   debian-13   the unit and server tests in a Debian 13 of its own, whose OpenSSL is a newer one: below /srv, in a path with a
#               space, with the hosts file that Debian ships and without tracefs
#   clang       another compiler, and HOMECALL_PORTABLE: no SSE2, no <sys/queue.h> of the C library
#   arm64       clang for a processor that aligns, orders and signs differently; an emulator runs the tests
#   i386        clang for 32 bits; the tests run where the kernel can, too
#   musl        everything compiles with another C library
#
# Results lie in build/platforms/PLATFORM, as ctest has them. Takes root for debian-13 alone.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/platforms/roots.sh
. "$root/tests/platforms/roots.sh"
platform=${1:?which platform?}
folder=build/platforms/$platform

fail() {
    echo "$*" >&2
    exit 1
}

# build [OPTION...]: configure and build into the platform's folder.
build() {
    if ! { cmake -G Ninja -S "$root" -B "$root/$folder" -DCMAKE_BUILD_TYPE=Debug -DHOMECALL_WERROR=ON "$@" &&
        cmake --build "$root/$folder"; } >"$root/$folder/build.log" 2>&1; then
        tail -n 40 "$root/$folder/build.log"
        fail "the build for $platform fails"
    fi
}

# run_tests [NAMES]: all but those whose names match, and the models and simulations, which are pure, take long, and run with
# sanitizers. Where a test fails because the machine was too slow, it passes the second time; ctest's log names it.
run_tests() {
    ctest --test-dir "$root/$folder" -j2 --output-on-failure --no-tests=error --repeat until-pass:2 \
        -E "^(model|model2|halls|cluster|two_nodes)/${1:+|$1}"
}

# cross ARCHITECTURE TRIPLET [OPTION...]: build with clang for another processor.
cross() {
    local architecture=$1 triplet=$2
    shift 2
    make_sysroot "$architecture"
    build --toolchain "$root/tests/platforms/cross.cmake" "-DHOMECALL_SYSROOT=$roots/sysroot-$architecture" \
        "-DHOMECALL_TRIPLET=$triplet" "$@"
}

check_clang() {
    build -DCMAKE_C_COMPILER=clang -DHOMECALL_PORTABLE=ON
    run_tests ^bench/
}

# The load generator is left out: it measures time, which an emulator has none to give, and binds in a way that this one does
# not know.
check_arm64() {
    cross arm64 aarch64-linux-gnu "-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64;-L;$roots/sysroot-arm64"
    HOMECALL_TEST_SCALE=10 run_tests bench/
}

# The kernel runs it where it was built to, with the loader and the libraries of that Debian.
check_i386() {
    local sysroot=$roots/sysroot-i386
    local libraries=$sysroot/lib/i386-linux-gnu:$sysroot/usr/lib/i386-linux-gnu
    cross i386 i386-linux-gnu \
        "-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld -Wl,--dynamic-linker=$sysroot/lib/ld-linux.so.2 -Wl,--disable-new-dtags,-rpath,$libraries"
    if "$root/$folder/homecall-signal" --version; then
        run_tests ^bench/
    else
        echo "this kernel runs no programs of 32 bits: compiled only"
    fi
}

check_musl() {
    "$root/tests/platforms/musl.sh"
}

# ---- Debian 13 ----

# In namespaces that end with it: the project is read-only there but for the folder that is built in.
check_debian_13() {
    [ "$(id -u)" -eq 0 ] || fail "debian-13 takes root: it works in a chroot"
    make_debian trixie build-essential cmake ninja-build pkg-config openssl nginx-light gnuplot-nox "${build_packages[@]}"
    unshare --mount --pid --net --fork --kill-child bash "$0" --inside "$roots/trixie"
}

inside() {
    local debian=$1 place="/srv/home call"
    ip link set lo up
    mount --bind "$debian" "$debian"
    mkdir -p "$debian$place"
    mount --bind "$root" "$debian$place"
    mount -o remount,bind,ro "$debian$place"
    mount --bind "$root/$folder" "$debian$place/$folder"
    mount -t tmpfs tmpfs "$debian/tmp"
    mount -t proc proc "$debian/proc"
    mount -t sysfs -o ro sysfs "$debian/sys"
    mount --rbind /dev "$debian/dev"
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        chroot "$debian" bash "$place/tests/platforms/check.sh" --there
}

there() {
    build
    [ "$(ldd "$root/$folder/homecall-signal" | grep -vc linux-vdso)" -le 12 ] || fail "more than 12 libraries"
    openssl version
    run_tests
}

case $platform in
    --inside | --there)
        folder=build/platforms/debian-13
        "${platform#--}" "${@:2}"
        ;;
    debian-13 | clang | arm64 | i386 | musl)
        mkdir -p "$root/$folder"
        "check_${platform//-/_}"
        ;;
    *) fail "no platform '$platform'" ;;
esac

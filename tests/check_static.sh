#!/usr/bin/env bash
# What clang-tidy (.clang-tidy) and cppcheck (tests/cppcheck.supp) find in src/, include/ and bench/: nothing, or it exits with 1.
#
#   tests/check_static.sh                     everything
#   tests/check_static.sh FILE.c ...          only these files
#   ROOT=DIRECTORY tests/check_static.sh ...  of another tree
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "${ROOT:-$here}"
shopt -s nullglob
sources=("$@")
[ ${#sources[@]} -gt 0 ] || sources=(src/*.c src/*/*.c bench/*.c bench/*/*.c)
jobs=$(nproc)
bad=0

defines=(-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 '-DHOMECALL_VERSION="0"')
includes=(-Isrc -Iinclude -Ibench -Ibench/load)
read -ra packages < <(pkg-config --cflags libevent libssl libcjson libidn2 libsodium)

# On standard error it counts the warnings of system headers that it keeps to itself. What it can't parse is a fault.
export CONFIG=$here/.clang-tidy FLAGS="-std=c11 ${defines[*]} ${includes[*]} ${packages[*]}"
# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\0' "${sources[@]}" |
    xargs -0 -P "$jobs" -n 4 sh -c 'clang-tidy --quiet --config-file="$CONFIG" "$@" -- $FLAGS' tidy \
        2> >(grep -vE '^[0-9]+ warnings? generated\.$' >&2) || bad=1

# The headers of src/compat are those of the system that it would not find.
cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability,style --std=c11 -j "$jobs" \
    --suppressions-list="$here/tests/cppcheck.supp" "${defines[@]}" -Isrc/compat "${includes[@]}" "${sources[@]}" || bad=1
exit "$bad"

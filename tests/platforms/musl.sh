#!/usr/bin/env bash
# Does everything compile with musl, another C library than the GNU one? Only that: Debian has no libevent and no OpenSSL that
# are linked with musl, so nothing can be linked and run. Their headers are taken from the system, and no other ones.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
headers=$private/include
multiarch=/usr/include/$(gcc -dumpmachine)

# Folders that lie in two places are merged.
for folder in event2 openssl cjson sodium nats linux asm asm-generic; do
    mkdir -p "$headers/$folder"
    for place in /usr/include "$multiarch"; do
        [ ! -d "$place/$folder" ] || ln -sf "$place/$folder"/* "$headers/$folder/"
    done
done
ln -s /usr/include/{sodium,uthash,idn2,cmocka}.h "$headers/"

# Kept in step with CMakeLists.txt by its own check: what is missing there fails here.
flags=(-std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 '-DHOMECALL_VERSION="0"' -Wall -Wextra -Werror
    -Iinclude -Isrc -Isrc/compat -Ibench -Ibench/load -isystem "$headers")
git ls-files -z --cached --others --exclude-standard 'src/*.c' 'bench/*.c' 'tests/support/*.c' |
    xargs -0 -P "$(nproc)" -I '{}' musl-gcc "${flags[@]}" -Itests -c -o /dev/null '{}'

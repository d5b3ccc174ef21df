#!/usr/bin/env bash
# A check proves nothing until it was seen to fail. Each check of the suite that has a bound or an input is run with one that it
# must find fault with, and has to exit with 1 and to name every fault. Takes root where the check does, and the release build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
: >"$private/blind" # a line for each check that is

# expect NAME STATUS COUNT PATTERN COMMAND...: it ends with this status, and says PATTERN on so many lines.
expect() {
    local name=$1 wanted=$2 count=$3 pattern=$4 status=0 found said=
    shift 4
    said=$(mktemp -p "$private")
    "$@" >"$said" 2>&1 || status=$?
    found=$(grep -cE "$pattern" "$said" || true)
    if [ "$status" -eq "$wanted" ] && [ "$found" -eq "$count" ]; then
        echo "ok: $name"
        return
    fi
    echo "BLIND: $name: it ends with $status and not with $wanted, and finds $found of $count faults:"
    cat "$said"
    echo "$name" >>"$private/blind"
}

# meanwhile COMMAND...: run it beside what follows, three of them at once at most. They wait most of the time.
meanwhile() {
    while [ "$(jobs -rp | wc -l)" -ge 3 ]; do
        wait -n || true
    done
    "$@" &
}

# expect_breaks FILE: the script breaks rules in a copy, one at a time, and a test has to notice each.
expect_breaks() {
    "$1" || echo "$1" >>"$private/blind"
}

# Rules of the rooms, of version 2, and of several nodes.
for model in model model2 cluster; do
    meanwhile expect_breaks "tests/$model/check_breaks.sh"
done

# Bounds of a thousandth, each of which is passed.
export BOUND_FACTOR=0.001
meanwhile expect "bench/syscalls.sh" 1 5 'TOO MUCH$' bench/syscalls.sh
meanwhile expect "bench/memory.sh" 1 4 'TOO MUCH$' bench/memory.sh 1000
meanwhile expect "bench/scrape.sh" 1 2 'TOO MUCH$' env SCRAPE_SECONDS=6 bench/scrape.sh 1
meanwhile expect "bench/tls.sh" 1 3 'TOO MUCH$' bench/tls.sh 1
meanwhile expect "bench/tls_storm.sh" 1 2 'TOO MUCH$' bench/tls_storm.sh 100
meanwhile expect "tests/soak.sh" 1 3 'TOO MUCH$' tests/soak.sh 0.0125
unset BOUND_FACTOR
meanwhile expect "the house of tests/chaos.sh" 1 1 'refused [0-9]+ of 44 connections: [0-9]+ with HTTP status 503' env CONNECT_BURST=10 tests/chaos.sh --short pings
meanwhile expect "tests/chaos.sh" 1 1 'WRONG: slow memory$' env MEMORY_MIB=1 P99_FACTOR=0.001 P99_MS=0 tests/chaos.sh --short pings

# A call that fails from then on for ever, and one in which the process dies or loses memory.
one=(tests/faults/run.sh --only recv:9:ECONNRESET:plain)
meanwhile expect "tests/faults/run.sh of a cripple" 1 1 '^FAULT .*does not serve' "${one[@]}" --how always
meanwhile expect "tests/faults/run.sh of a crash" 1 1 '^FAULT .*died by signal 6' "${one[@]}" --how crash
meanwhile expect "tests/faults/run.sh of silence" 1 1 '^FAULT .*no answer to the handshake' \
    tests/faults/run.sh --only accept4:3:EMFILE:tls --how always
if [ -x build/asan/homecall-signal ]; then
    meanwhile expect "tests/faults/run.sh of a leak" 1 1 '^FAULT .*sanitizer' "${one[@]}" --how leak build/asan/homecall-signal
fi

# Twice and half of what is expected: more and less are both wrong.
awk '{ print $1, NR == 1 ? $2 * 2 : int($2 / 2) }' bench/hot_path.expected >"$private/expected"
meanwhile expect "bench/hot_path.sh" 1 2 'TOO MUCH$' env HOT_PATH_EXPECTED="$private/expected" bench/hot_path.sh

# Bars that are met by what is above them.
cp -r bench/compare "$private/compare"
# shellcheck disable=SC2016 # the dollar sign is jq's
sed -i 's/\. <= \$at_most/. >= $at_most/' "$private/compare/summary.jq"
expect "tests/check_compare.sh" 1 3 '^WRONG: the table bars' env COMPARE_TABLES="$private/compare" tests/check_compare.sh

# Bars that are met by what is above them.
cp -r bench/compare "$private/compare"
# shellcheck disable=SC2016 # the dollar sign is jq's
sed -i 's/\. <= \$at_most/. >= $at_most/' "$private/compare/summary.jq"
expect "tests/check_compare.sh" 1 3 '^WRONG: the table bars' env COMPARE_TABLES="$private/compare" tests/check_compare.sh

# A line that nobody expects, and fewer locked instructions than there are.
sed -e '/workers.mailbox/d' -e 's/^relay locked .*/relay locked 1/' tests/lines/shared_lines.expected >"$private/shared"
expect "tests/lines/shared_lines.py" 1 2 'a new shared line: acceptor and worker: workers.mailbox$|expected at most 1$' \
    env SHARED_LINES_EXPECTED="$private/shared" tests/lines/shared_lines.py build/release/tests/lines_server

# A server that is not there: nothing is measured, and that is no success.
mkdir "$private/build"
meanwhile expect "bench/syscalls.sh without a server" 1 1 'the server did not start' env BUILD_DIR="$private/build" bench/syscalls.sh
meanwhile expect "bench/memory.sh without a server" 1 1 'the server did not start' env BUILD_DIR="$private/build" bench/memory.sh 10
meanwhile expect "tests/soak/resume.sh without a server" 1 1 'the server did not start' env BUILD_DIR="$private/build" tests/soak/resume.sh 2

# Documents that are not true any more.
# shellcheck disable=SC2016 # the backquotes are those of the document
sed 's/"from":"anna","sdp":"v=0…"}$/"from":"boris","sdp":"v=0…"}/; /^| 1013 /d; s/`Room is full` |/`Room is fuller` |/' \
    src/protocol/README.md >"$private/protocol.md"
expect "tests/documents/check_protocol.py" 1 4 'instead came|1013 is in the code|Room is full' \
    tests/documents/check_protocol.py build/release/homecall-signal "$private/protocol.md"
mkdir "$private/documents"
git ls-files -z | tar -c --null -T - | tar -x -C "$private/documents"
sed -i 's/(deploy\/first-evening/(deploy\/first-morning/; s/--check-config/--check-configs/; s/#two-commands/#three-commands/' \
    "$private/documents/README.md"
expect "tests/documents/check_documents.py" 1 3 'leads nowhere|no heading for|ends with 2|meets no line' \
    env BUILD_DIR="$root/build/release" tests/documents/check_documents.py "$private/documents"

expect "too many libraries" 1 1 'at most 1\)' env LIBRARIES_BOUND=1 tests/check_install.sh

# The style of a tree that has a fault of each kind.
mkdir -p "$private/tree"
cp -r include src "$private/tree/"
printf '#include "server/admission.h"\n' >>"$private/tree/src/base/slice.c"
expect "tests/check_layers.sh" 1 1 'slice\.c.*server/admission\.h' tests/check_layers.sh "$private/tree"
for part in net/connection.h session/session.h dialect_1/message_1.h; do
    printf '#include "%s"\n' "$part" >"$private/tree/src/dialect_2/outbox_and_more.h"
    expect "a dialect that includes $part" 1 1 "outbox_and_more\.h.*$part" tests/check_layers.sh "$private/tree"
done
rm "$private/tree/src/dialect_2/outbox_and_more.h"
printf 'int  f( void ) {return 0 ;}\n' >"$private/bad.c"
cp .clang-format "$private/"
expect "clang-format" 1 1 'bad\.c:1:4: error' clang-format --dry-run -Werror "$private/bad.c"
# shellcheck disable=SC2016 # it is to stay unquoted and unexpanded
printf '#!/bin/bash\necho $1\n' >"$private/bad.sh"
expect "shellcheck" 1 1 'line 2' shellcheck "$private/bad.sh"
if clang-tidy --version | grep 'version 14\.' >/dev/null; then
    printf '#include <stdlib.h>\nchar f(void)\n{\n    char *p = calloc(1, 1);\n    free(p);\n    return *p;\n}\n' >"$private/tree/src/base/bad.c"
    printf 'int g(void)\n{\n    int a[2] = {0};\n    return a[2];\n}\n' >"$private/tree/src/base/worse.c"
    expect "clang-tidy and cppcheck" 1 2 'bad\.c:6:.*unix\.Malloc|worse\.c:4:.*arrayIndexOutOfBounds' \
        env ROOT="$private/tree" tests/check_static.sh src/base/bad.c src/base/worse.c src/base/slice.c
    printf 'unchecked(\n' >"$private/tree/src/base/bad.c"
    expect "clang-tidy of what is no C" 1 1 'bad\.c:1:.*expected function body' \
        env ROOT="$private/tree" tests/check_static.sh src/base/bad.c
fi

# Musl has no execinfo.h.
if command -v musl-gcc >/dev/null; then
    printf '#include <execinfo.h>\n' >"$private/backtrace.c"
    expect "musl" 1 1 'fatal error' musl-gcc -c -o /dev/null "$private/backtrace.c"
fi

wait
[ ! -s "$private/blind" ]

#!/usr/bin/env bash
# tests/run.sh: installs what the tests need, builds, and runs them all. The last line counts the test cases.
#
#   tests/run.sh                    everything that CI runs
#   tests/run.sh STAGE ...          only these stages: style static unit release asan tsan platforms bars chaos faults
#                                   cluster metrics fuzz browser clients deploy
#   FUZZ_SECONDS=600 tests/run.sh fuzz        a longer fuzz run (each target)
#   FAULT_SECONDS=600 tests/run.sh faults     a longer time for the calls that fail (each build)
#   CLUSTER_LONG=yes tests/run.sh cluster     also the faults of a cluster that take long
#   SOAK_CALLS=20000 tests/run.sh asan tsan   a longer soak of calls
#   RESUME_SECONDS=600 tests/run.sh asan tsan     a longer time in which connections are killed (each build)
#   tests/soak.sh 8                 apart from this: a server under load for eight hours, whose memory must stay flat
#   PLATFORMS="arm64 musl" tests/run.sh platforms   some of those that tests/platforms/check.sh names
#
# Works from any directory, as root or with sudo, on a fresh Debian 12 or 13.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
# shellcheck source=deploy/packages.sh
. deploy/packages.sh

stages=("$@")
[ ${#stages[@]} -gt 0 ] || stages=(style static unit release asan tsan platforms bars chaos faults cluster metrics fuzz browser
    clients deploy)
out=$root/out
mkdir -p "$out"
passed=0
failed=0
failures=()
failure_logs=() # of each failure: its log, or nothing
remarks=() # lines for the end: what was skipped, and what passed only when it was tried again
tries=2 # how often a test program may be run until it passes
meanwhile= # the process of the check that runs beside the others
# What is a fault also where the test passes when it is tried again. A test that fails leaks what it had: only that is none.
sanitizer_reports='WARNING: ThreadSanitizer|ERROR: AddressSanitizer|runtime error:'

packages=(build-essential cmake ninja-build pkg-config git
    libevent-dev libcjson-dev uthash-dev libssl-dev libsodium-dev libidn2-dev libnats-dev nats-server libcmocka-dev zlib1g-dev libzstd-dev
    valgrind strace curl jq prometheus gnuplot-nox iproute2 clang clang-format clang-tidy cppcheck libclang-rt-dev shellcheck
    nginx-light caddy apache2 haproxy coturn openssl chromium firefox-esr
    lld mmdebstrap qemu-user musl-tools
    systemd debootstrap logrotate dpkg-dev file lintian devscripts man-db zsh procps podman docker-compose iptables
    python3-yaml python3-websockets python3-websocket python3-aiohttp python3-tornado python3-gi gir1.2-soup-3.0
    golang-go golang-github-gorilla-websocket-dev default-jre-headless libokhttp-java ecj)
# Node.js may have come from elsewhere than Debian; its packages would not go with that.
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)
install_missing "${packages[@]}" || exit 1

# note PASSED FAILED NAME [LOG]: add to the count. What failed is said again at the end, with the end of its log.
note() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    [ "$2" -eq 0 ] || failures+=("$3") failure_logs+=("${4:-}")
}

# check_log NAME: the file of what a check says.
check_log() {
    echo "$out/check-${1//[^a-z0-9]/-}.log"
}

# check NAME COMMAND...: one check that is a test case of its own. The machine may be busy, and some checks measure time: what fails
# is run once more, and what passes then is named at the end.
check() {
    local name=$1 log
    log=$(check_log "$1")
    shift
    echo "--- $name"
    # Not by tee: it would wait for whatever a check leaves behind.
    "$@" >"$log" 2>&1
    judge_check $? "$name" "$log" "$@"
}

# judge_check STATUS NAME LOG COMMAND...: what has come of a check.
judge_check() {
    local status=$1 name=$2 log=$3
    shift 3
    cat "$log"
    if [ "$status" -ne 0 ] && ! grep -E "$sanitizer_reports" "$log" >/dev/null; then
        echo "--- $name, once more"
        "$@" >"$log.again" 2>&1
        status=$?
        [ "$status" -eq 0 ] || cat "$log.again"
        [ "$status" -ne 0 ] || remarks+=("passed when tried again: $name")
    fi
    if [ "$status" -eq 0 ]; then note 1 0 "$name"; else note 0 1 "$name" "$log"; fi
}

# check_meanwhile NAME COMMAND...: begin a check that waits most of the time. await_check NAME COMMAND... is its end.
check_meanwhile() {
    local log
    log=$(check_log "$1")
    shift
    "$@" >"$log" 2>&1 &
    meanwhile=$!
}

await_check() {
    local name=$1 log
    log=$(check_log "$1")
    shift
    wait "$meanwhile"
    local status=$?
    echo "--- $name"
    judge_check "$status" "$name" "$log" "$@"
}

# build PRESET [OPTION...]: configure and build, with warnings as errors.
build() {
    local preset=$1
    shift
    if ! { cmake --preset "$preset" -DHOMECALL_WERROR=ON "$@" && cmake --build --preset "$preset"; } \
        >"$out/build-$preset.log" 2>&1; then
        tail -40 "$out/build-$preset.log"
        note 0 1 "build of $preset" "$out/build-$preset.log"
        return 1
    fi
}

# count_cases STATUS DIRECTORY LOG NAME: what ctest ended with, where, and what it said: count the cases that cmocka counted, and
# a program that died as one.
count_cases() {
    local status=$1 results=$2/Testing/Temporary/LastTest.log log=$3 name=$4 cases bad
    grep -E 'tests passed|Failed|Timeout|\*\*\*' "$log"
    cases=$(sum '\[  PASSED  \] ([0-9]+) test' "$results")
    bad=0 # what failed at first and passed when it was tried again is none
    if [ "$status" -ne 0 ]; then
        bad=$(sum '\[  FAILED  \] ([0-9]+) test' "$results")
        [ "$bad" -gt 0 ] || bad=1
        grep -vE '^ +Start|Passed' "$log" | tail -100
    fi
    if [ "$bad" -eq 0 ] && grep -E "$sanitizer_reports" "$log"; then bad=1; fi
    mapfile -t -O "${#remarks[@]}" remarks < <(
        sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) .*(Failed|Timeout) .*/failed at least once: \1/p' "$log" | sort -u)
    note "$cases" "$bad" "$name" "$log"
}

# run_ctest PRESET [OPTION...]: run its tests, and count them. Some have bounds in seconds, and the machine may be busy: what fails
# is run once more, and named at the end.
run_ctest() {
    local preset=$1 log=$out/ctest-$1.log
    shift
    echo "--- tests of $preset $*"
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --repeat "until-pass:$tries" "$@" >"$log" 2>&1
    count_cases $? "build/$preset" "$log" "tests of $preset"
}

# sum REGEX FILE: add up the numbers that it captures.
sum() {
    sed -nE "s/.*$1.*/\\1/p" "$2" | awk '{ total += $1 } END { print total + 0 }'
}

stage_style() {
    local sources
    mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.c' '*.h')
    # Other versions break lines a little differently.
    if clang-format --version | grep 'version 14\.' >/dev/null; then
        check "clang-format" clang-format --dry-run -Werror "${sources[@]}"
    else
        remarks+=("skipped: clang-format: it is not version 14, Debian 12's")
    fi
    check "the shape of src: layers, cycles, sizes" tests/check_layers.sh
    mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run)
    check "shellcheck" shellcheck -x "${sources[@]}"
}

# Each version finds other things.
stage_static() {
    if clang-tidy --version | grep 'version 14\.' >/dev/null; then
        check "clang-tidy and cppcheck" tests/check_static.sh
    else
        remarks+=("skipped: clang-tidy and cppcheck: they are not the versions of Debian 12")
    fi
}

stage_unit() {
    build dev "-DHOMECALL_UNIT_LAUNCHER=valgrind;-q;--leak-check=full;--show-leak-kinds=all;--error-exitcode=9" &&
        run_ctest dev -L unit -j2
}

stage_release() {
    build release || return
    run_ctest release -j2 -L server
    check "the programs are hardened" hardening-check --nocfprotection build/release/homecall-signal build/release/bench/homecall-bench
    check "installing and embedding" tests/check_install.sh
    check "the protocol is as its document says" tests/documents/check_protocol.py
    check "links and commands of the documents" tests/documents/check_documents.py
}

# How long connections of version 2 are killed, under each sanitizer.
RESUME_SECONDS=${RESUME_SECONDS:-30}

stage_asan() {
    build asan && run_ctest asan -j2 -LE two_nodes &&
        BUILD_DIR=build/asan check "killed connections of version 2 lose nothing, with ASan" tests/soak/resume.sh "$RESUME_SECONDS"
}

# The models and simulations have one thread.
stage_tsan() {
    build tsan && run_ctest tsan -j2 -LE two_nodes -E "^(model|model2|halls|cluster)/" &&
        BUILD_DIR=build/tsan check "killed connections of version 2 lose nothing, with TSan" tests/soak/resume.sh "$RESUME_SECONDS"
}

# That each run of the comparison comes to its end, not what it measures: a machine that tests is no quiet place.
compare_runs() {
    bench/compare.sh --quick --rounds 1 --only ours,floor,floor-gather --figures aclm --out "$out/compare/RESULTS.md" &&
        sed -n '/^## Runs that failed/,/^## Commands/p' "$out/compare/RESULTS.md" | grep -x 'None\.' >/dev/null
}

stage_bars() {
    build release || return
    check "system calls for a signal and for a connection" as_root bench/syscalls.sh # the kernel tells nobody else
    check "memory of an idle connection" bench/memory.sh
    check "instructions of the hot path" bench/hot_path.sh
    check "cache lines that threads share" tests/lines/shared_lines.py build/release/tests/lines_server
    check "being scraped" as_root bench/scrape.sh 1 # strace looks into the server
    check "the comparison runs" compare_runs
    check "the comparison says what its runs say" tests/check_compare.sh
    check "every check can fail" as_root tests/check_checks.sh
}

stage_chaos() {
    build release || return
    check "calls go on under attacks" tests/chaos.sh --short
}

stage_faults() {
    export FAULT_SECONDS=${FAULT_SECONDS:-42}
    build release && check "no call of the system that fails is the end" tests/faults/run.sh
    build asan && check "nor with AddressSanitizer" tests/faults/run.sh build/asan/homecall-signal
}

# Of the faults of a cluster, those in which its nodes have most to do.
cluster_faults=(engine_killed node_killed node_stopped node_drained end_with_engine_killed cut_both_ways)

# The whole server with two nodes, and nodes with real engines. These tests wait most of the time, for nodes that have to hear of
# each other, so several run at once. What two clients do at two nodes is in order only if the machine is quick enough, so a
# program may be tried again.
stage_cluster() {
    local preset faults tries=3
    for preset in asan tsan; do
        build "$preset" || continue
        faults=("a cluster in faults, with $preset" as_root env BUILD_DIR="build/$preset" tests/faults/cluster.sh "${cluster_faults[@]}")
        check_meanwhile "${faults[@]}"
        run_ctest "$preset" -j4 -L two_nodes
        await_check "${faults[@]}"
    done
    build release || return
    faults=("a cluster in faults" as_root tests/faults/cluster.sh)
    [ -z "${CLUSTER_LONG:-}" ] || faults+=(--long)
    check_meanwhile "${faults[@]}"
    check "the files and recipes for a cluster" as_root tests/deploy/test_cluster.sh
    await_check "${faults[@]}"
    check "the log of a call across two nodes" tests/documents/check_cluster_log.py
}

stage_metrics() {
    build release || return
    check "metrics, rules and dashboard" tests/metrics/check.sh
}

stage_fuzz() {
    build fuzz "-DHOMECALL_FUZZ_SECONDS=${FUZZ_SECONDS:-6}" || return
    echo "--- fuzz targets"
    if ctest --test-dir build/fuzz --output-on-failure --no-tests=error -j2 >"$out/ctest-fuzz.log" 2>&1; then
        note "$(grep -c ' Passed ' "$out/ctest-fuzz.log")" 0 fuzz
    else
        tail -100 "$out/ctest-fuzz.log"
        note 0 1 fuzz "$out/ctest-fuzz.log"
    fi
}

# run_node DIRECTORY: the tests that Node.js runs there. A file of which a test fails is run once more, alone: a browser has
# bounds in seconds, and the machine may be busy. What passes then is named at the end, and counts.
run_node() {
    local name=${1#tests/} log status good bad
    log=$out/$name.log
    echo "--- $name"
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error) || { note 0 1 "npm ci in $1"; return; }
    (cd "$1" && node --test --test-reporter=tap --test-concurrency=2 .) >"$log" 2>&1
    status=$?
    good=$(sum '^# pass ([0-9]+)' "$log")
    bad=$(sum '^# fail ([0-9]+)' "$log")
    mapfile -t -O "${#remarks[@]}" remarks < <(sed -nE 's/^ *ok [0-9]+ - (.*) # SKIP/skipped: \1:/p' "$log")
    if [ "$status" -ne 0 ]; then
        failed_node_tests "$log"
        [ "$bad" -gt 0 ] || bad=1
        if node_tests_pass_again "$1" "$log"; then
            mapfile -t -O "${#remarks[@]}" remarks < <(sed -nE 's/^not ok [0-9]+ - /passed when tried again: /p' "$log")
            good=$((good + bad))
            bad=0
        fi
    fi
    note "$good" "$bad" "$name" "$log"
}

# node_tests_pass_again DIRECTORY LOG: run the files once more whose tests failed there. A failure that names no test file can't be
# tried again.
node_tests_pass_again() {
    local files
    mapfile -t files < <(failed_node_tests "$2" | sed -nE "s/^ *location: '(.*):[0-9]+:[0-9]+'/\1/p" | sort -u)
    if [ ${#files[@]} -eq 0 ] || printf '%s\n' "${files[@]}" | grep -v '\.test\.mjs$' >/dev/null; then return 1; fi
    (cd "$1" && node --test --test-reporter=tap --test-concurrency=1 "${files[@]}") >"$2.again" 2>&1 && return
    failed_node_tests "$2.again"
    return 1
}

# failed_node_tests LOG: of what Node.js said, the tests that failed and what they say.
failed_node_tests() {
    awk '/^ *not ok /{ shown = 1 } shown { print } /^ *\.\.\.$/{ shown = 0 }' "$1"
}

stage_browser() {
    build release && run_node tests/browser
}

stage_clients() {
    build release || return
    run_node tests/clients
    run_node tests/client
}

stage_deploy() {
    build release || return
    run_node tests/deploy
    check "run.sh from its start to Ctrl-C" tests/deploy/test_run.sh
    check "systemd units, socket and logrotate" tests/deploy/test_systemd.sh
    check "what the Debian package is, and how it is made" as_root tests/deploy/test_package.sh
    check "the Debian package" as_root tests/deploy/test_deb.sh
    check "the recipes for Debian, as they are written" as_root tests/deploy/test_recipes.sh
    check "the compose file and its services" as_root tests/deploy/test_compose.sh
    check "calls across the internet, by the turn service" as_root tests/deploy/test_turn.sh
    check "the container is built and runs" as_root tests/deploy/test_container.sh
}

# run_platform NAME: build for it and run what tests can be run there.
run_platform() {
    local name=$1 log=$out/platform-$1.log results=build/platforms/$1/Testing/Temporary/LastTest.log status as_user=
    echo "--- $name ($(date +%H:%M:%S))"
    as_root rm -f "$results"
    [ "$name" != debian-13 ] || as_user=as_root
    $as_user tests/platforms/check.sh "$name" >"$log" 2>&1
    status=$?
    if [ -e "$results" ]; then
        count_cases "$status" "build/platforms/$name" "$log" "tests of $name"
    else # compiled only, or not even that
        check "everything compiles for $name" show_unless "$status" "$log"
    fi
}

show_unless() {
    [ "$1" -eq 0 ] || { tail -40 "$2"; return 1; }
}

stage_platforms() {
    local name
    for name in ${PLATFORMS:-debian-13 clang arm64 i386 musl}; do
        run_platform "$name"
    done
}

# failure_of LOG: the part of it that says what failed; of a log without such a part, what is no success.
failure_of() {
    if grep -q '^not ok ' "$1"; then failed_node_tests "$1"; else grep -v '^ok' "$1"; fi
}

for stage in "${stages[@]}"; do
    if ! declare -F "stage_$stage" >/dev/null; then
        echo "tests/run.sh: no stage '$stage'" >&2
        exit 2
    fi
    echo "=== $stage ($(date +%H:%M:%S))"
    "stage_$stage"
done

echo "=== done ($(date +%H:%M:%S))"
for remark in "${remarks[@]}"; do
    echo "$remark"
done
for i in "${!failures[@]}"; do
    echo "failed: ${failures[i]}"
    [ ! -e "${failure_logs[i]}" ] || failure_of "${failure_logs[i]}" | tail -40 | cut -c1-200 | sed 's/^/    /'
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

#!/usr/bin/env bash
# bench/memory.sh [COUNT]: resident memory of the server for each idle connection, not joined and joined in rooms of two,
# with one worker at log level warn. Exits with 1 when a bound is passed.
set -euo pipefail
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
count=${1:-19000}

# measure BOUND [OPTION]
measure() {
    local bound=$1
    shift
    start_server LOG_LEVEL=warn WORKERS=1
    check "$count connections${1:+, joined}:" "bytes for each" bytes_per_connection "$bound" \
        idle --connections "$count" --seconds 0.1 --sources 4 "$@"
    end_server
}

measure 400
measure 640 --joined
exit "$failed"

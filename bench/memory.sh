#!/usr/bin/env bash
# bench/memory.sh [COUNT]: resident memory of the server for each idle connection, not joined and joined in rooms of two, in
# version 1, in a session of the session dialect, and with a session of version 2; with one worker at log level warn.
# Exits with 1 when a bound is passed.
set -euo pipefail
shopt -s inherit_errexit # a measurement that fails inside of $(…) ends it, too
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/with_server.sh"
count=${1:-19000}

# measure BOUND WHAT [OPTION...]
measure() {
    local bound=$1 what=$2
    shift 2
    start_server LOG_LEVEL=warn WORKERS=1
    check "$count connections$what:" "bytes for each" bytes_per_connection "$bound" \
        idle --connections "$count" --seconds 0.1 --sources 4 "$@"
    end_server
}

measure 300 ""
measure 480 ", joined" --joined
measure 520 ", in a session of two" --dialect session
measure 820 ", joined by version 2" --joined --dialect 2
exit "$failed"

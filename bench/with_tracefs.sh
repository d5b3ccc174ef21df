# Sourced first by the scripts that count system calls. The kernel's counter is a tracepoint, which tracefs tells. Where that is not
# mounted, it is for this script alone: root starts it anew where nobody else sees the mount.
# shellcheck shell=bash

if [ ! -d /sys/kernel/tracing/events ] && [ -z "${TRACEFS_TRIED:-}" ] && unshare --mount true 2>/dev/null; then
    # shellcheck disable=SC2016 # the inner shell is to expand it
    TRACEFS_TRIED=yes exec unshare --mount bash -c 'mount -t tracefs tracefs /sys/kernel/tracing || true; exec "$0" "$@"' "$0" "$@"
fi

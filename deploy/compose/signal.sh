#!/bin/sh
# signal.sh COMMAND...: run the signaling server, or its health check, with the STUN and TURN servers that callers are told of.
# Where TURN_URLS does not name them, they are those of the turn service, at the host name of the page. In a file, because
# the older docker-compose can't make one setting out of another.
set -eu

if [ -z "${TURN_URLS:-}" ]; then
    host=${HOST_PUBLIC:-localhost}
    profiles=,${COMPOSE_PROFILES:-},
    if [ -n "${TURN_SECRET:-}" ]; then
        TURN_URLS="stun:$host:3478,turn:$host:3478?transport=udp,turn:$host:3478?transport=tcp"
    elif [ "${profiles#*,turn,}" != "$profiles" ]; then
        TURN_URLS="stun:$host:3478" # which asks for no secret
    fi
    export TURN_URLS
fi
exec "$@"

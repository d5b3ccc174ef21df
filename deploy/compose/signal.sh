#!/bin/sh
# signal.sh COMMAND...: run the signaling server, or its health check, with settings that the older docker-compose can't make
# out of others:
#
# - the STUN and TURN servers that callers are told of. Where TURN_URLS does not name them, they are those of the turn service,
#   at the host name of the page.
# - with the profile cluster, its engine, and what cluster/secrets.sh has made.
set -eu
profiles=,${COMPOSE_PROFILES:-},

if [ -z "${TURN_URLS:-}" ]; then
    host=${HOST_PUBLIC:-localhost}
    if [ -n "${TURN_SECRET:-}" ]; then
        TURN_URLS="stun:$host:3478,turn:$host:3478?transport=udp,turn:$host:3478?transport=tcp"
    elif [ "${profiles#*,turn,}" != "$profiles" ]; then
        TURN_URLS="stun:$host:3478" # which asks for no secret
    fi
    export TURN_URLS
fi
if [ "${profiles#*,cluster,}" != "$profiles" ]; then
    export CLUSTER_URL="${CLUSTER_URL:-nats://nats:4222}"
    export CLUSTER_SECRET_FILE="${CLUSTER_SECRET_FILE:-/run/cluster/secret}"
    if [ -z "${CLUSTER_CREDENTIALS_FILE:-}" ]; then
        export CLUSTER_USER="${CLUSTER_USER:-homecall}"
        export CLUSTER_PASSWORD_FILE="${CLUSTER_PASSWORD_FILE:-/run/cluster/password}"
    fi
fi
exec "$@"

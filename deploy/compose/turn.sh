#!/bin/sh
# The start of the turn service: puts what .env says behind turnserver.conf and runs coturn with it. In a file, because
# arguments can be read by everybody on the host, and the secret is none of their business.
set -eu

if [ -z "${TURN_SECRET:-}" ]; then
    echo "turn: TURN_SECRET is empty; set it in .env, for example to what \`openssl rand -hex 32\` prints." >&2
    exit 1
fi

umask 077
{
    cat "$(dirname "$0")/turnserver.conf"
    echo "realm=$TURN_REALM"
    echo "static-auth-secret=$TURN_SECRET"
    [ -z "${TURN_EXTERNAL_IP:-}" ] || echo "external-ip=$TURN_EXTERNAL_IP"
} >/tmp/turnserver.conf
unset TURN_SECRET
exec turnserver -c /tmp/turnserver.conf

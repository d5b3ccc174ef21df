#!/bin/sh
# The start of the turn service: puts what .env says behind turnserver.conf and runs coturn with it. In a file, because
# arguments can be read by everybody on the host, and the secret is none of their business.
set -eu

case ${TURN_EXTERNAL_IP:-} in
    '' | *[0-9a-f]/[0-9a-f]*) ;;
    *)
        # With the public one alone, two relayed callers would not reach each other: turnserver.conf tells why.
        echo "turn: TURN_EXTERNAL_IP wants the public address and this machine's own, as in 203.0.113.7/10.0.0.5." >&2
        exit 1
        ;;
esac

umask 077
{
    cat "$(dirname "$0")/turnserver.conf"
    echo "realm=$TURN_REALM"
    if [ -n "${TURN_SECRET:-}" ]; then
        echo "static-auth-secret=$TURN_SECRET"
    else
        echo stun-only
        echo "turn: TURN_SECRET is empty, so this is a STUN server alone; \`openssl rand -hex 32\` makes a secret." >&2
    fi
    [ -z "${TURN_EXTERNAL_IP:-}" ] || echo "external-ip=$TURN_EXTERNAL_IP"
} >/tmp/turnserver.conf
unset TURN_SECRET
exec turnserver -c /tmp/turnserver.conf

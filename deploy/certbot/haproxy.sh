#!/bin/sh
# certbot's --deploy-hook for HAProxy, which wants the certificate, its chain and its key in one file (haproxy.cfg). certbot
# says where they lie; a reload leaves the WebSockets that are open alone.
set -eu

certificates=/etc/haproxy/certs
name=$(basename "$RENEWED_LINEAGE").pem

umask 077
mkdir -p "$certificates"
# HAProxy looks over what begins with a dot, so nobody meets a file that is half written.
cat "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" >"$certificates/.$name"
mv "$certificates/.$name" "$certificates/$name"
systemctl try-reload-or-restart haproxy

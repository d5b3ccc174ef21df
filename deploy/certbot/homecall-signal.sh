#!/bin/sh
# certbot's --deploy-hook for the server's own TLS (WSS_PORT). What certbot keeps, nobody but root can reach: live/ and archive/
# let no other user in, whatever the files allow. So the server gets copies that its group may read, and is told to read
# them anew; WebSockets that are open keep what they have.
#
# LoadCredential= of systemd would bring the files to the server as well, but only when it is started: a reload would find the
# old ones.
set -eu

copies=/etc/homecall-signal/tls

install -d -m 750 -g homecall-signal "$copies"
for file in fullchain.pem privkey.pem; do
    install -m 640 -g homecall-signal "$RENEWED_LINEAGE/$file" "$copies/$file.new"
done
for file in fullchain.pem privkey.pem; do
    mv "$copies/$file.new" "$copies/$file"
done
systemctl try-reload-or-restart homecall-signal

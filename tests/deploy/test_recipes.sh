#!/usr/bin/env bash
# What deploy/README.md tells an operator of Debian to do with proxies and certificates, done as it stands there: the commands
# are read from the document, and run in a Debian of its own under its own systemd. The certificate authority is Pebble, which
# speaks to certbot and Caddy as Let's Encrypt does; its certificates are so short that Debian's timer renews them at once.
#
# On the way deploy/packages.sh is tried, which installs for run.sh and the tests what must not start by itself.
#
# Takes root. Where no systemd can be booted, only that is done.
set -euo pipefail

# shellcheck source=tests/deploy/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"
readme=$root/deploy/README.md
name=call.example.org

# ---- What stands in the README ----

# block HEADING: the lines of the first block of code behind the line that has this text.
block() {
    awk -v heading="$1" 'index($0, heading) { found = 1 } found && /^    / { print substr($0, 5); said = 1; next }
        said && !/^    / { exit }' "$readme" | grep . || fail "$readme has no block of code behind '$1'"
}

# as_written HEADING PATTERN: run the one line of that block that the pattern finds, as its reader would.
as_written() {
    local line
    line=$(block "$1" | grep -E "$2") || fail "no line behind '$1' has '$2'"
    [ "$(wc -l <<<"$line")" -eq 1 ] || fail "several lines behind '$1' have '$2'"
    echo "    $line"
    quietly in_booted bash -ec "$line"
}

# ---- A Debian with what is to be installed at hand ----

readonly packages=(nginx apache2 haproxy caddy certbot coturn)

# packages_start_nothing WHERE: Caddy's package has no script of the older init beside its unit, as most others have.
packages_start_nothing() {
    echo "- what packages.sh installs is not started at the next boot $1"
    quietly inside bash -ec '. /root/packages.sh; install_missing caddy'
    [ -z "$(find "$debian/etc/systemd" -name caddy.service)" ] || fail "caddy is started at the next boot"
    quietly inside apt-get -q purge caddy
}

# A machine as it is rented: with systemd, and without what the README has its reader install. That waits in apt's cache,
# since there is no network in the namespaces.
furnish() {
    make_debian
    make_package
    printf 'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n' >"$debian/etc/apt/apt.conf.d/90test"
    cp "$root/deploy/packages.sh" "$debian/root/"
    packages_start_nothing "where there is no systemd"
    quietly inside env DEBIAN_FRONTEND=noninteractive apt-get -q install systemd dbus procps pebble curl openssl ca-certificates \
        /root/homecall-signal.deb
    packages_start_nothing "where there is one that does not run"
    quietly inside env DEBIAN_FRONTEND=noninteractive apt-get -q --download-only install "${packages[@]}"
    rm "$debian/usr/sbin/policy-rc.d"
    echo "127.0.0.1 localhost $name signal.example.org turn.$name" >"$debian/etc/hosts"
    cp "$build/bench/homecall-bench" "$debian/root/"
}

# The authority is trusted as Let's Encrypt is, and asks at ports 80 and 443. What it signs is trusted by nobody but curl and
# homecall-bench here.
start_authority() {
    local acme=$debian/srv/acme
    mkdir "$acme"
    quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$acme/key.pem" -out "$acme/cert.pem"
    jq -n '{pebble: {listenAddress: "127.0.0.1:14000", managementListenAddress: "127.0.0.1:15000",
        certificate: "/srv/acme/cert.pem", privateKey: "/srv/acme/key.pem", httpPort: 80, tlsPort: 443,
        certificateValidityPeriod: (20 * 24 * 3600)}}' >"$acme/pebble.json"
    cp "$acme/cert.pem" "$debian/usr/local/share/ca-certificates/pebble.crt"
    quietly in_booted update-ca-certificates
    quietly in_booted systemd-run --unit pebble --setenv PEBBLE_VA_NOSLEEP=1 --setenv PEBBLE_WFE_NONCEREJECT=0 \
        --setenv PEBBLE_AUTHZREUSE=0 pebble -config /srv/acme/pebble.json
    await "Pebble does not answer" in_booted curl -sf -o /srv/acme/root.pem https://localhost:15000/roots/0
}

# Of certbot's settings the operator has none to change; its test has the address of the authority, and no mail address.
point_certbot_at_the_authority() {
    grep -q pebble "$debian/etc/letsencrypt/cli.ini" ||
        printf '# pebble\nserver = https://localhost:14000/dir\nregister-unsafely-without-email = True\nagree-tos = True\n' \
            >>"$debian/etc/letsencrypt/cli.ini"
}

# ---- What has to be true of each ----

browse() {
    in_booted curl --silent --show-error --max-time 10 --cacert /srv/acme/root.pem "$@"
}

sockets() {
    nsenter --target "$init" --net ss "$@"
}

# serial PORT: of the certificate that is served there.
serial() {
    in_booted sh -c "openssl s_client -connect 127.0.0.1:$1 -servername $name </dev/null 2>/dev/null | openssl x509 -noout -serial"
}

has_new_serial() {
    [ "$(serial "$1")" != "$2" ]
}

calls_work() {
    quietly in_booted /root/homecall-bench call --quiet --pairs 5 --count 20 --ca-file /srv/acme/root.pem "$1"
}

leads_to_https() {
    [ "$(browse -o /dev/null -w '%{http_code} %{redirect_url}' "http://$name/")" = "$1 https://$name/" ]
}

# page_is_served REDIRECTION: a proxy that is told to reload answers as before for a moment.
page_is_served() {
    await "http:// does not lead to https://" leads_to_https "$1"
    await "https://$name/ does not answer" browse -o /dev/null "https://$name/"
    diff <(browse "https://$name/") "$debian/usr/share/homecall-signal/pwa/index.html" || fail "https://$name/ is not the page"
    # The first thing that the README tells to try when there is a fault.
    browse -i "https://$name/signal" | grep -E '^HTTP/2 426' >/dev/null || fail "curl -i https://$name/signal does not tell 426"
    calls_work "wss://$name/signal"
}

has_connections() {
    [ "$(sockets -Htn state established "dport = :$1" | wc -l)" -ge 4 ]
}

# renewed_by_timer PORT URL: what Debian's timer starts renews the certificate, it is served, and nobody who was connected has
# lost his connection, since homecall-bench ends when one does.
renewed_by_timer() {
    local before
    before=$(serial "$1")
    [ -n "$before" ] || fail "no certificate is served"
    quietly in_booted systemd-run --unit callers --collect /root/homecall-bench idle --quiet --connections 4 --joined \
        --warmup 0 --seconds 300 --ca-file /srv/acme/root.pem "$2"
    await "the callers do not get through" has_connections "$1"
    quietly in_booted systemctl start certbot.service
    await "the renewed certificate is not served" has_new_serial "$1" "$before"
    in_booted systemctl is-active --quiet callers || fail "a renewal has ended open WebSockets"
    quietly in_booted systemctl stop callers
}

forget_certificates() {
    rm -rf "$debian"/etc/letsencrypt/{live,archive,renewal}
}

stop() {
    quietly in_booted systemctl disable --now "$@"
}

# ---- The recipes ----

nginx_as_written() {
    as_written '**nginx**' '^apt'
    point_certbot_at_the_authority
    as_written '**nginx**' '^certbot'
    as_written '**nginx**' '^cp'
    as_written '**nginx**' '^nginx -t'
    page_is_served 301
    renewed_by_timer 443 "wss://$name/signal"
    stop nginx
    forget_certificates
}

apache_as_written() {
    as_written '**Apache**' '^apt'
    as_written '**Apache**' '^certbot'
    as_written '**Apache**' '^cp'
    as_written '**Apache**' '^a2enmod'
    as_written '**Apache**' '^apachectl'
    page_is_served 301
    renewed_by_timer 443 "wss://$name/signal"
    stop apache2
    forget_certificates
}

haproxy_as_written() {
    as_written '**HAProxy**' '^apt'
    point_certbot_at_the_authority
    [ -n "$(sockets -Hltn 'sport = :80')" ] || fail "Debian's caddy no longer takes port 80: the README may be shorter"
    as_written '**HAProxy**' 'Caddyfile.page'
    as_written '**HAProxy**' '^cp .*haproxy.cfg'
    as_written '**HAProxy**' '^mkdir'
    as_written '**HAProxy**' '^certbot'
    page_is_served 301
    renewed_by_timer 443 "wss://$name/signal"
    in_booted journalctl -u haproxy | grep 'GET /signal 101' >/dev/null || fail "the journal does not have HAProxy's requests"
    stop haproxy
    forget_certificates
}

caddy_as_written() {
    as_written '**Caddy**' '^apt'
    as_written '**Caddy**' '^cp'
    # EDIT: the authority is another one.
    sed -i "s|^\ttls .*|\ttls admin@$name {\n\t\tca https://localhost:14000/dir\n\t}|" "$debian/etc/caddy/Caddyfile"
    as_written '**Caddy**' '^systemctl'
    await "Caddy gets no certificate" browse -o /dev/null "https://$name/"
    page_is_served 308
    stop caddy
}

# In the net of the Debian, by a program of the machine's.
beside() {
    nsenter --target "$init" --net "$@"
}

# relays ADDRESS PORT OPTION...: coturn relays for who has what /ice tells.
relays() {
    local told address=$1 port=$2
    shift 2
    told=$(browse "http://127.0.0.1:8888/ice" | jq '.iceServers[] | select(.username)')
    beside timeout 20 turnutils_uclient "$@" -p "$port" -u "$(jq -r .username <<<"$told")" -w "$(jq -r .credential <<<"$told")" \
        -e 198.51.100.1 -n 3 -m 1 -c "$address" >"$private/out" 2>&1 && grep -q 'Total lost packets 0 ' "$private/out"
}

# After HAProxy's recipe, whose configuration is still there.
coturn_as_written() {
    local heading='is coturn, and the server tells of it' secret=abcdef peer tunnel certbot
    # coturn relays at no address of the loopback.
    beside ip link add outside type veth peer name beyond
    beside ip addr add 198.51.100.1/24 dev outside
    beside ip link set outside up
    beside ip link set beyond up
    # Not by beside(): a function in the background is a shell of its own, and to end that does not end what it has started.
    nsenter --target "$init" --net turnutils_peer -L 198.51.100.1 >/dev/null 2>&1 &
    peer=$!

    as_written "$heading" '^apt'
    as_written "$heading" '^cp'
    sed -n "s/^#     \(realm=.*\)/\1/p; s/^#     \(static-auth-secret=\).*/\1$secret/p" "$debian/etc/turnserver.conf" \
        >>"$debian/etc/turnserver.conf.new"
    cat "$debian/etc/turnserver.conf.new" >>"$debian/etc/turnserver.conf"
    as_written "$heading" '^systemctl restart coturn'
    block "$heading" | grep -E '^TURN_' | sed "s/…/$secret/" >>"$debian/etc/homecall-signal/env"
    as_written "$heading" '^systemctl restart homecall-signal'
    await "coturn does not relay" relays 198.51.100.1 3478
    await "coturn does not relay for who comes by TCP" relays 198.51.100.1 3478 -t

    # turns: on port 443.
    quietly in_booted systemctl start haproxy
    certbot="$(block '**HAProxy**' | grep '^certbot') -d turn.$name"
    echo "    $certbot"
    quietly in_booted bash -ec "$certbot"
    nsenter --target "$init" --net node "$root/tests/deploy/tls_tunnel.mjs" 3479 443 "turn.$name" "$debian/srv/acme/root.pem" &
    tunnel=$!
    await "coturn does not relay behind HAProxy's port 443" relays 127.0.0.1 3479 -t
    page_is_served 301
    kill "$tunnel" "$peer"
    stop haproxy coturn
    forget_certificates
}

server_as_written() {
    local heading='**Without any proxy**'
    as_written "$heading" '^apt'
    point_certbot_at_the_authority
    as_written "$heading" '^certbot'
    block "$heading" | grep -E '^[A-Z_]+=' >>"$debian/etc/homecall-signal/env"
    as_written "$heading" '^systemctl'
    await "the server does not speak TLS" calls_work wss://signal.example.org:8443/signal
    renewed_by_timer 8443 wss://signal.example.org:8443/signal
}

# So stands it in the README about certificates.
load_credential_takes_a_restart() {
    local live=/etc/letsencrypt/live/signal.example.org before
    printf '[Service]\nLoadCredential=cert:%s/fullchain.pem\nLoadCredential=key:%s/privkey.pem\n' "$live" "$live" \
        >"$debian/etc/systemd/system/homecall-signal.service.d/credentials.conf"
    sed -i -e 's|^TLS_CERT_FILE=.*|TLS_CERT_FILE=/run/credentials/homecall-signal.service/cert|' \
        -e 's|^TLS_KEY_FILE=.*|TLS_KEY_FILE=/run/credentials/homecall-signal.service/key|' "$debian/etc/homecall-signal/env"
    quietly in_booted systemctl daemon-reload
    quietly in_booted systemctl restart homecall-signal
    before=$(serial 8443)
    quietly in_booted certbot renew --force-renewal --no-random-sleep-on-renew
    quietly in_booted systemctl reload homecall-signal
    sleep 1
    has_new_serial 8443 "$before" && fail "systemd reads credentials anew at a reload: the README may be shorter"
    quietly in_booted systemctl restart homecall-signal
    has_new_serial 8443 "$before" || fail "a restart does not bring the renewed certificate"
}

purge_takes_the_copies_along() {
    [ -s "$debian/etc/homecall-signal/tls/privkey.pem" ] || fail "there were none"
    quietly in_booted dpkg --purge homecall-signal
    [ ! -e "$debian/etc/homecall-signal" ] || fail "a purge leaves the copies of the certificate behind"
}

checks=("$@")
[ $# -gt 0 ] || checks=(nginx_as_written apache_as_written haproxy_as_written coturn_as_written caddy_as_written
    server_as_written
    load_credential_takes_a_restart purge_takes_the_copies_along)

furnish
start_booting
if ! has_booted; then
    echo "left out: no systemd can be booted here"
    exit
fi
loosen_if_needed
echo "TRUSTED_PROXIES=127.0.0.1" >>"$debian/etc/homecall-signal/env"
quietly in_booted systemctl restart homecall-signal
start_authority
for check in "${checks[@]}"; do
    echo "- ${check//_/ } ($SECONDS s)"
    "$check"
done

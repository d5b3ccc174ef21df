#!/usr/bin/env bash
# deploy/run.sh from its start to Ctrl-C, with what can go wrong around it: the hosts file of a fresh Debian, where localhost is ::1
# as well, paths with blanks in them, another page than ours, and a log of everything that nginx could write down.
set -euo pipefail
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../bench/with_server.sh"

if [ "$(id -u)" -eq 0 ] && [ "${1:-}" != --inside ]; then
    rm -rf "$private"
    trap - EXIT
    exec unshare --mount bash "$0" --inside
elif [ "${1:-}" = --inside ]; then
    printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\n' >"$private/hosts"
    mount --bind "$private/hosts" /etc/hosts
fi

fail() {
    echo "$*" >&2
    cat "$private/said" >&2
    exit 1
}

page="$private/a page"
temporary="$private/not kept"
mkdir "$temporary"
cp -r "$root/deploy/pwa" "$page"
echo 'export {};' >"$page/part.mjs"
http_port=$(free_port)

# In a session of its own, as in a terminal, so that a signal to the group is Ctrl-C; which a shell makes its children ignore.
PWA_DIR=$page CONTENT_SECURITY_POLICY="default-src 'self' https://cdn.example" TURN_SECRET=topsecret HOST_PUBLIC=call.example.org \
    WS_PORT='' ADMIN_PORT='' TMPDIR=$temporary env --default-signal=INT setsid "$root/deploy/run.sh" --port "$http_port" >"$private/said" 2>&1 &
server_pid=$!
until grep -qs 'Open http' "$private/said"; do
    kill -0 "$server_pid" || fail "run.sh did not start"
    sleep 0.1
done
url=$(sed -n 's/^  Open \(http[^ ]*\) .*/\1/p' "$private/said")

curl --silent --fail --include "$url" >"$private/page" || fail "$url is not served"
tr -d '\r' <"$private/page" | grep -xF "Content-Security-Policy: default-src 'self' https://cdn.example" >/dev/null ||
    fail "the page does not have the policy that was asked for"
[ "$(curl --silent --output /dev/null --write-out '%{content_type}' "${url}part.mjs")" = "text/javascript; charset=utf-8" ] ||
    fail "a module by the name .mjs has no type that lets it run"
curl --silent --fail "${url}ice" | jq -e '.iceServers[1].urls[0] == "turn:call.example.org:3478?transport=udp"' >/dev/null ||
    fail "/ice does not tell of the TURN server at HOST_PUBLIC"
"$build/bench/homecall-bench" call --quiet --pairs 5 --count 50 "ws://127.0.0.1:$http_port/signal?room=do-not-log-me" ||
    fail "calls do not work"
status=$(curl --silent --max-time 2 --output /dev/null --write-out '%{http_code}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
    -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
    "http://127.0.0.1:$http_port/signal?sessionId=do-not-log-me" || true) # nothing ends it but its time
[ "$status" = 101 ] || fail "a session is answered with $status"
grep -q '/signal' "$temporary"/*/nginx-access.log || fail "nginx has no log of requests"
if grep -rq do-not-log-me "$temporary"; then fail "a log holds a query string"; fi

kill -INT -- "-$server_pid"
for _ in $(seq 150); do
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
done
kill -TERM "$server_pid" 2>/dev/null || true # a fault, which the status tells
status=0
wait "$server_pid" || status=$?
server_pid=
[ "$status" -eq 130 ] || fail "Ctrl-C ends run.sh with $status"
[ -z "$(ls "$temporary")" ] || fail "run.sh leaves something behind: $(ls "$temporary")"
if curl --silent --output /dev/null "$url"; then fail "nginx runs on"; fi

#!/usr/bin/env bash
# The service without containers, as far as it can be tried without systemd as the first process: the installed units, the
# sandbox, the socket that outlives the server, and logrotate. test_deb.sh goes on from here.
set -euo pipefail

# restart_until_over BINARY ADMIN_PORT DIRECTORY: what systemd does with a socket unit. Runs below systemd-socket-activate, which
# has opened descriptor 3; keeps it, and lets one server after another serve it until DIRECTORY/over exists.
restart_until_over() {
    local binary=$1 admin_port=$2 directory=$3 restarts=0
    server=
    trap '[ -z "$server" ] || kill "$server"' EXIT
    trap 'exit 1' TERM
    while [ ! -e "$directory/over" ] || [ "$restarts" -eq 0 ]; do
        # shellcheck disable=SC2016 # the inner shell is to expand it: only there it is the server's own number
        LISTEN_FDS=1 LISTEN_FDNAMES=ws ADMIN_PORT=$admin_port LOG_FILE=$directory/log \
            bash -c 'LISTEN_PID=$$ exec "$0" --env-file /dev/null' "$binary" &
        server=$!
        until ADMIN_PORT=$admin_port "$binary" --env-file /dev/null --healthcheck 2>/dev/null; do
            kill -0 "$server" || exit 1
            sleep 0.02
        done
        sleep 0.2
        kill -TERM "$server"
        wait "$server" || exit 1
        server=
        restarts=$((restarts + 1))
    done
    echo "$restarts" >"$directory/restarts"
}
if [ "${1:-}" = --restart-until-over ]; then
    restart_until_over "${@:2}"
    exit
fi

# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../bench/with_server.sh"
binary=$build/homecall-signal
prefix=$private/usr
units=$prefix/lib/systemd/system

fail() {
    echo "$*" >&2
    exit 1
}

# What the operator wrote must outlive an installation over it.
install_twice() {
    cmake --install "$build" --prefix "$prefix" >/dev/null
    echo WORKERS=3 >"$prefix/etc/homecall-signal/env"
    cmake --install "$build" --prefix "$prefix" >/dev/null
    [ "$(cat "$prefix/etc/homecall-signal/env")" = WORKERS=3 ] || fail "an installation has overwritten the configuration"
    for file in lib/sysusers.d/homecall-signal.conf etc/logrotate.d/homecall-signal; do
        [ -s "$prefix/$file" ] || fail "$file is not installed"
    done
}

units_are_clean() {
    local said
    said=$(systemd-analyze verify "$units/homecall-signal.service" "$units/homecall-signal.socket" 2>&1) ||
        fail "systemd-analyze verify: $said"
    [ -z "$said" ] || fail "systemd-analyze verify: $said"
    systemd-sysusers --dry-run "$prefix/lib/sysusers.d/homecall-signal.conf" >/dev/null 2>&1
    systemd-analyze security --offline=true --no-pager --threshold=25 "$units/homecall-signal.service" | tail -1
}

# calls_of SET...: the system calls of these sets, one a line.
calls_of() {
    local word
    for word in $(systemd-analyze syscall-filter "$@" | sed 's/#.*//' | awk '/^ / { print $1 }'); do
        case $word in
            @*) calls_of "$word" ;;
            *) echo "$word" ;;
        esac
    done
}

# What the filter of the unit allows, in $private/allowed. Each of its lines adds calls or takes some away.
read_filter() {
    local line word
    : >"$private/allowed"
    while read -r line; do
        for word in ${line#\~}; do
            case $word in
                @*) calls_of "$word" ;;
                *) echo "$word" ;;
            esac
        done | sort -u >"$private/named"
        case $line in
            \~*) comm -23 "$private/allowed" "$private/named" ;;
            *) sort -u "$private/allowed" "$private/named" ;;
        esac >"$private/so_far"
        mv "$private/so_far" "$private/allowed"
    done < <(sed -n 's/^SystemCallFilter=//p' "$units/homecall-signal.service")
}

# The filter of the unit must let through whatever a server calls that does all it can.
filter_lets_through() {
    read_filter

    local admin_port
    admin_port=$(free_port)
    start_server LOG_LEVEL=info ADMIN_PORT="$admin_port" strace -f -qq -e signal=none -o "$private/trace"
    "$build/bench/homecall-bench" call --quiet --seconds 1 --warmup 0 --pairs 5 "ws://127.0.0.1:$port/signal"
    ADMIN_PORT=$admin_port "$binary" --env-file /dev/null --healthcheck 2>/dev/null
    local traced
    traced=$(pgrep -P "$server_pid")
    kill -HUP "$traced"
    kill -USR1 "$traced"
    sleep 0.2
    kill -USR2 "$traced"
    until grep -q 'the successor serves' "$private/log"; do sleep 0.02; done
    kill -TERM "$(sed -n 's/.*starting a successor pid=//p' "$private/log")"
    wait "$server_pid"
    server_pid=
    sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$private/trace" | sort -u >"$private/called"
    [ "$(wc -l <"$private/called")" -gt 30 ] || fail "strace has seen next to nothing"
    comm -13 "$private/allowed" "$private/called" >"$private/filtered"
    [ ! -s "$private/filtered" ] || fail "the system call filter forbids: $(tr '\n' ' ' <"$private/filtered")"
    echo "$(wc -l <"$private/called") system calls, all within the filter"
}

# has_ended PID: it is gone, or waits for a parent that asks for it.
has_ended() {
    [ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# A program that runs another one under this filter: any other system call ends the process. Written from the names, since each
# processor has its own numbers.
build_filter() {
    {
        printf '#define _GNU_SOURCE\n#include <%s>\n' linux/filter.h linux/seccomp.h sys/prctl.h sys/syscall.h stdio.h unistd.h
        echo 'static struct sock_filter code[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),'
        while read -r call; do
            printf '#ifdef SYS_%s\nBPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_%s, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),\n#endif\n' \
                "$call" "$call"
        done <"$private/allowed"
        cat <<'EOF_C'
BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS) };
int main(int argc, char **argv)
{
    struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};
    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        return perror("seccomp"), 1;
    execv(argv[1], argv + 1);
    return perror(argv[1]), 1;
}
EOF_C
    } >"$private/filter.c"
    cc -o "$private/filter" "$private/filter.c"
}

# The real server under the real filter, which kills here where the unit's gives EPERM: so nothing is called unnoticed.
server_lives_under_the_filter() {
    local admin_port tls_port next
    build_filter
    rm -f "$private/log"
    "$private/filter" /bin/true || fail "nothing runs under the filter"
    if ("$private/filter" "$(command -v nice)" -n 1 /bin/true || exit 1) 2>/dev/null; then
        fail "the filter lets everything through"
    fi
    admin_port=$(free_port)
    tls_port=$(free_port)
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -keyout "$private/key.pem" -out "$private/cert.pem" 2>/dev/null
    start_server LOG_LEVEL=info ADMIN_PORT="$admin_port" WSS_PORT="$tls_port" TLS_CERT_FILE="$private/cert.pem" \
        TLS_KEY_FILE="$private/key.pem" "$private/filter"
    "$build/bench/homecall-bench" call --quiet --seconds 1 --warmup 0 --pairs 5 "ws://127.0.0.1:$port/signal"
    curl --silent --insecure --output /dev/null "https://127.0.0.1:$tls_port/"
    ADMIN_PORT=$admin_port "$binary" --env-file /dev/null --healthcheck 2>/dev/null
    kill -HUP "$server_pid"
    kill -USR1 "$server_pid"
    sleep 0.2
    kill -USR2 "$server_pid"
    wait "$server_pid" || fail "the server has not lived under the filter: $(tail -3 "$private/log")"
    server_pid=
    next=$(sed -n 's/.*starting a successor pid=//p' "$private/log")
    "$build/bench/homecall-bench" call --quiet --seconds 1 --warmup 0 --pairs 5 "ws://127.0.0.1:$port/signal"
    kill "$next"
    until has_ended "$next"; do sleep 0.02; done
    grep -q ' stopped$' "$private/log" || fail "the successor has not lived under the filter: $(tail -3 "$private/log")"
    rm "$private/log"
}

# The bar: a restart under load refuses no connection. Every request is a connection of its own, and the path that is
# not served makes the server answer it in HTTP (404, or 503 from one that stops).
restarts_refuse_nobody() {
    port=$(free_port)
    systemd-socket-activate --listen="127.0.0.1:$port" --fdname=ws \
        "$(realpath "${BASH_SOURCE[0]}")" --restart-until-over "$binary" "$(free_port)" "$private" 2>"$private/holder" &
    server_pid=$!
    server_pids+=("$server_pid")
    until [ -n "$(ss -Hltn "sport = :$port")" ]; do
        kill -0 "$server_pid" || fail "$(cat "$private/holder")"
        sleep 0.02
    done
    curl --silent --parallel --parallel-max 20 --max-time 60 --output /dev/null \
        --write-out '%{exitcode} %{http_code}\n' "http://127.0.0.1:$port/[1-20000]" >"$private/answers" 2>/dev/null || true
    touch "$private/over"
    wait "$server_pid" || fail "$(cat "$private/holder")"
    server_pids=()
    server_pid=

    echo "$(cat "$private/restarts") restarts; connections by curl's exit code and HTTP status:"
    sort "$private/answers" | uniq -c
    [ "$(cat "$private/restarts")" -ge 5 ] || fail "too few restarts for a test"
    [ "$(grep -cxE '0 (404|503)' "$private/answers")" -eq 20000 ] || fail "a connection was refused or cut off"
}

# The same without systemd: one server follows another by SIGUSR2, in plain text and with TLS, with two sockets for each port.
# Each answer has to come from a server that does not stop: a request that is under way is not answered with 503.
successions_refuse_nobody() {
    local successions=8 tls_port pid next url
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -keyout "$private/key.pem" -out "$private/cert.pem" 2>/dev/null
    tls_port=$(free_port)
    start_server LOG_LEVEL=info ACCEPTOR_THREADS=2 ADMIN_PORT="$(free_port)" WSS_PORT="$tls_port" \
        TLS_CERT_FILE="$private/cert.pem" TLS_KEY_FILE="$private/key.pem"
    pid=$server_pid
    server_pid=
    for url in "http://127.0.0.1:$port" "https://127.0.0.1:$tls_port"; do
        # Until it is told to end, and one file of answers for each round.
        (while [ ! -e "$private/ended" ]; do
            curl --silent --insecure --parallel --parallel-max 10 --max-time 60 --output /dev/null \
                --write-out '%{exitcode} %{http_code}\n' "$url/[1-200]" 2>/dev/null || true
        done >"$private/answers.${url%%:*}") &
    done
    for _ in $(seq "$successions"); do
        kill -USR2 "$pid"
        until has_ended "$pid"; do sleep 0.02; done
        next=$(sed -n 's/.*starting a successor pid=//p' "$private/log" | tail -1)
        [ "$next" != "$pid" ] || fail "$(tail "$private/log")"
        pid=$next
    done
    touch "$private/ended"
    wait
    kill "$pid"
    until has_ended "$pid"; do sleep 0.02; done

    echo "$successions successions; connections by curl's exit code and HTTP status:"
    for url in http https; do
        sort "$private/answers.$url" | uniq -c | sed "s/^/$url /"
        [ "$(wc -l <"$private/answers.$url")" -ge 400 ] || fail "too few connections for a test"
        if grep -qvxF '0 404' "$private/answers.$url"; then
            fail "a connection was refused or cut off"
        fi
    done
}

# As shipped, but for the place of the logs, their owner, and how to reach a server that systemd has not started.
logrotate_loses_nothing() {
    mkdir "$private/logs"
    start_server LOG_LEVEL=info LOG_FILE="$private/logs/signal.log"
    sed -e "s|/var/log/homecall-signal|$private/logs|" -e "s|^    su .*|    su $(id -un) $(id -gn)|" \
        -e "s|systemctl kill .*|kill -HUP $server_pid|" "$prefix/etc/logrotate.d/homecall-signal" >"$private/logrotate.conf"
    chmod 600 "$private/logrotate.conf"
    PATH=$PATH:/usr/sbin logrotate --force --state "$private/logrotate.state" "$private/logrotate.conf"
    until [ -e "$private/logs/signal.log" ]; do sleep 0.02; done
    kill "$server_pid"
    wait "$server_pid"
    server_pid=
    grep -q 'started' "$private/logs/signal.log.1" || fail "the old log is not there"
    grep -q 'stopped' "$private/logs/signal.log" || fail "the server does not write to the new log"
}

for check in install_twice units_are_clean filter_lets_through server_lives_under_the_filter restarts_refuse_nobody successions_refuse_nobody \
    logrotate_loses_nothing; do
    echo "- ${check//_/ }"
    "$check"
done

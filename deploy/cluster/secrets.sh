#!/bin/sh
# secrets.sh [DIRECTORY [OWNER]]: make what the nodes of a cluster and their engine must know of each other, unless it is there.
#
#   secret          CLUSTER_SECRET_FILE: the same on each node; codewords are hashed with it
#   password        CLUSTER_PASSWORD_FILE: by which nodes come to the engine
#   password.conf   the same for nats.conf
#
# DIRECTORY is secrets/ beside this file unless given, for docker-compose.yml; then OWNER is the user of its containers. Run
# it once, and copy the directory to the other machines.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
directory=${1:-$here/secrets}
owner=${2:-}
[ -n "$owner" ] || [ $# -gt 0 ] || owner=10001:10001
umask 027
mkdir -p "$directory"
cd "$directory"
[ -s secret ] || openssl rand -hex 32 >secret
[ -s password ] || openssl rand -hex 32 >password
printf 'homecall_password: "%s"\n' "$(cat password)" >password.conf
chmod 0640 secret password password.conf
if [ -n "$owner" ] && [ "$(id -u)" -eq 0 ]; then
    chown "$owner" . secret password password.conf
fi
echo "in $directory: secret, password, password.conf"

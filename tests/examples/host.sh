#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One host of a fleet: a copy of this machine as an operator finds it, with sshd, his account and nothing else; see fleet.py, which
# gives it an address. Usage: host.sh FOLDER NAME; it writes FOLDER/root/ready, and lives until it is killed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../setup/machine.sh"
# shellcheck source=tests/patience.sh
. "$here/../patience.sh"
. "$here/sshd.sh"

if [ -z "${APIARY_PRIVATE:-}" ]; then
    export APIARY_PRIVATE=yes
    exec "${machine_namespaces[@]}" "$0" "$@"
fi
machine_make "$1"
root=$1/root
echo "$2" >"$root/etc/hostname"
cat >"$root/etc/hosts" <<EOT
127.0.0.1 localhost
192.0.2.1 controller download.freebsd.org cloud.debian.org
192.0.2.2 repo
192.0.2.3 hv1
192.0.2.4 hv2
EOT
machine_accounts "$root"
machine_sshd "$root"
touch "$root/ready"
# Reaps what is left behind, and never ends.
while :; do sleep 3600; done

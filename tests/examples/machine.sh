#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The controller, hypervisor and repository of the examples in one: a copy of this machine, reached by ssh under the
# documentation's names. Usage: machine.sh FOLDER; it writes FOLDER/root/ready, and lives until it is killed.
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

# The addresses of the documentation: the guest web1, whose ssh answers, and the time servers.
ip address add 192.0.2.11/32 dev lo
ip link add bridge0 type bridge
ip link set bridge0 up
cat >"$root/etc/hosts" <<EOT
127.0.0.1 localhost hv1 repo repo.example.org mirror $(hostname)
10.99.0.1 ntp1.example.org
10.99.0.2 ntp2.example.org
10.99.0.3 ntp3.example.org
10.99.0.4 time.example.net
10.99.0.9 time.example.com
EOT

# root has a key for itself and one for the catalogue.
machine_accounts "$root"
for key in id_ed25519 images; do ssh-keygen -q -t ed25519 -N '' -C "root@$key" -f "$root/root/.ssh/$key"; done
for home in root home/admin; do cp "$root/root/.ssh/id_ed25519.pub" "$root/$home/.ssh/authorized_keys"; done
for name in hv1 repo repo.example.org mirror; do
    echo "$name $(cat "$root/etc/ssh/ssh_host_ed25519_key.pub")"
done | tee "$root/root/.ssh/known_hosts" >"$root/etc/ssh/ssh_known_hosts"
python3 "$here/../integration/openntpd/servers.py"
machine_sshd "$root"
touch "$root/ready"
# Reaps what is left behind, and never ends.
while :; do sleep 3600; done

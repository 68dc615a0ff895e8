#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The controller, hypervisor and repository of the examples in one: a copy of this machine, reached by ssh under the
# documentation's names. Usage: machine.sh FOLDER; it writes FOLDER/root/ready, and lives until it is killed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../setup/machine.sh"
# shellcheck source=tests/patience.sh
. "$here/../patience.sh"

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

# root has a key for itself and one for the catalogue; admin may become root.
# What other suites do in ~/.ansible meanwhile is not seen: it could not be removed while they do it.
mkdir -p "$root/root/.ansible"
mount -t tmpfs -o mode=700 tmpfs "$root/root/.ansible"
rm -rf "$root/root"/{.ssh,.cache/apiary.bhyve} "$root/etc/ssh"/ssh_host_* "$root/var/db/apiary" "$root/usr/local/etc/apiary"
mkdir -m 700 "$root/root/.ssh"
for key in id_ed25519 images; do ssh-keygen -q -t ed25519 -N '' -C "root@$key" -f "$root/root/.ssh/$key"; done
chroot "$root" useradd --create-home --shell /bin/sh --password '*' admin
install -d -o 0 -m 755 "$root/home/admin/.ssh"
for home in root home/admin; do cp "$root/root/.ssh/id_ed25519.pub" "$root/$home/.ssh/authorized_keys"; done
echo 'admin ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/admin"
ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/ssh_host_ed25519_key"
mkdir -p "$root/run/sshd"
for name in hv1 repo repo.example.org mirror; do
    echo "$name $(cat "$root/etc/ssh/ssh_host_ed25519_key.pub")"
done | tee "$root/root/.ssh/known_hosts" >"$root/etc/ssh/ssh_known_hosts"
cat >"$root/etc/ssh/sshd_config" <<EOT
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
EOT
chroot "$root" /usr/sbin/sshd -D -e 2>"$root/tmp/sshd.log" &
python3 "$here/../integration/openntpd/servers.py"
wait_for 60 "sshd to listen" grep 'Server listening' "$root/tmp/sshd.log"
touch "$root/ready"
# Reaps what is left behind, and never ends.
while :; do sleep 3600; done

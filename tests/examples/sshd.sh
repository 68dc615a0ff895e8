# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What every copy of this machine in the examples has: admin, who may become root, and a real sshd. For those who have made
# the copy by tests/setup/machine.sh. Sourced, not run.

# Whatever the machine itself has of accounts and keys is not there.
machine_accounts() {
    local root=$1
    # What other suites do in ~/.ansible meanwhile is not seen: it could not be removed while they do it.
    mkdir -p "$root/root/.ansible"
    mount -t tmpfs -o mode=700 tmpfs "$root/root/.ansible"
    rm -rf "$root/root"/{.ssh,.cache/apiary.bhyve} "$root/etc/ssh"/ssh_host_* "$root/var/db/apiary" "$root/usr/local/etc/apiary"
    mkdir -m 700 "$root/root/.ssh"
    chroot "$root" useradd --create-home --shell /bin/sh --password '*' admin
    install -d -o 0 -m 755 "$root/home/admin/.ssh"
    echo 'admin ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/admin"
    ssh-keygen -q -t ed25519 -N '' -f "$root/etc/ssh/ssh_host_ed25519_key"
}

machine_sshd() {
    local root=$1
    mkdir -p "$root/run/sshd"
    cat >"$root/etc/ssh/sshd_config" <<EOT
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
EOT
    chroot "$root" /usr/sbin/sshd -D -e 2>"$root/tmp/sshd.log" &
    wait_for 60 "sshd to listen" grep 'Server listening' "$root/tmp/sshd.log"
}

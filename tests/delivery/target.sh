#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A target for the delivery tests: a real sshd on loopback, in a mount namespace of its own where no Python can be
# run and where accounts exist that this machine does not have. Usage: target.sh FOLDER PORT; ends with its sshd.
# FOLDER holds id.pub. The machine itself is not changed: every mount is private to this process.
set -eu

if [ -z "${APIARY_TARGET_PRIVATE:-}" ]; then
    export APIARY_TARGET_PRIVATE=yes
    exec unshare --mount --propagation private -- "$0" "$@"
fi
folder=$1 port=$2
password=$(openssl passwd -6 secret-word)

# account:uid:shell; each has its home under FOLDER/home.
accounts='plain:6001:/bin/sh csh:6002:/usr/bin/tcsh fish:6003:/usr/bin/fish bash:6004:/bin/bash worker:6005:/bin/sh
noexec:6006:/bin/sh full:6007:/bin/sh homeless:6008:/bin/sh crowd:6009:/bin/sh careful:6010:/bin/sh'

mkdir -p "$folder/home/root" "$folder/etc"
chmod 755 "$folder" "$folder/home"
# A copy of the whole folder: a mount over a single file would be gone when this machine replaces that file, as apt does.
cp -a /etc/. "$folder/etc"
sed -i "s|^root:.*|root:x:0:0:root:$folder/home/root:/bin/sh|" "$folder/etc/passwd"
for account in $accounts; do
    name=${account%%:*} rest=${account#*:}
    home=$folder/home/$name
    [ "$name" != homeless ] || home=/nonexistent
    echo "$name:x:${rest%%:*}:${rest%%:*}::$home:${rest#*:}" >>"$folder/etc/passwd"
    echo "$name:$password:19000:0:99999:7:::" >>"$folder/etc/shadow"
    echo "$name:x:${rest%%:*}:" >>"$folder/etc/group"
    mkdir -p "$folder/home/$name"
    case $name in
    noexec) mount -t tmpfs -o "noexec,mode=700,uid=${rest%%:*}" none "$folder/home/$name" ;;
    full) mount -t tmpfs -o "size=256k,mode=700,uid=${rest%%:*}" none "$folder/home/$name" ;;
    *) chown "${rest%%:*}:${rest%%:*}" "$folder/home/$name" ;;
    esac
done
printf '%s\n' 'root ALL=(ALL) NOPASSWD: ALL' 'plain ALL=(ALL) NOPASSWD: ALL' 'csh ALL=(ALL) NOPASSWD: ALL' \
    'careful ALL=(ALL) ALL' >"$folder/etc/sudoers"
mount --bind "$folder/etc" /etc
# Old and other kernels do not say in /proc what machine this is.
[ -n "${APIARY_TARGET_PYTHON:-}" ] || [ ! -f /proc/sys/kernel/arch ] || mount --bind /dev/null /proc/sys/kernel/arch
# The benchmark compares with Ansible's own modules, which need one.
for python in /usr/bin/python3.*[0-9] /usr/local/bin/python3.*[0-9]; do
    [ -n "${APIARY_TARGET_PYTHON:-}" ] || [ ! -f "$python" ] || mount --bind /dev/null "$python"
done

[ -f "$folder/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$folder/host_key"
cp "$folder/id.pub" "$folder/authorized_keys"
chmod 644 "$folder/authorized_keys"
cat >"$folder/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:$port
HostKey $folder/host_key
AuthorizedKeysFile $folder/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
PidFile none
MaxStartups 200
LoginGraceTime 0
MaxSessions 200
Subsystem sftp internal-sftp
CONFIG
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e -f "$folder/sshd_config"

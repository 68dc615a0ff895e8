# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A copy of this machine that is thrown away: an overlay in namespaces of its own, with a network of its own and without
# CAP_SYS_TIME. Nothing is installed on this machine, no packet leaves it, and its clock cannot be reached. Needs root.
#
#   . tests/setup/machine.sh
#   machine_fetch                          what will be installed there: before, because the copy has no way out
#   "${machine_namespaces[@]}" COMMAND     runs COMMAND where a copy may be made; what it starts ends with it
#   machine_make FOLDER                    makes the copy in FOLDER/root, without a time daemon; `chroot` is how to use it

machine_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$machine_top/tests/setup/cache.sh"
machine_archives=$cache_home/openntpd-packages

# The two daemons exclude each other.
machine_fetch() {
    local daemon
    mkdir -p "$machine_archives/partial"
    exec 8>"$machine_archives/lock"
    flock 8
    for daemon in openntpd chrony; do
        DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o APT::Sandbox::User=root \
            -o Dir::Cache::archives="$machine_archives" install --download-only --reinstall --no-install-recommends \
            "$daemon" cron python3-apt >"$machine_archives/log" 2>&1 || { cat "$machine_archives/log"; return 1; }
    done
    exec 8>&-
}

# shellcheck disable=SC2034 # for those who source this
machine_namespaces=(unshare --net --mount --pid --fork --kill-child --mount-proc
    setpriv --bounding-set -sys_time --inh-caps -sys_time)

machine_make() {
    local folder=$1 root=$1/root needed last
    mount -t tmpfs none "$folder"
    mkdir "$folder"/{up,work,root}
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/up,workdir=$folder/work" "$root"
    mount -t proc none "$root/proc"
    mount -t sysfs none "$root/sys"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs none "$root/run"
    mount -t tmpfs none "$root/tmp"
    # Either may be below /tmp, which is another one there.
    for needed in "$machine_top" "$cache_home"; do
        mkdir -p "$root$needed"
        mount --bind "$needed" "$root$needed"
    done
    mkdir -p /run/lock
    # A container's rule that services do not start, and its habit to delete packages.
    rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/apt/apt.conf.d/docker-clean"
    # An installed but sleeping systemd is taken for the one that manages services.
    rm -f "$root/usr/bin/systemctl" "$root/usr/sbin/init"
    mkdir -p "$root/var/cache/apt/archives/partial" "$root/run/lock"
    chroot "$root" dpkg --purge openntpd chrony cron >/dev/null 2>&1 # where this machine has them
    cp "$machine_archives"/*.deb "$root/var/cache/apt/archives/"
    ip link set lo up
    for last in 1 2 3 4; do ip address add "10.99.0.$last/32" dev lo; done
}

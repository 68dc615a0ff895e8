#!/usr/bin/env bash
# Called by machine.sh in namespaces: builds the copy, and plays there.
set -euo pipefail
mount -t tmpfs none "$folder"
mkdir "$folder"/{up,work,root}
root=$folder/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/up,workdir=$folder/work" "$root"
mount -t proc none "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs none "$root/run"
mount -t tmpfs none "$root/tmp"
mkdir -p "$root$top" /run/lock
mount --bind "$top" "$root$top"
# A container's rule that services do not start, and its habit to delete packages.
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/apt/apt.conf.d/docker-clean"
# An installed but sleeping systemd is taken for the one that manages services.
rm -f "$root/usr/bin/systemctl" "$root/usr/sbin/init"
mkdir -p "$root/var/cache/apt/archives/partial" "$root/run/lock"
chroot "$root" dpkg --purge openntpd chrony cron >/dev/null 2>&1  # where this machine has them
cp "$archives"/*.deb "$root/var/cache/apt/archives/"

ip link set lo up
for last in 1 2 3 4; do ip address add "10.99.0.$last/32" dev lo; done
python3 "$here/servers.py" & # ends with the namespace
chroot "$root" "$venv/bin/ansible-playbook" "$here/machine.yml" -e "program=$program top=$top" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
echo "role: package installed, service started, restarted on change and only then, repaired when blocked"

# In the daemon's place comes chrony. The check needs no option for it: there is no ntpctl any more.
printf 'server 10.99.0.%s iburst minpoll 0 maxpoll 1\n' 1 2 3 4 >"$root/tmp/chrony.conf"
{
    chroot "$root" apt-get -q -y install --no-install-recommends chrony
    # -x: it would not touch the clock if it were allowed to.
    chroot "$root" chronyd -x -u root -f /tmp/chrony.conf
} >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }

# Until the check says what is the case, with patience for a busy machine.
says() {
    local tries=0
    until chroot "$root" "$program" --json --probe --state-file /tmp/state.json >"$folder/answer" && "$venv/bin/python" "$here/answer.py" "$1" "$folder/answer"; do
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || { echo "expected $1, found $(cat "$folder/answer")" >&2; exit 1; }
        sleep 1
    done
}
says offset
kill "$(pgrep -x chronyd)"
says no_daemon
echo "chrony: a real one is asked, and missed when it is gone"

#!/usr/bin/env bash
# Called by machine.sh in namespaces: builds the copy, and plays there.
set -euo pipefail
. "$top/tests/setup/machine.sh"
machine_make "$folder"
root=$folder/root
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

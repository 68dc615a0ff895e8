#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Called by machine.sh in namespaces: builds the copy, and plays there.
set -euo pipefail
. "$top/tests/setup/machine.sh"
# shellcheck source=tests/patience.sh
. "$top/tests/patience.sh"
machine_make "$folder"
root=$folder/root
python3 "$here/servers.py"
chroot "$root" "$venv/bin/ansible-playbook" "$here/machine.yml" -e "program=$program top=$top looks=$(patience 120)" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
echo "role: package installed, service started, restarted on change and only then, repaired when blocked"

# In the daemon's place comes chrony. The check needs no option for it: there is no ntpctl any more.
printf 'server 10.99.0.%s iburst minpoll 0 maxpoll 1\n' 1 2 3 4 >"$root/tmp/chrony.conf"
{
    chroot "$root" apt-get -q -y install --no-install-recommends chrony
    # -x: it would not touch the clock if it were allowed to.
    chroot "$root" chronyd -x -u root -f /tmp/chrony.conf
} >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }

says() {
    chroot "$root" "$program" --json --probe --state-file /tmp/state.json >"$folder/answer" || return
    "$venv/bin/python" "$here/answer.py" "$1" "$folder/answer" || { cat "$folder/answer"; return 1; }
}
wait_for 300 "the check to say offset" says offset
kill "$(pgrep -x chronyd)"
wait_for 300 "the check to say no_daemon" says no_daemon
echo "chrony: a real one is asked, and missed when it is gone"

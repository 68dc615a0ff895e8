#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The role openntpd and the playbook ntp: first on this machine without touching its time daemon: configuration is checked by
# the daemon that tests/lab/ntp unpacks, cron's folder lies in a mount namespace of our own.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$top/tests/lab/ntp/roots.sh" >/dev/null

play() { "$venv/bin/ansible-playbook" "$@"; }

# The cron module looks for crontab even where it writes into /etc/cron.d only.
mkdir "$folder/bin"
printf '#!/bin/sh\nexit 1\n' >"$folder/bin/crontab"
chmod +x "$folder/bin/crontab"
export PATH=$folder/bin:$PATH

# The second run of the role must change nothing: all that is reported changed is the first.
export -f play
export folder
unshare --mount bash -euc '
    mkdir -p /etc/cron.d
    mount -t tmpfs none /etc/cron.d
    play "$here/test.yml" -e "folder=$folder validator=$here/validate.sh program=$program" >"$folder/log" || { cat "$folder/log"; exit 1; }
'
changed=$(sed '/^TASK .Refuse what cannot work/q' "$folder/log" | grep -c '^changed:') || true
# Configuration, folder, program, cron, NRPE: five, once.
[ "$changed" -eq 5 ] || { cat "$folder/log"; echo "expected 5 changes, found $changed" >&2; exit 1; }
echo "role: written once, refused when wrong"
"$here/apparmor.sh"

cp "$top/tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt" "$folder/good.txt"
cp "$top/tests/fixtures/ntpctl/7.9p1/incident2-03-leap+15min.all.txt" "$folder/bad.txt"
cat >"$folder/hosts.yml" <<EOF
all:
  vars: {ansible_connection: local, ansible_python_interpreter: "$venv/bin/python", ntp_become: false}
  hosts:
    hv1: {ntp_from_file: "$folder/good.txt"}
    hv2: {ntp_from_file: "$folder/bad.txt"}
    hv3: {ntp_from_file: "$folder/none.txt"}
    hv4: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}
    hv5: {ntp_from_file: "$folder/good.txt", ntp_offset_warning: much}
    hv6: {ntp_from_file: "$folder/good.txt", ntp_become: true, ansible_become_user: nobody, ansible_become_exe: "$folder/no-sudo"}
EOF
play -i "$folder/hosts.yml" apiary.bhyve.ntp >"$folder/log" || { cat "$folder/log"; exit 1; }
grep -q 'hv2   blocked (critical)  -984.3 ms  4/4    10.99.0.4 is counted as valid' "$folder/log" || { cat "$folder/log"; exit 1; }
grep -q 'hv1   ok (ok)             0.1 ms     4/4' "$folder/log" || { cat "$folder/log"; exit 1; }
grep -q 'hv3   unknown ' "$folder/log" || { cat "$folder/log"; echo "a host that cannot be asked is missing" >&2; exit 1; }
for host in hv4 hv5 hv6; do
    grep -q "^$host   unknown " "$folder/log" || { cat "$folder/log"; echo "$host fails, and is a gap in the table" >&2; exit 1; }
done
# One after the other, and one table all the same.
play -i "$folder/hosts.yml" apiary.bhyve.ntp -e ntp_repair=true --check >"$folder/log" || { cat "$folder/log"; exit 1; }
[ "$(grep -c 'TASK .Check the clock' "$folder/log") $(grep -c 'TASK .Show the fleet' "$folder/log")" = "6 1" ] || { cat "$folder/log"; exit 1; }
for host in hv1 hv2 hv3 hv4 hv5 hv6; do
    grep -q "^$host   [a-z]" "$folder/log" || { cat "$folder/log"; echo "$host is a gap in the table of repairs" >&2; exit 1; }
done
if play -i "$folder/hosts.yml" apiary.bhyve.ntp -e ntp_fail_on=critical >"$folder/log"; then
    cat "$folder/log"
    echo "a blocked daemon was tolerated" >&2
    exit 1
fi
grep -q '^hv1 .*failed=0' "$folder/log" && grep -q '^hv2 .*failed=1' "$folder/log" || { cat "$folder/log"; exit 1; }
echo "playbook: the table is shown, and it fails only where asked"

"$here/machine.sh"

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a look at a fleet costs: the playbook list with ten guests on each of a hundred hosts, beside one `raw: true` on each, over ssh with
# connections that are kept, as Ansible keeps them; without connections that are kept, too, as with the first look of a day. Fails where
# the bar is missed: tests/bench/list.sh [HOSTS [GUESTS [ROUNDS]]]
#
# All hosts are this machine, behind one sshd, with libvirt's driver for tests: what the programs do on a hundred hosts is on this one's clock,
# so the ratio is worse than with hosts that look side by side. In turns, the least of the rounds.
set -euo pipefail
hosts=${1:-100} guests=${2:-10} rounds=${3:-3}
APIARY_DEMO=$(mktemp -d /var/tmp/bench-list.XXXXXX)
export APIARY_DEMO ANSIBLE_FORKS=20 ANSIBLE_PIPELINING=true
# shellcheck source=tests/demo/common.sh
. "$(dirname "$0")/../demo/common.sh"
sshd=
trap 'part; [ -z "$sshd" ] || kill "$sshd"; libvirt_stop "$folder/libvirt"; rm -rf "$folder"' EXIT
"$top/tests/setup/packages.sh" openssh-client openssh-server
prepare_demo

port=$((20000 + RANDOM % 12000))
for key in host id; do ssh-keygen -q -t ed25519 -N '' -f "$folder/$key"; done
cat >"$folder/sshd_config" <<CONFIG
ListenAddress 127.0.0.1:$port
HostKey $folder/host
AuthorizedKeysFile $folder/id.pub
StrictModes no
PidFile none
MaxStartups 200
CONFIG
mkdir -p /run/sshd
/usr/sbin/sshd -D -e -f "$folder/sshd_config" 2>"$folder/sshd.log" &
sshd=$!

# A hypervisor of libvirt's driver for tests is a file: $folder/HOST.xml.
python - "$hosts" "$guests" "$folder" "$port" >"$folder/fleet.json" <<'PYTHON'
import json, sys

hosts, guests, (folder, port) = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
DOMAIN = "<domain type='test'><name>%s</name><memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>"
named = {}
for host in range(hosts):
    names = ["g%d-%d" % (host, number) for number in range(guests)]
    uri = "%s/hv%d.xml" % (folder, host)
    with open(uri, "w") as node:
        node.write("<node>%s</node>" % "".join(DOMAIN % name for name in names))
    guest = {"image": "demo-1.0-20261122", "vcpus": 1, "memory": "32M", "network": "user"}
    named["hv%d" % host] = {"guest_uri": "test://" + uri, "bhyve_guests": {name: guest for name in names}}
ssh = "-o ControlMaster=auto -o ControlPersist=600 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
common = {
    "ansible_host": "127.0.0.1", "ansible_port": int(port), "ansible_user": "root", "ansible_ssh_private_key_file": folder + "/id",
    "ansible_ssh_common_args": ssh + " -o ControlPath=" + folder + "/{{ inventory_hostname }}.ssh",
    "guest_folder": folder + "/volumes", "guest_image_store": folder + "/images",
}
print(json.dumps({"bhyve_hypervisors": {"hosts": named, "vars": common}}))
PYTHON
printf -- '- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.raw: "true"\n' >"$folder/raw.yml"

part() {
    local socket
    for socket in "$folder"/*.ssh; do
        [ ! -S "$socket" ] || ssh -q -O exit -o "ControlPath=$socket" x 2>/dev/null || true
    done
}
list() { ansible-playbook -i "$folder/fleet.json" apiary.bhyve.list; }
raw() { ansible-playbook -i "$folder/fleet.json" "$folder/raw.yml"; }

# Seconds on the clock.
spent() {
    local TIMEFORMAT='%R'
    { time "$@" >"$folder/log" 2>&1; } 2>"$folder/time" || { tail -40 "$folder/log" >&2; return 1; }
    cat "$folder/time"
}

spent list >/dev/null
cp "$folder/log" "$folder/table"
for _ in $(seq "$rounds"); do
    spent raw >>"$folder/raw_kept"
    spent list >>"$folder/list_kept"
done
for _ in $(seq "$rounds"); do
    part
    spent raw >>"$folder/raw_new"
    part
    spent list >>"$folder/list_new"
done
listed=$(grep -Ec '^g[0-9]+-[0-9]+ ' "$folder/table")
[ "$listed" = $((hosts * guests)) ] || { tail -40 "$folder/table" >&2; echo "expected $((hosts * guests)) guests in the table, found $listed" >&2; exit 1; }

least() { sort -n "$folder/$1" | head -1; }
echo "load $(cut -d' ' -f1 /proc/loadavg); $hosts hosts of $guests guests, on the clock, least of $rounds rounds"
for how in kept new; do
    awk -v how="$how" -v raw="$(least "raw_$how")" -v list="$(least "list_$how")" 'BEGIN {
        printf "  connections %-4s: list %7.2f s, raw: true %7.2f s, ratio %.2f (at most 1.3)\n", how, list, raw, list / raw
        exit list / raw > 1.3 }' || missed=1
done
exit "${missed:-0}"

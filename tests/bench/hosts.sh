#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What many hosts cost the controller: a deployment of ten guests on each of a hundred, of which only the domains are not there yet, beside
# five `raw: true` on each, which is the least that five exchanges with a host cost. With it, what parts of it cost by themselves: as many
# `raw: true` as the role has tasks for every host, and the play with the check of the role's arguments only:
# tests/bench/hosts.sh [HOSTS [GUESTS [ROUNDS]]]
#
# There is no bar: eight tasks that do nothing are eight fifths of five, and what is above them is what the tasks evaluate.
#
# Counted is processor time of ansible-playbook and what it starts, in turns, the least of the rounds: a busy machine changes the clock
# more. All hosts are this machine, so the programs that work on them are counted, too. Each has a libvirt of its own, the driver for tests,
# which forgets what was defined: only that is done again.
set -euo pipefail
hosts=${1:-100} guests=${2:-10} rounds=${3:-3}
APIARY_DEMO=$(mktemp -d /var/tmp/bench-hosts.XXXXXX)
export APIARY_DEMO ANSIBLE_FORKS=20 ANSIBLE_PIPELINING=true
# shellcheck source=tests/demo/common.sh
. "$(dirname "$0")/../demo/common.sh"
trap 'libvirt_stop "$folder/libvirt"; rm -rf "$folder"' EXIT
prepare_demo
"$top/tests/demo/make-disk.sh" "$folder/demo.raw" 20261122 1M
playbook publish >/dev/null

# What the demo says of its one hypervisor goes for all of them.
sed '/^bhyve_guests:/,$d; /^---$/d' "$folder/site/host_vars/hv1.yml" >>"$folder/site/group_vars/all.yml"
python - "$hosts" "$guests" >"$folder/many.json" <<'PYTHON'
import json, sys

hosts, guests = map(int, sys.argv[1:])
def guest(host, number):
    seed = {"addresses": ["10.%d.%d.1/8" % (host, number)], "family": "linux"}
    return {"image": "demo-1.0-20261122", "vcpus": 1, "memory": "32M", "network": "user", "state": "shutoff", "seed": seed}
named = {"hv%d" % host: {"bhyve_guests": {"g%d-%d" % (host, number): guest(host, number) for number in range(guests)}} for host in range(hosts)}
print(json.dumps({"bhyve_hypervisors": {"hosts": named, "vars": {"ansible_connection": "local", "guest_uri": "test:///default"}}}))
PYTHON
for tasks in 5 8; do
    printf -- '- hosts: all\n  gather_facts: false\n  tasks:\n' >"$folder/raw$tasks.yml"
    for _ in $(seq "$tasks"); do echo "    - ansible.builtin.raw: 'true'"; done >>"$folder/raw$tasks.yml"
done
# Beside the inventory, where Ansible looks for them.
cp -r "$folder/site/group_vars" "$folder/"

deploy() { playbook deploy -i "$folder/many.json" "$@"; }
raw() { ansible-playbook -i "$folder/many.json" "$folder/raw$1.yml"; }

# Seconds of processor time.
spent() {
    local TIMEFORMAT='%U %S'
    { time "$@" >"$folder/log" 2>&1; } 2>"$folder/time" || { tail -40 "$folder/log" >&2; return 1; }
    awk '{ printf "%.2f\n", $1 + $2 }' "$folder/time"
}

least() { sort -n "$folder/$1" | head -1; }

spent deploy >/dev/null
for _ in $(seq "$rounds"); do
    spent raw 5 >>"$folder/five"
    spent raw 8 >>"$folder/eight"
    # The check of the arguments always runs; nothing else has this tag.
    spent deploy --tags always >>"$folder/arguments"
    spent deploy >>"$folder/deploy"
done

echo "load $(cut -d' ' -f1 /proc/loadavg); $hosts hosts of $guests guests, processor time, least of $rounds rounds"
awk -v five="$(least five)" -v eight="$(least eight)" -v arguments="$(least arguments)" -v deploy="$(least deploy)" -v hosts="$hosts" '
    function say(label, seconds) { printf "  %-56s %7.2f s  %5.0f ms a host  ratio %.2f\n", label, seconds, 1000 * seconds / hosts, seconds / five }
    BEGIN {
        say("five times raw: true", five)
        say("eight times raw: true, as many tasks as the role has", eight)
        say("the play with the check of its arguments only", arguments)
        say("the deployment", deploy)
    }'

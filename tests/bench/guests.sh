#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a deployment of many guests costs on one host: unchanged, twenty beside one, with the exchanges that it takes; and the first one
# of twenty beside `virsh define` and `virsh start` in a loop over files that are there. Fails where a bar is missed:
# tests/bench/guests.sh [GUESTS]
set -euo pipefail
guests=${1:-20}
APIARY_DEMO=$(mktemp -d /var/tmp/bench-guests.XXXXXX)
export APIARY_DEMO
# shellcheck source=tests/demo/common.sh
. "$(dirname "$0")/../demo/common.sh"
trap '"$top/tests/demo/clean.sh" --quiet' EXIT
prepare_demo
"$top/tests/demo/make-disk.sh" "$folder/demo.raw" 20261122 64M
playbook publish >/dev/null

# The dictionary for the first $1 guests; none of them is waited for, as nobody waits in the loop of virsh.
name_guests() {
    local number
    sed -i '/^bhyve_guests:/,$d' "$folder/site/host_vars/hv1.yml"
    echo 'bhyve_guests:' >>"$folder/site/host_vars/hv1.yml"
    for number in $(seq "$1"); do
        echo "  guest$number: {image: demo-1.0-20261122, vcpus: 1, memory: 32M}"
    done >>"$folder/site/host_vars/hv1.yml"
}

seconds() {
    local started=$EPOCHREALTIME
    "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; return 1; }
    awk -v "from=$started" -v "to=$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", to - from }'
}

best() {
    for _ in 1 2 3; do seconds "$@"; done | sort -n | head -1
}

# Exchanges with the host: what Ansible runs there.
exchanges() {
    playbook deploy -vvv | grep -c '<hv1> EXEC'
}

say() {
    awk -v "label=$1" -v "ours=$2" -v "theirs=$3" -v "bar=$4" 'BEGIN {
        printf "%-44s %8s %8s  ratio %.2f (bar %s)\n", label, ours, theirs, ours / theirs, bar
        exit ours / theirs > bar
    }' || missed=1
}
missed=

name_guests 1
playbook deploy >/dev/null
one=$(best playbook deploy)
of_one=$(exchanges)
name_guests "$guests"
seconds playbook deploy >/dev/null
many=$(best playbook deploy)
of_many=$(exchanges)

echo "load $(cut -d' ' -f1 /proc/loadavg)"
say "unchanged, $guests guests beside one, seconds" "$many" "$one" 1.5
echo "exchanges with the host: $of_one for one, $of_many for $guests (bar 6)"
[ "$of_many" -le 6 ] || missed=1

# The same guests once more from nothing, in turns.
define_in_a_loop() {
    local number
    for number in $(seq "$guests"); do
        virsh -q -c "$LIBVIRT_URI" define "$folder/guest$number.xml"
        virsh -q -c "$LIBVIRT_URI" start "guest$number"
    done
}
forget() {
    local number
    for number in $(seq "$guests"); do
        virsh -q -c "$LIBVIRT_URI" destroy "guest$number"
        virsh -q -c "$LIBVIRT_URI" undefine "guest$number"
    done >/dev/null
}
for number in $(seq "$guests"); do
    virsh -q -c "$LIBVIRT_URI" dumpxml --inactive "guest$number" >"$folder/guest$number.xml"
done
for _ in 1 2; do
    forget
    seconds define_in_a_loop >>"$folder/loop"
    forget
    seconds playbook deploy >>"$folder/first"
done
say "first start of $guests, seconds, beside virsh" "$(sort -n "$folder/first" | head -1)" "$(sort -n "$folder/loop" | head -1)" 1.3
[ -z "$missed" ] || { echo "a bar was missed" >&2; exit 1; }

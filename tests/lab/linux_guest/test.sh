#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The whole chain with a real Linux: a disk is published, fetched, received, seeded, booted by libvirt with an emulated
# processor, and asked over ssh whether it is who it should be. Everything but the setting up runs in a network
# namespace of its own, with a bridge in it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
# shellcheck source=tests/patience.sh
. "$top/tests/patience.sh"

fail() {
    echo "linux guest: $*" >&2
    exit 1
}

[ "$(id -u)" -eq 0 ] || fail "needs root, for a bridge and for libvirt's own folders"

if [ -z "${LINUX_GUEST_LAB:-}" ]; then
    "$top/tests/setup/packages.sh" iproute2 libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-log \
        openssh-client pkg-config gcc qemu-system-x86 util-linux
    "$top/modules/install.sh"
    venv=$("$top/tests/setup/venv.sh" newest)
    disk=$("$here/disk.sh")
    # Short, because libvirt's socket is in it.
    LINUX_GUEST_LAB=$(mktemp -d /var/tmp/apiary-XXXXXX)
    mkdir -p "$LINUX_GUEST_LAB"/{catalog,images,volumes,consoles} "$top/.cache/collections/ansible_collections/apiary"
    install -d -m 0700 "$LINUX_GUEST_LAB/keys"
    cp -r "$here/site" "$LINUX_GUEST_LAB/site"
    ln -s "$disk" "$LINUX_GUEST_LAB/disk.raw"
    ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
    export LINUX_GUEST_LAB PATH=$venv/bin:$PATH
    # Two emulated machines starve each other.
    . "$top/tests/setup/cache.sh"
    cache_lock emulated
    # Two minutes where nobody else works; whatever hangs in it, it ends, and leaves time to try it once more.
    exec timeout --kill-after="$(patience 60)" "$(patience 900)" unshare --net "$here/test.sh"
fi

# shellcheck source=tests/lab/libvirt.sh
. "$top/tests/lab/libvirt.sh"
lab=$LINUX_GUEST_LAB
export ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections ANSIBLE_CONFIG=$lab/site/ansible.cfg

# Also where its processors stand: an emulated machine may hang before its first word.
say_what_is_known() {
    virsh -c "$LIBVIRT_URI" qemu-monitor-command lin1 --hmp 'info registers -a' | grep -E 'CPU#|[ER]IP'
    tail -n 40 "$lab"/consoles/*.log "$lab"/libvirt/log/qemu/*.log "$lab"/libvirt/log/*.log
}

clean() {
    status=$?
    [ "$status" = 0 ] || say_what_is_known >&2 || true
    libvirt_stop "$lab/libvirt"
    rm -rf "$lab"
    exit "$status"
}
trap clean EXIT

# playbook NAME EXPECTED...: fails where the recap has not the words EXPECTED. It runs where the daemon has its folders over
# libvirt's own, as on a machine that has but one: at the usual address, with the logs in the usual place.
playbook() {
    echo "== $1"
    (cd "$lab/site" && nsenter --mount="/proc/$(cat "$lab/libvirt/daemon.pid")/ns/mnt" ansible-playbook "apiary.bhyve.$1" \
        -e "lab=$lab" -e "lab_boot_limit=$(patience 300)" "${@:3}") 2>&1 | tee "$lab/log" ||
        fail "the playbook $1 failed"
    grep -Eq "^hv1 .*$2" "$lab/log" || fail "expected '$2' in the recap of $1"
}

guest() {
    ssh -i "$lab/keys/ssh" -o BatchMode=yes -o LogLevel=ERROR -o "ConnectTimeout=$(patience 60)" \
        -o StrictHostKeyChecking=accept-new -o "UserKnownHostsFile=$lab/known_hosts" "ada@${address:-192.0.2.11}" "$@"
}

# expect WHAT WANTED COMMAND...: what the guest answers. All are asked, whatever the first ones say: a boot is dear.
wrong=0
expect() {
    local found
    found=$(guest "${@:3}" 2>&1) || found="status $? and: $found"
    if [ "$found" = "$2" ]; then
        echo "$1: $found"
    else
        wrong=$((wrong + 1))
        printf 'linux guest: expected %s\n%s\nfound\n%s\n' "$1" "$2" "$found" >&2
    fi
}

ip link set lo up
ip link add br0 type bridge
ip address add 192.0.2.1/24 dev br0
ip address add 2001:db8::1/64 dev br0 nodad
ip link set br0 up
ssh-keygen -q -t ed25519 -N '' -f "$lab/keys/ssh"
libvirt_start "$lab/libvirt"

playbook publish 'changed=[12] .*failed=0'
started=$SECONDS
playbook deploy 'changed=[1-9].*failed=0'
echo "deployed, and port 22 open, after $((SECONDS - started)) s"

echo "== who the guest says it is"
expect "outcome of cloud-init" "status: done" "cloud-init status --wait | tr -d '.\n'"
expect "host name" lin1.example.org hostname --fqdn
expect "IPv4 address" 192.0.2.11/24 "ip -o -4 address show eth0 | awk '{print \$4}'"
expect "IPv6 address" 2001:db8::11/64 "ip -o -6 address show eth0 scope global | awk '{print \$4}'"
expect "IPv4 router" 192.0.2.1 "ip -4 route show default | awk '{print \$3}'"
expect "IPv6 router" 2001:db8::1 "ip -6 route get 2001:db8:1::1 | sed -n 's/.* via \\([^ ]*\\) .*/\\1/p'"
expect "mtu" 1400 cat /sys/class/net/eth0/mtu
expect "name servers" "DNS=192.0.2.53 Domains=example.org" "sudo sh -c 'cat /etc/systemd/network/*.network' | grep -E '^(DNS|Domains)=' | LC_ALL=C sort | xargs"
expect "MAC address" "$(virsh -c "$LIBVIRT_URI" dumpxml lin1 | sed -n "s/.*mac address='\(.*\)'.*/\1/p")" cat /sys/class/net/eth0/address
expect "instance id" "$(virsh -c "$LIBVIRT_URI" domuuid lin1 | head -n 1)" "sudo cat /var/lib/cloud/data/instance-id"
expect "groups" "ada adm" id -nG
expect "password" "$(sed -n 's/ *password_hash: //p' "$lab/site/host_vars/hv1.yml")" "sudo getent shadow ada | cut -d: -f2"
expect "time zone" Europe/Berlin "readlink /etc/localtime | cut -d/ -f5-"
expect "file" "$(printf 'ada adm 640\nit'"'"'s "größe"\n\ttab, back\\slash, #hash: yes')" "stat -c '%U %G %a' /srv/greeting; cat /srv/greeting"
expect "run command" "it's done" sudo cat /srv/ran
address=2001:db8::11 expect "login over IPv6" ada whoami
[ "$wrong" -eq 0 ] || fail "$wrong answers are not as expected"

echo "== and again"
playbook deploy 'changed=0 .*failed=0'
playbook deploy 'changed=1 .*failed=0' --check --diff -e lab_hostname=lin2.example.org
grep -q 'takes effect when it is redeployed' "$lab/log" || fail "expected a word on the redeploy that a changed seed needs"
! grep -q apiaryseed "$lab/log" || fail "the difference shows the password hash"
playbook remove 'changed=[1-9].*failed=0' -e bhyve_remove=all
left=$(find "$lab/volumes" "$lab/seeds" -type f)
[ -z "$left" ] || fail "expected no volume and no seed left, found: $left"
echo "1 passed, 0 failed"

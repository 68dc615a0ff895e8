#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job for real: a disk becomes an image in a signed catalogue, three guests are deployed from
# it and boot; a second run changes nothing; check mode shows what one altered line would change.
set -euo pipefail
# shellcheck source=tests/demo/common.sh
. "$(dirname "$0")/common.sh"

step() {
    printf '\n\033[1m== %s\033[0m\n' "$*"
}

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Runs a playbook, keeps what it printed, and fails where its recap has not the words $2.
playbook_expecting() {
    local log=$folder/log-$1.txt
    playbook "$1" "${@:3}" | tee "$log"
    sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -Eq "^hv1 .*$2" || fail "expected '$2' in the recap of $1"
}

started=$SECONDS
step "Setting up"
prepare_demo
echo "ready after $((SECONDS - started)) s; everything is in $folder"

step "A bootable disk of our own, mostly holes"
"$top/tests/demo/make-disk.sh" "$folder/demo.raw" 20261122 64M
du -h --apparent-size "$folder/demo.raw" | cut -f1 | xargs echo "size:"
du -h "$folder/demo.raw" | cut -f1 | xargs echo "on disk:"

step "Publishing it as image demo-1.0-20261122 in a signed catalogue"
playbook_expecting publish 'changed=[12] .*failed=0'
ls -l "$folder/catalog" "$folder/catalog/All"

step "Deploying three guests"
playbook_expecting deploy 'changed=[1-9].*failed=0'

step "What they wrote on their consoles"
for guest in web1 web2 db1; do
    grep -aH 'demo guest 20261122 is up' "$folder/consoles/$guest.log" || fail "no banner on the console of $guest"
done
virsh -c "$LIBVIRT_URI" list --all

step "The same playbook again: nothing changes"
playbook_expecting deploy 'changed=0 .*failed=0'

step "What would more memory for web2 change? Check mode with --diff"
sed -i '/web2:/,/memory:/ s/memory: .*/memory: 64M/' "$folder/site/host_vars/hv1.yml"
playbook_expecting deploy 'changed=1 .*failed=0' --check --diff
grep -q '^+.*64' "$folder/log-deploy.txt" || fail "expected the diff to show the new memory"

step "Done in $((SECONDS - started)) s; 'make demo-clean' removes it all"

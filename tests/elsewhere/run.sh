#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The collection as somebody else has it: built into an artifact, installed into an infrastructure repository outside of
# this tree, and used from there by plain playbooks, with nothing else of ours. A guest boots for real.
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
tests/setup/packages.sh binutils gcc libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-log \
    pkg-config qemu-system-x86 util-linux
platform=$("$top/modules/platform.sh")
[ -e "native/$platform/apiary" ] || modules/install.sh
venv=$(tests/setup/venv.sh newest)
PATH=$venv/bin:$PATH

# Short, because libvirt's socket is in it.
work=$(mktemp -d /var/tmp/apiary-XXXXXX)
. tests/lab/libvirt.sh
trap 'virsh -q -c "$LIBVIRT_URI" destroy web1 >/dev/null 2>&1 || true; libvirt_stop "$work/libvirt"
    rm -rf --one-file-system "$work"' EXIT
libvirt_start "$work/libvirt"
mkdir "$work/home" "$work/artifact" "$work"/{volumes,images,consoles}
cp -r tests/elsewhere/infra "$work/infra"
tests/demo/make-disk.sh "$work/disk.raw" 77 16M
ansible-galaxy collection build --output-path "$work/artifact" >"$work/log"
artifact=$(ls "$work"/artifact/apiary-bhyve-*.tar.gz)
du -h "$artifact" | sed "s|$work/artifact/||"

cd "$work/infra"
printf 'collections:\n  - name: %s\n    type: file\n' "$artifact" >requirements.yml
# What Ansible keeps for itself goes to a home of this test's.
export HOME=$work/home
ansible-galaxy collection install --offline --requirements-file requirements.yml --collections-path collections >>"$work/log"
installed=$work/infra/collections/ansible_collections/apiary/bhyve
native=plugins/plugin_utils/_native/$platform
for program in "$top/$native"/*; do
    cmp "$program" "$installed/$native/$(basename "$program")"
    [ ! -L "$program" ] || [ -L "$installed/$native/$(basename "$program")" ]
done

play() {
    ansible-playbook site.yml -e "work=$work" -e "uri=$LIBVIRT_URI" "$@" | tee "$work/log"
}
play
grep -Eq '^metal1 .*failed=0' "$work/log"
grep -q 'platform team' "$work/motd"
grep -aq 'demo guest 77 is up' "$work/consoles/web1.log"
play >/dev/null
grep -Eq '^metal1 .*changed=0 .*failed=0' "$work/log"
# Its programs came from the installed copy, and were kept once for all modules.
ls "$work"/home/.cache/apiary.bhyve/
[ "$(find "$work/home/.cache/apiary.bhyve" -type f | wc -l)" -le 2 ]
echo "1 passed, 0 failed"

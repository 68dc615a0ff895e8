# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What demo.sh and clean.sh share: where the demo keeps everything, and how it calls Ansible.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Short, because libvirt's socket is in it; of this user alone, because the demo's signing key is in it.
folder=${APIARY_DEMO:-/var/tmp/apiary-demo-$(id -u)}

# shellcheck source=tests/lab/libvirt.sh
. "$top/tests/lab/libvirt.sh"

# The collection where ansible-core looks for one, and a pinned ansible-core.
prepare_ansible() {
    local venv
    venv=$("$top/tests/setup/venv.sh" newest)
    PATH=$venv/bin:$PATH
    mkdir -p "$top/.cache/collections/ansible_collections/apiary"
    ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
    export ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections ANSIBLE_CONFIG=$folder/site/ansible.cfg
    # Colours only for a person.
    [ ! -t 1 ] || export ANSIBLE_FORCE_COLOR=1
}

# Everything the playbooks of the demo's site need: packages, programs, Ansible, an empty folder, a libvirtd.
prepare_demo() {
    "$top/tests/setup/packages.sh" binutils gcc libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu \
        libvirt-daemon-log pkg-config qemu-system-x86 util-linux
    "$top/modules/install.sh"
    prepare_ansible
    "$top/tests/demo/clean.sh" --quiet
    install -d -m 0700 "$folder" "$folder/keys"
    mkdir -p "$folder/catalog" "$folder/images" "$folder/volumes" "$folder/consoles"
    cp -r "$top/tests/demo/site" "$folder/site"
    libvirt_start "$folder/libvirt"
    echo "$LIBVIRT_URI" >"$folder/libvirt/uri"
}

playbook() {
    (cd "$folder/site" && ansible-playbook "apiary.bhyve.$1" \
        -e "demo_folder=$folder" -e "demo_uri=${LIBVIRT_URI:-}" "${@:2}")
}

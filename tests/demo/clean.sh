#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Removes what demo.sh made: the guests by playbook, then libvirtd, then the folder.
set -euo pipefail
# shellcheck source=tests/demo/common.sh
. "$(dirname "$0")/common.sh"

[ -d "$folder" ] || exit 0
# Quiet, it reads all the same: Ansible warns of a pipe that nobody reads.
say() {
    if [ "${1:-}" = --quiet ]; then cat >/dev/null; else cat; fi
}

if [ -e "$folder/libvirt/daemon.pid" ] && kill -0 "$(cat "$folder/libvirt/daemon.pid")" 2>/dev/null; then
    prepare_ansible
    LIBVIRT_URI=$(cat "$folder/libvirt/uri")
    playbook remove -e bhyve_remove=all | say "$@"
    if [ -n "$(ls -A "$folder/volumes")" ]; then
        echo "demo: expected no volume left, found: $(ls -A "$folder/volumes")" >&2
        exit 1
    fi
fi
libvirt_stop "$folder/libvirt"
rm -rf "$folder"

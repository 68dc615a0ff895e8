# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by the tests of this folder: the collection as this tree, and Ansible's newest version that is tested.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
program=${NTPD_CHECK:-$top/native/$("$top/modules/platform.sh")/ntpd_check}
venv=$("$top/tests/setup/venv.sh" newest)
mkdir -p "$top/.cache/collections/ansible_collections/apiary"
ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
export here top program venv
export ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
export ANSIBLE_NOCOLOR=1 ANSIBLE_RETRY_FILES_ENABLED=false

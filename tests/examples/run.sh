#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every example of the documentation, as it is written: tests/examples/run.sh [PYTEST ARGUMENTS...]. Needs root, for namespaces.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" binutils cpio gcc libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-log \
    nginx-light openssh-client openssh-server openssl qemu-system-x86 qemu-utils sudo util-linux xz-utils
"$top/modules/install.sh"
venv=$("$top/tests/setup/venv.sh" newest)
mkdir -p "$top/.cache/collections/ansible_collections/apiary"
ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
. "$top/tests/setup/machine.sh"
machine_fetch
cd "$top/tests/examples"
PATH=$venv/bin:$PATH exec "$venv/bin/python" -m pytest -q -p no:cacheprovider --durations=8 "$@"

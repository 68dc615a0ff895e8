#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The second day as one story, on a machine with real ZFS, libvirt and qemu: tests/story/run.sh [PYTEST-ARGUMENT...]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" binutils cpio gcc libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-log \
    openssh-client qemu-system-x86 zfsutils-linux zstd
"$top/modules/install.sh"
venv=$("$top/tests/setup/venv.sh" newest)
cd "$top/tests/story"
PATH=$venv/bin:$PATH exec "$venv/bin/python" -m pytest -q -p no:cacheprovider --durations=8 "$@"

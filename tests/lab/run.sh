#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The programs that need a real libvirt, against one of their own: tests/lab/run.sh [PYTEST ARGUMENTS...]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" binutils gcc libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-log \
    python3-apt qemu-system-x86 util-linux
venv=$("$top/tests/setup/venv.sh" newest)
cd "$top"
modules/install.sh
PATH=$venv/bin:$PATH exec "$venv/bin/python" -m pytest -q -p no:cacheprovider --import-mode=importlib --durations=5 \
    "${@:-tests/lab}"

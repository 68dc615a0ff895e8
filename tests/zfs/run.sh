#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests on a machine with real ZFS: tests/zfs/run.sh [PYTEST-ARGUMENT...]. ZFS_RECEIVE names another program than the one built here.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" cpio gcc openssh-client qemu-system-x86 zfsutils-linux
"$top/modules/install.sh"
venv=$("$top/tests/setup/venv.sh" newest)
cd "$top/tests/zfs"
PATH=$venv/bin:$PATH exec "$venv/bin/python" -m pytest -q -p no:cacheprovider --durations=8 "$@"

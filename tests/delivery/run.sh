#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The delivery tests, on the oldest and the newest ansible-core that the collection declares.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" acl busybox-static fish openssh-client openssh-server openssl sudo tcsh
for name in oldest newest; do
    venv=$("$top/tests/setup/venv.sh" "$name")
    "$venv/bin/ansible" --version | sed -n 1p
    "$venv/bin/python" -m pytest -q -p no:cacheprovider "$top/tests/delivery" "$@"
done

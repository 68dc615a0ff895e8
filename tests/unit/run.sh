#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The plugins' unit tests, on the oldest and the newest ansible-core that the collection declares, and those between that are still supported;
# or on some of them: tests/unit/run.sh [oldest|core-2.19|core-2.20|newest...]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$top/.cache/collections/ansible_collections/apiary"
ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
[ $# -gt 0 ] || set -- oldest core-2.19 core-2.20 newest
for name in "$@"; do
    venv=$("$top/tests/setup/venv.sh" "$name")
    "$venv/bin/pip" show ansible-core 2>/dev/null | sed -n "s/^Version:/ansible-core/p"
    (cd "$top/.cache/collections/ansible_collections/apiary/bhyve" &&
        PYTHONPATH=$top/.cache/collections ANSIBLE_INVENTORY_ENABLED=yaml,apiary.bhyve.guests ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections \
            "$venv/bin/python" -m pytest -q -p no:cacheprovider --import-mode=importlib tests/unit)
done

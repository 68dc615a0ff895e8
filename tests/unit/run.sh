#!/usr/bin/env bash
# The plugins' unit tests, on the oldest and the newest ansible-core that the collection declares.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$top/.cache/collections/ansible_collections/apiary"
ln -sfn "$top" "$top/.cache/collections/ansible_collections/apiary/bhyve"
for name in oldest newest; do
    venv=$("$top/tests/setup/venv.sh" "$name")
    echo "$("$venv/bin/ansible" --version | head -n 1)"
    (cd "$top/.cache/collections/ansible_collections/apiary/bhyve" &&
        PYTHONPATH=$top/.cache/collections ANSIBLE_COLLECTIONS_PATH=$top/.cache/collections \
            "$venv/bin/python" -m pytest -q -p no:cacheprovider tests/unit)
done

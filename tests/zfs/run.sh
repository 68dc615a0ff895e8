#!/usr/bin/env bash
# Tests on a machine with real ZFS: tests/zfs/run.sh [PYTEST-ARGUMENT...]. ZFS_RECEIVE names another program than make build's.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
venv=$("$top/tests/setup/venv.sh" newest)
cd "$top/tests/zfs"
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider "$@"

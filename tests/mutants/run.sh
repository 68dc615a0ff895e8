#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Mutants of real streams: tests/mutants/run.sh makes MUTANTS (1000) by a fixed seed and as many by a fresh one;
# tests/mutants/run.sh SEED NUMBER makes one of them again. ZFS_RECEIVE names another program than the one built here.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" gcc zfsutils-linux
[ -n "${ZFS_RECEIVE:-}" ] || "$top/modules/install.sh"
python=$("$top/tests/setup/venv.sh" newest)/bin/python
if [ $# = 2 ]; then
    PYTHONPATH=$top/tests exec "$python" -m mutants.campaign "$@"
fi
exec "$python" -m pytest -q -p no:cacheprovider --durations=3 "$@" "$top/tests/mutants"

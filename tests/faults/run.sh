#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The programs when the system lets them down: see sweep.py for the arguments. SEED may be set to repeat a run by chance.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/setup/packages.sh gcc pkg-config qemu-utils strace
python=$(tests/setup/venv.sh newest)/bin/python
modules/install.sh
# That the sweep sees what is wrong, on programs that do it wrong.
[ $# -gt 0 ] || "$python" -m pytest -q -p no:cacheprovider tests/faults
PYTHONPATH=tests exec "$python" tests/faults/sweep.py "$@"

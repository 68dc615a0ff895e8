#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# libvirt_domain on libvirt's own bhyve driver: tests/bhyve/run.sh [PYTEST ARGUMENTS...]. Needs root, for its namespaces.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
BHYVE_DRIVER=$(tests/bhyve/driver.sh)
export BHYVE_DRIVER
venv=$(tests/setup/venv.sh newest)
modules/install.sh
PATH=$venv/bin:$PATH "$venv/bin/python" -m pytest -q -p no:cacheprovider --import-mode=importlib --durations=5 "${@:-tests/bhyve}"
[ $# -ne 0 ] || tests/bhyve/demo.sh

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Seeds of guest_seed as Debian's own cloud-init reads them: tests/cloud_init/run.sh [PYTEST ARGUMENTS...]. Needs root, for a
# network namespace in which ifupdown brings an interface up.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
. tests/setup/cache.sh
tests/setup/packages.sh gcc iproute2 mtools pkg-config util-linux
modules/install.sh
# The newest one stays what it was when this was made; the folder may be deleted at any time.
CLOUD_INIT=$(cached cloud-init "$(cache_key <tests/cloud_init/fetch.sh)" "$top/tests/cloud_init/fetch.sh")
export CLOUD_INIT
exec "$(tests/setup/venv.sh cloud_init)/bin/python" -m pytest -q -p no:cacheprovider --import-mode=importlib --durations=3 "${@:-tests/cloud_init}"

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The second day as one story, on a machine with real ZFS, libvirt and qemu: tests/story/run.sh [PYTEST-ARGUMENT...]
set -euo pipefail
. "$(dirname "$0")/setup.sh"
cd "$top/tests/story"
exec python -m pytest -q -p no:cacheprovider --durations=8 "$@"

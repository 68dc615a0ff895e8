#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How long a guest is off while the playbook move brings it to another host, beside the same by hand, on the machine with real ZFS, libvirt
# and qemu (tests/story). The machine is emulated: compare the columns of one run, do not take its seconds for those of a real host. Fails
# where the bar is missed: tests/bench/move.sh [MIB [ROUNDS]], with MIB of data on the guest's disk.
set -euo pipefail
. "$(dirname "$0")/../story/setup.sh"
export PYTHONPATH=$top/tests:$top/tests/zfs:$top/tests/story
exec python "$top/tests/bench/move.py" "$@"

#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A real OpenNTPD under a virtual clock: tests/lab/ntp/run.sh [SCENARIO...], all of them by default.
# ROUNDS=6 plays each six times, all but the first time varied by a seed; SEED=4 plays one such round alone.
# Needs root (namespaces, chroot), gcc, iproute2, util-linux, python3 and a Debian mirror in apt's sources.
# Every process lives in namespaces of its own and ends with them; the machine's clock cannot be reached.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../setup/cache.sh"
OPENNTPD_ROOTS=$("$here/roots.sh")
export OPENNTPD_ROOTS PYTHONPATH=$here/../..
cache_lock openntpd
exec unshare --net --mount --pid --fork --kill-child --mount-proc \
    setpriv --bounding-set -sys_time --inh-caps -sys_time python3 "$here/run.py" "$@"

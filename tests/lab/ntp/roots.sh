#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the folder with the daemons that roots.py has unpacked, once a machine. A version that was not to be had is asked for again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../setup/cache.sh"
OPENNTPD_ROOTS=$(cached openntpd "$(cache_key <"$here/roots.py")" true)
export OPENNTPD_ROOTS
cache_lock openntpd
python3 "$here/roots.py" >&2
echo "$OPENNTPD_ROOTS"

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The role openntpd as users run it: package, service, restart and repair for real, in a copy of this system that is thrown away.
# Then the same check on a host with chrony.
set -euo pipefail
. "$(dirname "$0")/settings.sh"

. "$top/tests/setup/machine.sh"
machine_fetch

folder=$(mktemp -d)
trap 'rmdir "$folder"' EXIT
export folder
"${machine_namespaces[@]}" "$here/inside.sh"

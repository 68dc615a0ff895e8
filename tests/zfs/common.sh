# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Where the guest's files are, and the few verbs every script here uses. Sourced, not run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../setup/cache.sh"
. "$here/../patience.sh"
state=$(cd "$here/../.." && pwd)/.cache/zfs-host
run=$state/run # of the machine that runs for this tree
current=$state/current # what it boots from: a link into the user's cache

die() {
    echo "tests/zfs: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Where the guest's files are, and the few verbs every script here uses. Sourced, not run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache/zfs-host
run=$cache/run
current=$cache/current

die() {
    echo "tests/zfs: $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# One at a time in this cache: `build` and `start` change it.
only_one() {
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock -w 1800 9 || die "another run has held $cache/lock for half an hour"
}

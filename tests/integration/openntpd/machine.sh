#!/usr/bin/env bash
# The role openntpd as users run it: package, service, restart and repair for real, in a copy of this system that is thrown away.
# Then the same check on a host with chrony. The copy is an overlay in namespaces of its own, with a network of its own and without CAP_SYS_TIME: nothing is installed on
# this machine, no packet leaves it, and its clock cannot be reached.
set -euo pipefail
. "$(dirname "$0")/settings.sh"

# What will be installed, fetched beforehand: the copy has no way out. The two daemons exclude each other.
export archives=$top/.cache/openntpd-packages
mkdir -p "$archives/partial"
for daemon in openntpd chrony; do
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o APT::Sandbox::User=root -o Dir::Cache::archives="$archives" \
        install --download-only --reinstall --no-install-recommends "$daemon" cron python3-apt >"$archives/log" 2>&1 || { cat "$archives/log"; exit 1; }
done

folder=$(mktemp -d)
trap 'rmdir "$folder"' EXIT
export folder
unshare --net --mount --pid --fork --kill-child --mount-proc \
    setpriv --bounding-set -sys_time --inh-caps -sys_time "$here/inside.sh"

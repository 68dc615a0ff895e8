#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the path of the Linux guest's disk, made once a machine for each version of its packages and of its recipe.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../setup/cache.sh"
"$here/../../setup/packages.sh" mmdebstrap e2fsprogs fdisk grub-common grub-pc-bin >&2

key=$({
    cat "$here/build.sh"
    apt-cache show --no-all-versions linux-image-cloud-amd64 cloud-init openssh-server systemd | grep -E '^(Package|Version):'
} | cache_key)
echo "$(cached linux-guest "$key" "$here/build.sh")/disk.raw"

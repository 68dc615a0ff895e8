#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures zfs_receive beside bare zfs commands on the machine with real ZFS (tests/zfs/host.sh): one image plain and packed, and
# twenty guests. The machine is emulated: compare the columns of one run, do not take its seconds for those of a real host. Fails where
# the guests miss their bar: tests/bench/zfs.sh [MIB [guests]], with the second word without the images.
set -euo pipefail
cd "$(dirname "$0")/../.."
host=tests/zfs/host.sh
size=${1:-1536} # MiB of the volume: a third random, a third text, a third empty

program=native/linux-x86_64/zfs_receive
cargo build --release --locked --quiet -p zfs_stream --example write_stream
[ -x "$program" ] || { echo "bench: $program is not there: run 'make build'" >&2; exit 1; }
$host build
# The streams are kept in memory, as the page cache would, beside the ARC of 256 MiB.
ZFS_HOST_MEMORY=6144 $host start
trap '$host stop' EXIT
$host push "$program" target/release/examples/write_stream tests/bench/zfs_guest.py tests/patience.py
$host ssh "zpool create -f -O compression=lz4 tank /dev/vdb && zfs create tank/images && zfs create tank/vm && python3 /root/zfs_guest.py $size ${2:-all}"

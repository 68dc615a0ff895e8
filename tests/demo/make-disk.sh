#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a bootable raw disk, all holes but for its first and last sector. A guest that boots it writes
# "apiary demo guest VERSION is up" to its first serial port. With "obeys" it goes off when its power button is pressed.
set -eu

if [ $# -ne 3 ] && [ "$#/${4-}" != 4/obeys ]; then
    echo "usage: make-disk.sh DISK VERSION SIZE [obeys]   (SIZE as truncate takes it: 64M)" >&2
    exit 2
fi
disk=$1 version=$2 size=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rm -f "$disk"
truncate -s "$size" "$disk"
last=$(($(stat -c %s "$disk") / 512 - 1))
as --32 --defsym BANNER_SECTOR="$last" ${4:+--defsym OBEYS=1} -o "$work/boot.o" "$here/boot.s"
ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$work/boot" "$work/boot.o"
printf 'apiary demo guest %s is up\r\n' "$version" >"$work/banner"
dd if="$work/boot" of="$disk" conv=notrunc status=none
dd if="$work/banner" of="$disk" bs=512 seek="$last" conv=notrunc,sync status=none

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds libvirt with its bhyve driver for this Linux: tests/bhyve/build.sh FOLDER.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "$0")" && pwd)

"$here/source.sh" "$folder"
cd "$folder"
ninja -C build src/libvirtd src/libvirt_driver_bhyve.so
mkdir -p lib sbin
cp build/src/libvirtd sbin/
cp -a build/src/libvirt*.so* lib/
rm -rf source build sources.list
for program in bhyve bhyvectl; do cc -O1 -Wall -Wextra -o "sbin/$program" "$here/stand_ins/$program.c"; done
cp "$here"/stand_ins/{bhyveload,grub-bhyve} sbin/

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Gives every program its own name in a platform's folder: modules/links.sh FOLDER. Each is a link to the one file that
# holds them all, apiary, or to apiary_libvirt where those that open libvirt had to be built apart. The names are those of
# its own table.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "${1:?"usage: modules/links.sh FOLDER"}"

# People who work on the tree find the programs in native/.
if [ ! -L "$top/native" ]; then
    rm -rf "$top/native"
    ln -s plugins/plugin_utils/_native "$top/native"
fi

sed -n 's/^    ("\([a-z_]*\)", .*/\1/p' "$top/modules/apiary/src/programs.rs" | while IFS= read -r name; do
    file=apiary
    case $name in libvirt_*) [ ! -e apiary_libvirt ] || file=apiary_libvirt ;; esac
    [ "$(readlink "$name")" = "$file" ] || ln -sfn "$file" "$name"
done

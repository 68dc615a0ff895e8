#!/usr/bin/env bash
# Gives every program its own name in a folder of native/: modules/links.sh FOLDER. Each is a link to the one file that
# holds them all, apiary, or to apiary_libvirt where those that open libvirt had to be built apart.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "${1:?"usage: modules/links.sh FOLDER"}"

for main in "$top"/modules/*/src/main.rs; do
    name=$(basename "$(dirname "$(dirname "$main")")") file=apiary
    case $name in
    apiary) continue ;;
    libvirt_*) [ ! -e apiary_libvirt ] || file=apiary_libvirt ;;
    esac
    [ "$(readlink "$name")" = "$file" ] || ln -sfn "$file" "$name"
done

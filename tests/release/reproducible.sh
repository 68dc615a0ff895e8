#!/usr/bin/env bash
# Builds one platform again from the same source in another folder, and compares the bytes with what native/ holds:
# tests/release/reproducible.sh [OS-ARCH]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
platform=${1:-linux-x86_64}
copy=$(mktemp -d /var/tmp/apiary-again.XXXXXX)
trap 'rm -rf --one-file-system "$copy"' EXIT
git -C "$top" ls-files -z -- Cargo.toml Cargo.lock modules tests/setup tests/requirements |
    tar -C "$top" --null --files-from - --create | tar -C "$copy" --extract
mkdir "$copy/.cache"
# The cross linker is no part of the source.
ln -s "$("$top/tests/setup/venv.sh" cross)" "$copy/.cache/venv-cross"
"$copy/modules/dist.sh" "$platform"
for file in "$top/native/$platform"/*; do
    [ -L "$file" ] || cmp "$file" "$copy/native/$platform/$(basename "$file")"
done
echo "$platform: the same bytes from another folder"

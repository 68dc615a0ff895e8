#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a release is made of: every platform's programs and the artifact, made in a copy of the tree, because other tests
# use the programs in this one. Then one platform's once more, in another folder: the bytes must be the same.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" binutils gcc git libc6-arm64-cross qemu-user-static
copy=$top/.cache/release again=$(mktemp -d /var/tmp/apiary-again.XXXXXX)
trap 'rm -rf --one-file-system "$again"' EXIT

# export_to FOLDER: what git knows of the tree. What was compiled there stays.
export_to() {
    mkdir -p "$1/.cache"
    find "$1" -mindepth 1 -maxdepth 1 ! -name target ! -name .cache -exec rm -rf {} +
    git -C "$top" ls-files -z | tar -C "$top" --null --files-from - --create | tar -C "$1" --extract
}

export_to "$copy"
"$copy/modules/dist.sh"

# The Rust tests for FreeBSD, to be run there by hand: tests/release/freebsd.md.
(
    cd "$copy"
    venv=$(tests/setup/venv.sh cross)
    . tests/setup/cache.sh
    export ZIG_GLOBAL_CACHE_DIR=$cache_home/zig ZIG_LOCAL_CACHE_DIR=$cache_home/zig CARGO_ZIGBUILD_CACHE_DIR=$cache_home/zigbuild
    PATH=$venv/bin:$PATH RUSTFLAGS='-D warnings' cargo zigbuild --tests --quiet --locked --workspace --target x86_64-unknown-freebsd
)
echo "the Rust tests are built for FreeBSD"

export_to "$again"
"$again/modules/dist.sh" freebsd-x86_64
cmp {"$copy","$again"}/native/freebsd-x86_64/apiary
echo "freebsd-x86_64: the same bytes from another folder"

for name in oldest newest; do
    venv=$("$top/tests/setup/venv.sh" "$name")
    "$venv/bin/ansible" --version | sed -n 1p
    "$venv/bin/python" -m pytest -q -p no:cacheprovider "$copy/tests/release" "$@"
done

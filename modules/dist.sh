#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the programs for every platform we ship, where the action plugin looks: modules/dist.sh [OS-ARCH...], all of them by default.
# The same source gives the same bytes, wherever the tree stands: no path of the builder is in them.
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(uname -s)" = Linux ] || { echo "dist: expected Linux, where zig comes from Python's registry, found $(uname -s); 'make build' builds for this machine" >&2; exit 1; }
all=(freebsd-x86_64 freebsd-aarch64 linux-x86_64 linux-aarch64)
wanted=()
for each in "${@:-${all[@]}}"; do
    called=$(modules/platform.sh "$each")
    [[ " ${all[*]} " = *" $called "* ]] || { echo "dist: no platform '$each'; there are: ${all[*]}" >&2; exit 2; }
    wanted+=("$called")
done

native=plugins/plugin_utils/_native
venv=$(tests/setup/venv.sh cross)
PATH=$venv/bin:$PATH
sysroot=$(rustc --print sysroot)
. tests/setup/cache.sh
export ZIG_GLOBAL_CACHE_DIR=$cache_home/zig ZIG_LOCAL_CACHE_DIR=$cache_home/zig CARGO_ZIGBUILD_CACHE_DIR=$cache_home/zigbuild
export SOURCE_DATE_EPOCH=0 CARGO_INCREMENTAL=0
cargo_home=${CARGO_HOME:-$HOME/.cargo}
export RUSTFLAGS="--remap-path-prefix=$PWD=apiary --remap-path-prefix=$cargo_home=cargo --remap-path-prefix=$sysroot=rust"
export CFLAGS="-ffile-prefix-map=$PWD=apiary -ffile-prefix-map=$cargo_home=cargo"

# build FILE FEATURES TARGET DIRECTORY: makes FILE; DIRECTORY is the target without the libc version zig takes.
build() {
    local file=$1 features=$2 target=$3 directory=$4 std=()
    case $target in
    aarch64-unknown-freebsd)
        # Rust ships no standard library for it: it is compiled along, which takes this permission.
        export RUSTC_BOOTSTRAP=1
        std=(-Zbuild-std=std,panic_abort)
        ;;
    *) need "rustup target add $directory" "$sysroot/lib/rustlib/$directory" ;;
    esac
    cargo zigbuild --profile dist --locked --quiet "${std[@]}" --target "$target" --package apiary \
        --no-default-features --features "$features"
    mkdir -p "$(dirname "$file")"
    install -m 0755 "${CARGO_TARGET_DIR:-target}/$directory/dist/apiary" "$file"
}

need() {
    [ -e "$2" ] || $1 >&2 || { echo "dist: Rust's own files for this target are missing; run: $1" >&2; exit 1; }
}

platform() {
    local arch=${1#*-}
    case $1 in
    freebsd-*) build "$native/$1/apiary" images,clocks,domains "$arch-unknown-freebsd" "$arch-unknown-freebsd" ;;
    linux-*)
        # libvirt is opened while the program runs, which a static program cannot do. A look at a whole host is at its images and volumes, too.
        build "$native/$1/apiary" images,clocks "$arch-unknown-linux-musl" "$arch-unknown-linux-musl"
        build "$native/$1/apiary_libvirt" domains,looks "$arch-unknown-linux-gnu.2.28" "$arch-unknown-linux-gnu"
        ;;
    esac
    modules/links.sh "$native/$1"
}

# What is linked and no crate: Rust's own library, and the C library of the static programs.
licences() {
    local musl library=$sysroot/share/doc/rust/COPYRIGHT-library.html
    [ -e "$library" ] || { echo "dist: expected the licences of Rust's own library, found no $library; rustup installs it with rustc" >&2; exit 1; }
    musl=$("$venv/bin/python" -c 'import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).parent / "lib/libc/musl/COPYRIGHT")')
    "$venv/bin/python" modules/licences.py "$native/LICENCES.txt" \
        "Rust's standard library=$library" "musl=$musl"
}

# For every platform: the paths of the standard library's files stand in the programs, and are others where it is not installed.
need "rustup component add rust-src" "$sysroot/lib/rustlib/src/rust/library/Cargo.lock"

for each in "${wanted[@]}"; do
    (platform "$each")
    du -ch "$native/$each"/* | tail -n 1 | sed "s|total|native/$each|"
done
licences

#!/usr/bin/env bash
# Builds the programs for this machine and puts them where the action plugin looks:
# modules/install.sh OS-ARCH. A program that runs on a target meanwhile keeps its old file.
set -euo pipefail
cd "$(dirname "$0")/.."

native=native/${1:?"usage: modules/install.sh OS-ARCH, as in linux-x86_64"}
cargo build --release --locked --quiet -p apiary
mkdir -p "$native"
cmp -s target/release/apiary "$native/apiary" || install -m 0755 target/release/apiary "$native/apiary"
rm -f "$native/apiary_libvirt"
modules/links.sh "$native"

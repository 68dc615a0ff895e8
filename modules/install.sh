#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the programs for this machine and puts them where the action plugin looks. A program that runs on a target
# meanwhile keeps its old file.
set -euo pipefail
cd "$(dirname "$0")/.."

native=plugins/plugin_utils/_native/$(modules/platform.sh)
# Said even where it is the default, because a configuration file of Cargo's may say otherwise.
target=${CARGO_TARGET_DIR:-target}
cargo build --release --locked --quiet -p apiary --target-dir "$target"
mkdir -p "$native"
made=$target/release/apiary
cmp -s "$made" "$native/apiary" || install -m 0755 "$made" "$native/apiary"
rm -f "$native/apiary_libvirt"
modules/links.sh "$native"

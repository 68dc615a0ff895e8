#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the programs for this machine and puts them where the action plugin looks. A program that runs on a target
# meanwhile keeps its old file.
set -euo pipefail
cd "$(dirname "$0")/.."

native=plugins/plugin_utils/_native/$(modules/platform.sh)
cargo build --release --locked --quiet -p apiary
mkdir -p "$native"
cmp -s target/release/apiary "$native/apiary" || install -m 0755 target/release/apiary "$native/apiary"
rm -f "$native/apiary_libvirt"
modules/links.sh "$native"

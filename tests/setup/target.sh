#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What cargo compiles of other people's crates is compiled once a machine, for each lock file and compiler.
#   target.sh begin   in a tree where nothing is compiled yet, begins with what another tree has compiled
#   target.sh keep    keeps it for other trees, unless it is kept already
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/setup/cache.sh

key=$({ cat Cargo.lock Cargo.toml; rustc -vV; echo "${RUSTFLAGS:-}"; } | cache_key)

case $1 in
begin)
    if [ ! -e target ] && [ -e "$cache_home/target/$key/.made" ]; then
        # Whole or not at all: a run that dies here leaves no half of it.
        rm -rf .cache/target
        mkdir -p .cache
        cp -a --reflink=auto "$(cached target "$key" false)/target" .cache/target
        mv .cache/target target
    fi
    ;;
keep) cached target "$key" "$0" copy >/dev/null ;;
copy)
    cp -a --reflink=auto target "$2/target"
    # Of this tree's own crates another tree has no use; the programs lie beside them.
    cargo clean --quiet --workspace --target-dir "$2/target"
    find "$2/target" -depth \( -name incremental -o -name dist \) -exec rm -rf {} +
    ;;
esac

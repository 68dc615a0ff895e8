#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Fuzzes each target for SECONDS (600 by default): modules/ntpd_check/fuzz/run.sh [SECONDS] [TARGET...]
# Needs cargo-fuzz. With a stable toolchain the sanitizer's flags need RUSTC_BOOTSTRAP.
set -eu
cd "$(dirname "$0")"
seconds=${1:-600}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- ntpctl packet leap
export RUSTC_BOOTSTRAP=1
mkdir -p corpus/ntpctl corpus/leap
for text in ../../../tests/fixtures/ntpctl/*/*.all.txt; do
    cp "$text" "corpus/ntpctl/$(echo "$text" | cksum | cut -d' ' -f1)"
done
for text in ../../../tests/fixtures/chronyc/*.tracking.csv; do
    cat "$text" "${text%.tracking.csv}.sources.csv" >"corpus/ntpctl/$(basename "$text")"
done
cp ../../../tests/lab/ntp/leap-seconds.list corpus/leap/
for target in "$@"; do
    cargo fuzz run "$target" -- -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1
done

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Fuzzes the reader of streams: modules/zfs_stream/fuzz/run.sh [SECONDS], 600 by default.
# Needs cargo-fuzz; a stable compiler will do. It begins with the small streams of the fixtures.
set -euo pipefail
cd "$(dirname "$0")/.."

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
find ../../tests/fixtures/streams -name '*.zfs' -size -128k -exec cp -t "$seeds" {} +

mkdir -p fuzz/corpus/stream
RUSTC_BOOTSTRAP=1 cargo fuzz run stream fuzz/corpus/stream "$seeds" -- \
    -max_total_time="${1:-600}" -timeout=20 -rss_limit_mb=1024 -max_len=131072 -print_final_stats=1

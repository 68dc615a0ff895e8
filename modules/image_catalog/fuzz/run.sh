#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the fuzz targets one after the other: modules/image_catalog/fuzz/run.sh [SECONDS [TARGET...]].
# Needs cargo-fuzz; a stable compiler will do. They begin with the packages and catalogues of the fixtures.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
[ $# -lt 2 ] || set -- "$seconds" "${@:2}"
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(manifest archive catalogue)

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir "$seeds"/{manifest,archive,catalogue}
repositories=../../tests/fixtures/pkg-repos
for repository in "$repositories"/{unsigned,unsigned-pkg2.4,pubkey-rsa,pubkey-eddsa,fingerprints-rsa}; do
    name=$(basename "$repository")
    for archive in data packagesite; do
        cp "$repository/$archive.pkg" "$seeds/catalogue/$name-$archive"
        zstd -dcq "$repository/$archive.pkg" >"$seeds/catalogue/$name-$archive.tar"
    done
    cp "$repository/meta.conf" "$seeds/catalogue/$name-meta"
    cp "$repository/All/FreeBSD-14.2-RELEASE-ZFS-20G-20250101.pkg" "$seeds/archive/$name.pkg"
    # Plain, and small enough for many rounds a second.
    cp "$repository/All/debian-12-ZFS-10G-20250515.pkg" "$seeds/archive/$name.tar"
    tar -xOf "$repository/All/debian-12-ZFS-10G-20250515.pkg" +MANIFEST >"$seeds/manifest/$name"
done
cp "$repositories"/keys/*.pub "$seeds/catalogue/"

for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target"
    RUSTC_BOOTSTRAP=1 cargo fuzz run "$target" "fuzz/corpus/$target" "$seeds/$target" -- \
        -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1
done

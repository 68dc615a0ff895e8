#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The catalogue's page in a real browser, as wide as a desk and as narrow as a phone: nothing sticks out, the filter
# and the older versions are there, nothing is fetched; served, it knows its address; and of 2,000 images those stay that the keys typed into the filter ask for.
# Screenshots go to tests/output, or to SCREENSHOTS.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" chromium gcc pkg-config zstd
# shellcheck source=tests/patience.sh
. "$top/tests/patience.sh"
# shellcheck source=tests/page/browser.sh
. "$top/tests/page/browser.sh"
platform=$("$top/modules/platform.sh")
"$top/modules/install.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

run() {
    "$top/native/$platform/$1" - >"$folder/reply"
}

publish() {
    run bhyve_catalog <<EOF
{"path": "$folder/catalog", "name": "$1", "version": "$2", "source": "$folder/disk.raw", "os": "$3",
 "requirements": {"memory": "512M", "loader": "uefi", "disk_driver": "nvme", "network_driver": "virtio-net"},
 "annotations": {"team": "platform", "note": "a label that is quite a bit longer than all of the others"},
 "signing_key": "$folder/key"}
EOF
}

head -c 2M /dev/urandom >"$folder/disk.raw"
truncate -s 64M "$folder/disk.raw"
echo "{\"path\": \"$folder/key\", \"type\": \"eddsa\"}" | run bhyve_catalog_key
publish FreeBSD-14.2-RELEASE-ZFS-20G 20250101 freebsd
publish FreeBSD-14.2-RELEASE-ZFS-20G 20250515 freebsd
publish debian-12-ZFS-10G 20250515 debian-12
publish "long-$(printf 'x%.0s' {1..90})" 1.0 none

# What a person would see, written into the page by the page itself.
probe='<script>
const seen = (selector) => [...document.querySelectorAll(selector)].filter((part) => part.checkVisibility()).length;
const facts = [document.documentElement.scrollWidth, seen("article"), seen("pre"), seen("pre button")];
document.querySelectorAll("details").forEach((part) => { part.open = true; });
const cut = [...document.querySelectorAll("pre")].filter((part) => part.scrollWidth > part.clientWidth).length;
facts.push(document.documentElement.scrollWidth, seen("pre"), cut);
filter.value = "debian NVME"; filter.dispatchEvent(new Event("input"));
facts.push(seen("article"), performance.getEntriesByType("resource").length);
parent.postMessage(facts.join(" "), "*");
</script></body>'
page=$(<"$folder/catalog/index.html")
printf '%s' "${page/<\/body>/"$probe"}" >"$folder/probe.html"

failed=0
shots=${SCREENSHOTS:-$top/tests/output}
mkdir -p "$shots"
"$top/tests/page/shoot.py" "$shots" "catalogue=$folder/catalog/index.html"
for width in 390 1280; do
    found=$(seen_in_frame "$width" "$folder/probe.html")
    # Width, images, guests of them and copy buttons; with everything unfolded, how many of these and what hosts need stick out of theirs; images
    # that the filter leaves; files fetched.
    expected="$width 3 3 3 $width 5 0 1 0"
    [ "$found" = "$expected" ] || { echo "page: at $width pixels expected $expected, found $found" >&2; failed=1; }
done
[ "$failed" -eq 0 ]
"$top/tests/page/served.py" "$folder/catalog"
"$top/tests/page/filter.py" "$top/native/$platform"
echo "5 passed, 0 failed"

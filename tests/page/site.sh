#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The documentation site in a real browser, as wide as a desk and as narrow as a phone, light and dark: nothing sticks out, every text can be read, the
# guides are listed, the recording plays, nothing is loaded from elsewhere. Screenshots go to tests/output, or to SCREENSHOTS.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" chromium
# shellcheck source=tests/patience.sh
. "$top/tests/patience.sh"
# shellcheck source=tests/page/browser.sh
. "$top/tests/page/browser.sh"
"$top/docs/build.sh" >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$top/docs/build/html" "$folder/site"
cp "$top/tests/page/probe.js" "$folder/site/_static"

failed=0 passed=0
# looks NAME PAGE UP [MORE]: how the page looks; UP leads from it to the first page's folder, MORE is expected at the end.
looks() {
    local width scheme beside found expected page=$folder/site/$2
    for width in 390 1280; do
        beside="list no-unfold"
        [ "$width" -gt 600 ] || beside="no-list unfold"
        sed "s#</body>#<script src=\"$3_static/probe.js\" defer></script></body>#" "$page" >"$page.probe.html"
        for scheme in light dark; do
            found=$(seen_in_frame "$width" "$page.probe.html" --blink-settings="preferredColorScheme=$([ "$scheme" = dark ] && echo 0 || echo 1)")
            expected="$width $beside $scheme 0 guides readable${4:+ $4}"
            if [ "$found" = "$expected" ]; then
                passed=$((passed + 1))
            else
                echo "site: $1 at $width pixels, $scheme: expected $expected, found $found" >&2
                failed=$((failed + 1))
            fi
        done
    done
}

shots=${SCREENSHOTS:-$top/tests/output}
mkdir -p "$shots"
"$top/tests/page/shoot.py" "$shots" "home=$folder/site/index.html" "guide=$folder/site/collections/docsite/guide_three_hosts.html" \
    "reference=$folder/site/guest.html"
looks home index.html "" plays
looks guide collections/docsite/guide_three_hosts.html ../../
looks reference guest.html ""
looks role collections/guest_role.html ../
looks module collections/zfs_receive_module.html ../
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

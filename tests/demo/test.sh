#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The demo as a test: it fails by itself where anything is not as it says; afterwards nothing may be left.
set -euo pipefail
APIARY_DEMO=$(mktemp -d /var/tmp/apiary-XXXXXX)
export APIARY_DEMO
here=$(dirname "$0")
trap '"$here/clean.sh" --quiet' EXIT
"$here/demo.sh"
"$here/clean.sh"
if [ -e "$APIARY_DEMO" ] || pgrep -f "$APIARY_DEMO" >/dev/null; then
    echo "expected nothing left of the demo, found:" >&2
    ls -R "$APIARY_DEMO" >&2 || true
    pgrep -af "$APIARY_DEMO" >&2 || true
    exit 1
fi
echo "1 passed, 0 failed"

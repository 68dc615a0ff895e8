#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# libvirt's own tests of its bhyve driver's conversions, built with our shims: whether the shims are faithful enough for them. A
# suite by name, since it asks nothing of this tree but the shims.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/driver.sh" >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$here/source.sh" "$folder" -Dtests=enabled
ninja -C "$folder/build" tests/bhyve{xml2argv,xml2xml,argv2xml}test tests/libbhyve{xml2argv,argv2xml}mock.so tests/libvirportallocatormock.so

export abs_top_srcdir=$folder/source abs_srcdir=$folder/source/tests abs_top_builddir=$folder/build abs_builddir=$folder/build/tests
export LC_ALL=C VIR_TEST_DEBUG=1
cd "$abs_builddir"
for expected in xml2argv:76 xml2xml:48 argv2xml:44; do
    # The first of them frees a name twice when it has passed, which only glibc sees: its exit status says nothing.
    "./bhyve${expected%:*}test" >"$folder/said" 2>&1 || true
    passed=$(grep -c 'OK$' "$folder/said" || true)
    if [ "$passed" -ne "${expected#*:}" ] || grep -q 'FAILED$' "$folder/said"; then
        cat "$folder/said" >&2
        echo "bhyve${expected%:*}test: expected ${expected#*:} conversions to pass, found $passed" >&2
        exit 1
    fi
    echo "bhyve${expected%:*}test: $passed passed"
done

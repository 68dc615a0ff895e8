#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# How long a warm check takes beside ntpctl itself: tests/bench/clock.sh [RUNS]
# ntpctl is a script that prints a captured output; everything else is real.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
program=${NTPD_CHECK:-$top/native/$("$top/modules/platform.sh")/ntpd_check}
runs=${1:-50}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
printf '#!/bin/sh\ncat "%s"\n' "$top/tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt" >"$folder/bin/ntpctl"
chmod +x "$folder/bin/ntpctl"
export PATH=$folder/bin:$PATH

# Milliseconds of each run, sorted.
measure() {
    local start end
    for _ in $(seq "$runs"); do
        start=$(date +%s%N)
        "$@" >/dev/null || true
        end=$(date +%s%N)
        echo $(((end - start) / 1000))
    done | sort -n
}

summary() { awk -v name="$1" '{t[NR] = $1 / 1000} END {printf "%-28s median %7.1f ms  worst %7.1f ms  of %d\n", name, t[int((NR + 1) / 2)], t[NR], NR}'; }

check=("$program" --json --state-file "$folder/state.json")
"${check[@]}" >/dev/null
measure ntpctl -s all | summary "ntpctl (a script)"
measure "${check[@]}" | summary "ntpd_check with ntpctl"
measure "$program" --json --from "$top/tests/fixtures/ntpctl/7.9p1/healthy-06-later.all.txt" | summary "ntpd_check --from FILE"

# What it takes of the processor, ntpctl and ps included: the same on a machine that is busy with other things.
TIMEFORMAT='%U %S'
{ time (for _ in $(seq "$runs"); do "${check[@]}" >/dev/null; done); } 2>&1 |
    awk -v runs="$runs" '{printf "%-28s mean   %7.1f ms\n", "processor time of a check", ($1 + $2) * 1000 / runs}'

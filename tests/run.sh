#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs test suites and says how long each took: tests/run.sh [SUITE...], by default all that suites.sh does not keep for
# those who ask by name. All run, whatever fails before. A suite that fails beside others runs once more alone, at the end,
# and the report names it; nothing else is tried twice. A whole run that passes is remembered for `make green`.
set -uo pipefail
cd "$(dirname "$0")/.."
. tests/suites.sh
. tests/setup/cache.sh
. tests/setup/green.sh

known=" ${first[*]} ${lanes[*]} ${by_name[*]} "
for suite in "$@"; do
    [[ $known = *" $suite "* ]] || { echo "no suite '$suite'; there are:$known" >&2; exit 2; }
done

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
# Logs of suites that failed beside others and passed alone are kept here.
kept=tests/output

# run SUITE: its status, and its seconds in the report's file of its name.
run() {
    local started=$SECONDS status=0
    printf '\n== %s\n' "$1"
    ("$1") || status=$?
    echo $((SECONDS - started)) >"$reports/$1.seconds"
    return "$status"
}

# report SUITE OUTCOME: a line of the report.
report() {
    printf '%-12s %6s s  %s\n' "$1" "$(<"$reports/$1.seconds")" "$2" >>"$reports/lines"
}

# Runs suites one after another, each with nothing beside it.
alone() {
    local suite
    for suite in "$@"; do
        if run "$suite"; then
            report "$suite" passed
            remember_suite "$suite"
        else
            report "$suite" FAILED
        fi
    done
}

# The same beside another lane. What a suite prints is shown as a whole, when it has ended.
lane() {
    local suite
    for suite in "$@"; do
        if run "$suite" >"$reports/$suite.log" 2>&1; then
            report "$suite" passed
        else
            report "$suite" 'failed beside others'
            echo "$suite" >>"$reports/again"
        fi
        flock "$reports" cat "$reports/$suite.log"
    done
}

# Each lane is a process group of its own, which an interrupt reaches as a whole.
side_by_side() {
    local each groups=()
    set -m
    for each in "$@"; do
        # shellcheck disable=SC2086 # a list of suites
        lane $each </dev/null &
        groups+=("-$!")
    done
    set +m
    trap 'trap - INT TERM; kill -INT -- "${groups[@]}"; wait; exit 130' INT TERM
    wait
    trap - INT TERM
}

# Those that failed beside others, alone.
again() {
    local suite
    while IFS= read -r suite; do
        if run "$suite"; then
            mkdir -p "$kept"
            cp "$reports/$suite.log" "$kept/$suite.log"
            report "$suite" "passed alone; what it said before: $kept/$suite.log"
            echo "$suite" >>"$reports/only_alone"
        else
            report "$suite" FAILED
        fi
    done
}

# The suites that were not asked for, and when they passed last.
not_run() {
    local suite
    for suite in "${by_name[@]}"; do
        printf '%-12s %6s    not run; %s\n' "$suite" - "$(last_pass "$suite")"
    done
}

started=$SECONDS
touch "$reports"/{lines,again,only_alone}
[ $# -gt 0 ] || begin_whole_run
if [ $# -gt 0 ]; then
    alone "$@"
else
    alone "${first[@]}"
    side_by_side "${lanes[@]}"
    again <"$reports/again"
fi

printf '\n== suites, %s seconds in all\n' $((SECONDS - started))
cat "$reports/lines"
[ $# -gt 0 ] || not_run
failed=$(grep -c 'FAILED$' "$reports/lines")
passed=$(grep -c ' s  passed' "$reports/lines")
only_alone=$(paste -sd ' ' "$reports/only_alone")
printf '\n%s passed, %s failed%s\n' "$passed" "$failed" "${only_alone:+; only when run again alone: $only_alone}"
[ "$failed" -eq 0 ] || exit 1
if [ $# -eq 0 ]; then
    remember_whole_run $((SECONDS - started)) "$only_alone"
    keep_for_others
fi

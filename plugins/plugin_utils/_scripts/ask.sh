# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Asks after a job. Handed in: job, its name; steps, the quarters of a second that we wait for its end.
at=$folder/job-$job
[ -d "$at" ] || {
    say gone
    exit 0
}
echo >"$at/seen"
n=0
child=
while [ $n -lt "$steps" ]; do
    if [ -s "$at/rc" ]; then break; fi
    read -r child <"$at/pid"
    kill -0 "$child" || {
        sleep 1
        break
    }
    sleep 0.25 || sleep 1
    n=$((n + 1))
done 2>/dev/null
if [ -s "$at/rc" ]; then
    say run
    cat "$at/reply"
    if [ -s "$at/errors" ]; then cat "$at/errors" >&2; fi
    read -r r <"$at/rc"
    exit "$r"
fi
if kill -0 "$child" 2>/dev/null; then say busy "$(tail -n 1 "$at/progress" 2>/dev/null)"; else say lost; fi

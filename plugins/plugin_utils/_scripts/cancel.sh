# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Ends a job if it still works, and forgets it. Handed in: job, its name.
at=$folder/job-$job
n=0
if [ -s "$at/rc" ]; then n=20; fi
if [ $n -eq 0 ] && read -r child <"$at/pid"; then
    kill "$child"
    while [ $n -lt 20 ] && kill -0 "$child"; do
        sleep 0.25 || sleep 1
        n=$((n + 1))
    done
    kill -9 "$child"
fi 2>/dev/null
rm -rf "$at"
say cancelled

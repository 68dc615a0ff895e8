# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Runs the program apart from the connection. Handed in: job, its name; grace, the seconds that we wait for it: most are done by
# then, and their reply travels in this same exchange; lease, the seconds after which a watcher ends what nobody has asked after,
# or, where it is detached, ends it in any case and keeps what it has said.
at=$folder/job-$job
said=$(umask 077 && mkdir "$at" 2>&1) || {
    cat >/dev/null
    say error "making $at: $said"
    exit 0
}
exec 3<&0
trap "" HUP
(
    APIARY_PROGRESS=$at/progress
    export APIARY_PROGRESS
    if [ -n "$arguments" ]; then
        printf %s "$arguments" | "$folder/$file" - >"$at/reply" 2>"$at/errors" &
    else
        "$folder/$file" - <&3 >"$at/reply" 2>"$at/errors" &
    fi
    child=$!
    echo $child >"$at/pid"
    wait $child
    echo $? >"$at/rc"
) </dev/null >/dev/null 2>&1 &
work=$!
exec 3<&-
trap "" PIPE
trap : ALRM
if [ "$grace" -gt 0 ]; then
    (
        sleep "$grace"
        kill -ALRM $$
    ) </dev/null >/dev/null 2>&1 &
    clock=$!
    wait $work
    kill $clock 2>/dev/null
fi
if [ ! -s "$at/rc" ]; then
    (
        while sleep "$lease" && [ -d "$at" ]; do
            if [ -z "$detached" ] && [ -e "$at/seen" ]; then
                rm -f "$at/seen"
                continue
            fi
            if [ ! -s "$at/rc" ]; then
                read -r child <"$at/pid" && kill "$child"
                sleep 5
            fi
            [ -n "$detached" ] || rm -rf "$at"
            break
        done
    ) </dev/null >/dev/null 2>&1 &
    say busy
    exit 0
fi
say run "$platform"
cat "$at/reply"
if [ -s "$at/errors" ]; then cat "$at/errors" >&2; fi
read -r r <"$at/rc"
rm -rf "$at"

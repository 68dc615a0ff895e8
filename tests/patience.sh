# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# How long tests wait. Sourced, not run.
#
#   patience SECONDS                     prints SECONDS times APIARY_PATIENCE (1 by default): the limit of something
#                                        that only a failure makes last so long
#   wait_for SECONDS WHAT COMMAND...     runs COMMAND until it succeeds, at most `patience SECONDS`; then says WHAT it
#                                        waited for and what COMMAND printed last, and returns 1. Where COMMAND returns 3,
#                                        WHAT cannot come any more, and the wait is over.
#
# SECONDS are at least thirty times what is usual, and six times where that is half a minute or more: a slow machine is not a
# failure, and what hangs has to end while continuous integration has time to try it once more. A limit that a test expects
# to run out is tiny, and not multiplied.

patience() {
    awk -v seconds="$1" -v factor="${APIARY_PATIENCE:-1}" 'BEGIN { printf "%d\n", seconds * factor + 0.5 }'
}

wait_for() {
    local limit end status last what=$2
    limit=$(patience "$1")
    end=$((SECONDS + limit))
    shift 2
    while :; do
        status=0
        last=$("$@" 2>&1) || status=$?
        [ "$status" -ne 0 ] || return 0
        if [ "$status" -eq 3 ] || [ "$SECONDS" -ge "$end" ]; then
            echo "waited for $what, at most $limit s; the last look ($*) gave: ${last:-nothing}" >&2
            return 1
        fi
        sleep 0.1
    done
}

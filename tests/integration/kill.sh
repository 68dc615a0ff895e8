#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Kills publishing and deploying, with everything they have started, at random moments of the time that they take; the
# next whole run must converge, the one after that change nothing, and nothing unfinished may be left.
# ROUNDS and SEED may be set to repeat a failure.
set -euo pipefail
APIARY_DEMO=$(mktemp -d /var/tmp/apiary-XXXXXX)
export APIARY_DEMO
# shellcheck source=tests/demo/common.sh
. "$(dirname "$0")/../demo/common.sh"
trap '"$top/tests/demo/clean.sh" --quiet' EXIT

rounds=${ROUNDS:-12} seed=${SEED:-$RANDOM}
RANDOM=$seed

prepare_demo
"$top/tests/demo/make-disk.sh" "$folder/demo.raw" 20261122 64M

# The playbook is the first process of a namespace of processes: when that is killed, the kernel kills all of them.
killed=0
killed_playbook() {
    local status=0
    (cd "$folder/site" && exec timeout --signal=KILL "$1" unshare --pid --fork --kill-child=KILL --mount-proc \
        ansible-playbook "apiary.bhyve.$2" -e "demo_folder=$folder" -e "demo_uri=$LIBVIRT_URI") \
        >"$folder/log-killed.txt" 2>&1 || status=$?
    [ "$status" -ne 137 ] || killed=$((killed + 1))
}

# A playbook that is not killed; `took` is how long, in hundredths of a second.
whole_playbook() {
    local started=${EPOCHREALTIME/./}
    playbook "$@" >"$folder/log-$1.txt" || { cat "$folder/log-$1.txt"; exit 1; }
    took=$(((${EPOCHREALTIME/./} - started) / 10000))
}

# Moments from its beginning to its end.
moment() {
    local at=$((RANDOM % took + 1))
    printf '%d.%02d' $((at / 100)) $((at % 100))
}

whole_playbook publish
find "$folder/catalog" -mindepth 1 -delete
for round in $(seq "$rounds"); do
    killed_playbook "$(moment)" publish
done
whole_playbook publish
whole_playbook deploy
playbook remove -e bhyve_remove=all >/dev/null
for round in $(seq "$rounds"); do
    killed_playbook "$(moment)" deploy
    # Every other round begins with nothing deployed.
    [ $((round % 2)) -eq 0 ] || playbook remove -e bhyve_remove=all >/dev/null
done

for run in first second; do
    playbook deploy >"$folder/log-$run.txt" || { cat "$folder/log-$run.txt"; echo "kill: seed $seed"; exit 1; }
done
grep -q 'changed=0 ' "$folder/log-second.txt" || { cat "$folder/log-second.txt"; echo "kill: seed $seed"; exit 1; }
running=$(virsh -c "$LIBVIRT_URI" list --name | grep -c .)
unfinished=$(find "$folder" -name '.new-*')
if [ "$running" -ne 3 ] || [ -n "$unfinished" ]; then
    echo "kill: expected three guests and nothing unfinished after seed $seed, found $running guests and: $unfinished" >&2
    exit 1
fi
for guest in web1 web2 db1; do
    grep -aq 'demo guest 20261122 is up' "$folder/consoles/$guest.log"
done
# The moments are all over the time of a run; one that finds its work done is shorter.
[ "$killed" -ge $((rounds / 2)) ] || { echo "kill: only $killed of $((2 * rounds)) were killed with seed $seed" >&2; exit 1; }
echo "1 passed, 0 failed"

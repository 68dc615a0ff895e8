#!/usr/bin/env bash
# Kills publishing and deploying, with everything they have started, at random moments; the next whole run
# must converge, the one after that change nothing, and nothing unfinished may be left.
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
killed_playbook() {
    local limit=$1
    (cd "$folder/site" && exec timeout --signal=KILL "$limit" unshare --pid --fork --kill-child=KILL --mount-proc \
        ansible-playbook "apiary.bhyve.$2" -e "demo_folder=$folder" -e "demo_uri=$LIBVIRT_URI") \
        >"$folder/log-killed.txt" 2>&1 || true
}

# Moments from the first second to beyond the end.
moment() {
    printf '%d.%02d' $((RANDOM % $1)) $((RANDOM % 100))
}

for round in $(seq "$rounds"); do
    killed_playbook "$(moment 3)" publish
done
playbook publish >"$folder/log-publish.txt" || { cat "$folder/log-publish.txt"; exit 1; }
for round in $(seq "$rounds"); do
    killed_playbook "$(moment 12)" deploy
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
echo "1 passed, 0 failed"

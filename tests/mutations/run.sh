#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Does the gate still bite? Each fault below is put into a copy of the tree, and the suite that should see it must fail.
# tests/mutations/run.sh [WORD...]: those whose name has one of the words, all by default.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
copy=$top/.cache/mutations

# What is wrong | the suite that sees it | file | sed's words
faults="
stream reader: a wrong checksum passes | rust | modules/zfs_stream/src/frames.rs | s/ensure!(whole && header.bytes(CHECKSUM_AT) == sum.to_bytes(),/ensure!(whole,/
stream reader: blocks may cover each other | mutants | modules/zfs_stream/src/layout.rs | s/offset >= last,/true,/
domain plan: restarts what has not changed | rust | modules/libvirt_domain/src/plan/power.rs | s/IfChanged => instance.differs,/IfChanged => true,/
clock judgement: an alarm does not block | rust | modules/ntpd_check/src/judge/blocked.rs | s/(peer.poll >= ERROR_POLL || frozen(peer))/frozen(peer)/
action plugin: check mode is not handed on | delivery | plugins/action/native.py | s/\"_ansible_check_mode\": self._task.check_mode/\"_ansible_check_mode\": False/
seeds: what a killed run left stays | faults | modules/guest_seed/src/apply.rs | s/files::sweep_for(path)?;//
seeds: the router is said of an address in another network | cloud_init | modules/guest_seed/src/network/version1.rs | s/nets.iter().position(|net| net.contains(&gateway)).or_else/None.or_else/
seeds: every interface is looked for by the first one's address | rust | modules/guest_seed/src/network/nic.rs | s/mac_of(name, self.index,/mac_of(name, 0,/
role: a second guest's volume is the first one's | demo | plugins/plugin_utils/_deployment.py | s/return volume_options(self.place, name)/return volume_options(self.place, next(iter(self.guests)))/
"

# What git knows of the tree; what was compiled in the copy stays.
renew() {
    mkdir -p "$copy/.cache"
    find "$copy" -mindepth 1 -maxdepth 1 ! -name target ! -name .cache ! -name native -exec rm -rf {} +
    git -C "$top" ls-files -z | tar -C "$top" --null --files-from - --create | tar -C "$copy" --extract
    # A repository of its own: nothing that passes here is remembered of the tree's commit.
    git init --quiet "$copy"
}

wanted() {
    local word
    [ $# -gt 1 ] || return 0
    for word in "${@:2}"; do [[ $1 != *"$word"* ]] || return 0; done
    return 1
}

seen=0 missed=0
while IFS='|' read -r fault suite file words; do
    suite=${suite// /} file=${file// /}
    [ -n "$file" ] || continue
    wanted "$fault" "$@" || continue
    renew
    sed -i -e "${words# }" "$copy/$file"
    if cmp -s "$top/$file" "$copy/$file"; then
        echo "$fault: $file has no such place any more" >&2
        missed=$((missed + 1))
    elif (cd "$copy" && tests/run.sh build "$suite") >"$copy/.cache/log" 2>&1; then
        echo "$fault: not seen by $suite" >&2
        missed=$((missed + 1))
    elif grep -q '^build .*passed$' "$copy/.cache/log"; then
        echo "$fault: seen by $suite"
        seen=$((seen + 1))
    else
        tail -n 30 "$copy/.cache/log" >&2
        echo "$fault: the copy could not be built" >&2
        missed=$((missed + 1))
    fi
done <<<"$faults"
echo "$seen passed, $missed failed"
[ "$missed" -eq 0 ]

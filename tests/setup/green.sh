# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2154 # cache_home is cache.sh's
# Which commits passed, as this user's machine remembers: for the runner of the suites, and for `make green`. Sourced after
# cache.sh in the tree's folder. Nothing is remembered of a tree with changes that no commit has.
#
# $cache_home/green        a line for each whole run that passed: commit, date, seconds, suites that passed only alone
# $cache_home/passed/NAME  the same for a suite: commit and date of its last pass

commit_of_tree() {
    [ -z "$(git status --porcelain 2>&1)" ] && git rev-parse HEAD
}

begin_whole_run() {
    commit_before=$(commit_of_tree) || commit_before=
}

# remember_whole_run SECONDS SUITES: of the commit that the tree was at all the time.
remember_whole_run() {
    local commit
    commit=$(commit_of_tree) || commit=
    if [ -z "$commit" ] || [ "$commit" != "$commit_before" ]; then
        echo "not remembered for 'make green': the tree has changes that no commit has, or has changed meanwhile"
        return
    fi
    mkdir -p "$cache_home"
    echo "$commit $(date -u +%Y-%m-%dT%H:%MZ) $1 $2" >>"$cache_home/green"
}

remember_suite() {
    local commit
    commit=$(commit_of_tree) || return 0
    mkdir -p "$cache_home/passed"
    echo "$commit $(date -u +%Y-%m-%dT%H:%MZ)" >"$cache_home/passed/$1"
}

last_pass() {
    local commit date
    if read -r commit date 2>/dev/null <"$cache_home/passed/$1"; then
        echo "passed last on $date at ${commit:0:7}"
    else
        echo "has not passed on this machine yet"
    fi
}

# The newest commit of HEAD's history that passed as a whole, as its line in the list.
last_green() {
    git rev-list HEAD | awk 'NR == FNR {line[$1] = $0; next} $1 in line {print line[$1]; exit}' "$cache_home/green" -
}

say_green() {
    local head commit='' date seconds only_alone
    head=$(git rev-parse HEAD)
    [ ! -e "$cache_home/green" ] || read -r commit date seconds only_alone < <(last_green)
    if [ "$commit" = "$head" ] && [ -z "$(git status --porcelain)" ]; then
        echo "green: ${head:0:7} passed as a whole on $date in $seconds s${only_alone:+; only when run again alone: $only_alone}"
        return
    fi
    if [ -z "$commit" ]; then
        echo "not green: no commit before ${head:0:7} has passed as a whole on this machine"
    else
        echo "not green: the last that passed as a whole is ${commit:0:7}, on $date; since then:"
        git diff --stat "$commit"
    fi
    return 1
}

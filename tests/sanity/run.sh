#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What Ansible's own tools say of the collection: ansible-lint, ansible-test sanity, every page of ansible-doc, the
# changelog, Galaxy's importer; and `reuse lint` of the licences. They run on a copy of the files that git knows, where
# ansible-core expects a collection. Cores that are named (run.sh oldest core-2.20 ...: files of tests/requirements) run
# their own ansible-test instead, and nothing else.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -eq 0 ]; then
    "$top/tests/setup/packages.sh" file libmagic1
    publish=$("$top/tests/setup/venv.sh" publish)
fi
PATH=$("$top/tests/setup/venv.sh" lint)/bin:$PATH
. "$top/tests/setup/cache.sh"
folder=$top/.cache/sanity
copy=$folder/ansible_collections/apiary/bhyve
# What ansible-test installs for itself lies in its home, and stays; one at a time may do so.
cache_lock sanity
HOME=$(cached sanity "$(cache_key <"$top/tests/requirements/lint.txt")" true)
export HOME ANSIBLE_COLLECTIONS_PATH=$folder LC_ALL=C.UTF-8
mkdir -p "$copy/tests"
find "$copy" "$copy/tests" -mindepth 1 -maxdepth 1 ! -name tests ! -name output -exec rm -rf {} +
# ansible-test fetches pip's installer for its environments; Python brings one of its own.
mkdir -p "$copy" "$HOME/.ansible/test/cache"
for pip in 23_1_2 24_2 25_2; do
    printf 'import ensurepip\nensurepip.bootstrap()\n' >"$HOME/.ansible/test/cache/get_pip_$pip.py"
done
# What a user gets, with the sources of the programs.
(cd "$top" && {
    git ls-files --cached --others --exclude-standard -z -- . ':!modules/*/tests' ':!modules/*/fuzz' ':!modules/*/examples' ':!tests'
    git ls-files --cached -z -- 'tests/sanity/ignore*' tests/config.yml
} |
    while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
    tar --null --files-from - --create) | tar --extract --directory "$copy"
cd "$copy"
git init --quiet .
git add --all

failed=
check() {
    local log=$folder/${1// /-}.log
    if "${@:2}" >"$log" 2>&1; then echo "$1: passed"; else cat "$log" && failed+=" $1," && echo "$1: FAILED"; fi
}

pages() {
    local pages
    ansible-doc --list apiary.bhyve 2>&1 | tee list
    for page in plugins/modules/*.py; do
        page=$(basename "$page" .py)
        grep -q "^apiary.bhyve.$page " list
        pages=$(ansible-doc "apiary.bhyve.$page")
        grep -q EXAMPLES <<<"$pages"
    done
    rm list
}

# What Galaxy does with an artifact that is uploaded, and every remark of it is one too many.
importer() (
    set -e
    PATH=$publish/bin:$PATH
    cd "$folder"
    rm -f apiary-bhyve-*.tar.gz
    ansible-galaxy collection build "$copy" --output-path . --force
    python -m galaxy_importer.main apiary-bhyve-*.tar.gz >importer 2>&1 || { cat importer; exit 1; }
    cat importer
    grep -q 'Importer processing completed successfully' importer
    ! grep -E '^(WARNING|ERROR)' importer
)

# ansible-test of the ansible-core in PATH, with its own Python: the one whose versions of the linters are pinned with it.
sanity() {
    ansible-test sanity --venv --color no --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
}

for core in "$@"; do
    venv=$("$top/tests/setup/venv.sh" "$core")
    PATH=$venv/bin:$PATH check "ansible-test of $core" sanity
done

if [ $# -eq 0 ]; then
    check licences "$publish/bin/reuse" --root "$top" lint
    check ansible-lint ansible-lint --nocolor
    check 'production profile' ansible-lint --nocolor --profile production
    check ansible-doc pages
    check importer importer
    check changelog antsibull-changelog lint
    check ansible-test sanity
fi
[ -z "$failed" ] || { echo "failed:${failed%,}"; exit 1; }

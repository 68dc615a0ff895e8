#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the pinned virtual environment tests/requirements/NAME.txt describes, once a machine, and prints its path.
# Usage: venv=$(tests/setup/venv.sh newest|oldest|core-2.19|core-2.20|lint|publish|cross|cloud_init|monitoring)
set -eu

name=${1:?"usage: venv.sh newest|oldest|core-2.19|core-2.20|lint|publish|cross|cloud_init|monitoring"}
here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/../requirements/$name.txt
[ -f "$requirements" ] || {
    echo "venv.sh: no tests/requirements/$name.txt; known: $(cd "$here/../requirements" && ls | sed 's/\.txt$//' | tr '\n' ' ')" >&2
    exit 2
}
. "$here/cache.sh"

# ansible-core 2.17 runs on Python 3.10 to 3.12, 2.20 and later on 3.12 and later.
case $name in
newest) wanted='3.14 3.13 3.12 3.11' ;;
*) wanted='3.12 3.11 3.10' ;;
esac

interpreter() {
    for version in $wanted; do
        for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/"python$version"; do
            if "$candidate" -c 'import ensurepip' 2>/dev/null; then
                echo "$candidate"
                return
            fi
        done
    done
    echo "venv.sh: no Python of version ${wanted% *} or ${wanted##* } with venv; on Debian: apt-get install python3-venv" >&2
    return 1
}

python=${PYTHON:-$(interpreter)}
key=$({ "$python" -c 'import sys; print(sys.version, sys.base_prefix)'; cat "$requirements"; } | cache_key)
# shellcheck disable=SC2016 # expanded by the inner shell
cached venv "$name-$key" sh -euc '
    "$0" -m venv "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check --requirement "$1"
' "$python" "$requirements"

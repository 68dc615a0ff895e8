#!/bin/sh
# Makes the pinned virtual environment tests/requirements/NAME.txt describes, once, and prints its path.
# Usage: venv=$(tests/setup/venv.sh newest|oldest|lint|cross)
set -eu

name=${1:?"usage: venv.sh newest|oldest|lint|cross"}
top=$(cd "$(dirname "$0")/../.." && pwd)
requirements=$top/tests/requirements/$name.txt
venv=$top/.cache/venv-$name
[ -f "$requirements" ] || {
    echo "venv.sh: no tests/requirements/$name.txt; known: $(cd "$top/tests/requirements" && ls | sed 's/\.txt$//' | tr '\n' ' ')" >&2
    exit 2
}

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
stamp=$("$python" --version)-$(sha256sum "$requirements" | cut -d' ' -f1)
mkdir -p "$top/.cache"
exec 9>"$venv.lock"
flock 9
if [ "$(cat "$venv/.stamp" 2>/dev/null)" != "$stamp" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    echo "$stamp" >"$venv/.stamp"
fi
echo "$venv"

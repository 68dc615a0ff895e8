#!/usr/bin/env bash
# What a release is made of: every platform's programs as `make dist` built them, and the artifact that carries them.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" binutils qemu-user-static
for name in oldest newest; do
    venv=$("$top/tests/setup/venv.sh" "$name")
    "$venv/bin/ansible" --version | head -n 1
    "$venv/bin/python" -m pytest -q -p no:cacheprovider "$top/tests/release" "$@"
done

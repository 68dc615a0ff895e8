#!/usr/bin/env bash
# What a release is made of: every platform's programs, built here as far as they are not, and the artifact.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/tests/setup/packages.sh" binutils gcc git libc6-arm64-cross qemu-user-static
"$top/modules/dist.sh"
"$top/tests/release/reproducible.sh"
for name in oldest newest; do
    venv=$("$top/tests/setup/venv.sh" "$name")
    "$venv/bin/ansible" --version | head -n 1
    "$venv/bin/python" -m pytest -q -p no:cacheprovider "$top/tests/release" "$@"
done

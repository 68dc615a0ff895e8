#!/usr/bin/env bash
# Runs test suites and says how long each took: tests/run.sh [SUITE...], all of them by default.
# Every suite sets up what it needs, and ends what it starts. All run, whatever fails before.
set -uo pipefail
cd "$(dirname "$0")/.."

platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)

build() { tests/setup/packages.sh gcc pkg-config && modules/install.sh "$platform"; }

format() { cargo fmt --all --check; }

clippy() { cargo clippy --quiet --workspace --all-targets --locked -- -D warnings; }

rust() { tests/setup/packages.sh openssh-client openssh-server openssl qemu-utils zfsutils-linux mtools dosfstools python3-yaml && cargo test --quiet --workspace --locked; }

unit() { tests/unit/run.sh; }

lab() { tests/lab/run.sh; }

demo() { tests/demo/test.sh; }

all=(build format clippy rust unit lab demo)
[ $# -gt 0 ] || set -- "${all[@]}"

passed=0 failed=0 report=
for suite in "$@"; do
    if [ "$(type -t "$suite")" != function ]; then
        echo "no suite '$suite'; there are: ${all[*]}" >&2
        exit 2
    fi
    printf '\n== %s\n' "$suite"
    started=$SECONDS
    if ("$suite"); then passed=$((passed + 1)) outcome=passed; else failed=$((failed + 1)) outcome=FAILED; fi
    report+=$(printf '%-12s %6s s  %s' "$suite" $((SECONDS - started)) "$outcome")$'\n'
done

printf '\n== suites, in seconds\n%s\n%s passed, %s failed\n' "$report" "$passed" "$failed"
[ "$failed" -eq 0 ]

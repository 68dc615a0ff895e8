#!/usr/bin/env bash
# Runs test suites and says how long each took: tests/run.sh [SUITE...], all but release and zfs by default.
# Every suite sets up what it needs, and ends what it starts. All run, whatever fails before.
set -uo pipefail
cd "$(dirname "$0")/.."

platform=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)

build() { tests/setup/packages.sh gcc pkg-config && modules/install.sh "$platform"; }

format() { cargo fmt --all --check; }

clippy() { cargo clippy --quiet --workspace --all-targets --locked -- -D warnings; }

rust() {
    tests/setup/packages.sh dosfstools gcc libvirt0 mtools openssh-client openssh-server openssl python3-yaml qemu-utils \
        zfsutils-linux && cargo test --quiet --workspace --locked --no-fail-fast
}

unit() { tests/unit/run.sh; }

# The programs by hand.
programs() {
    "$(tests/setup/venv.sh newest)/bin/python" -m pytest -q -p no:cacheprovider --durations=3 tests/integration
}

# The catalogue's page in a real browser.
page() { tests/page/run.sh; }

# Playbooks, roles and documentation, as Ansible's own tools see them.
sanity() { tests/sanity/run.sh; }

# A real sshd, targets without Python, things broken on purpose.
delivery() { tests/delivery/run.sh; }

# A real libvirt with qemu.
lab() { tests/lab/run.sh; }

# A real OpenNTPD under a virtual clock.
clock() {
    tests/setup/packages.sh gcc iproute2 libc6-dev util-linux && cargo build --quiet --locked -p ntpd_check &&
        tests/lab/ntp/run.sh && tests/integration/promtool.sh && tests/integration/openntpd/run.sh
}

# The main job: publish, deploy, boot; then the same with everything killed at random moments.
demo() { tests/demo/test.sh; }

kill_anytime() { tests/integration/kill.sh; }

# A real Linux with cloud-init, through the whole chain; it takes minutes to boot without KVM.
linux_guest() { tests/lab/linux_guest/test.sh; }

# The role image_repository with a real sshd and nginx.
repository() { tests/integration/image_repository.sh; }

# The collection installed outside of this tree, and a guest deployed from there by a plain playbook.
elsewhere() { tests/elsewhere/run.sh; }

# Every platform's programs and the artifact: asked for by name, because five programs are linked from scratch.
release() { tests/release/run.sh; }

# A machine with real ZFS, emulated: asked for by name, because it takes a quarter of an hour without KVM.
zfs() { tests/zfs/run.sh; }

all=(build format clippy rust unit programs page sanity delivery elsewhere lab clock demo kill_anytime repository linux_guest)
[ $# -gt 0 ] || set -- "${all[@]}"

passed=0 failed=0 report=
for suite in "$@"; do
    if [ "$(type -t "$suite")" != function ]; then
        echo "no suite '$suite'; there are: ${all[*]} release zfs" >&2
        exit 2
    fi
    printf '\n== %s\n' "$suite"
    started=$SECONDS
    if ("$suite"); then passed=$((passed + 1)) outcome=passed; else failed=$((failed + 1)) outcome=FAILED; fi
    report+=$(printf '%-12s %6s s  %s' "$suite" $((SECONDS - started)) "$outcome")$'\n'
done

printf '\n== suites, in seconds\n%s\n%s passed, %s failed\n' "$report" "$passed" "$failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# Runs test suites and says how long each took: tests/run.sh [SUITE...], all but release by default.
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

# Every platform's programs and the artifact: asked for by name, because seven programs are linked from scratch.
release() { tests/release/run.sh; }

# A machine with real ZFS, emulated.
zfs() { tests/zfs/run.sh; }

# Every example of the documentation as it is written, where it can be run.
examples() { tests/examples/run.sh; }

# Those that use every core by themselves, or make what others use.
first=(build format clippy rust)
# The others wait much, for guests, clocks and connections: two at a time. A lane keeps apart what cannot be started twice.
lanes=("unit sanity zfs examples" "programs page delivery elsewhere lab clock demo kill_anytime repository linux_guest")
by_name=(release)

known=" ${first[*]} ${lanes[*]} ${by_name[*]} "
for suite in "$@"; do
    [[ $known = *" $suite "* ]] || { echo "no suite '$suite'; there are:$known" >&2; exit 2; }
done

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT

# Runs suites one after another; each leaves a line of the report.
in_turn() {
    local suite started outcome
    for suite in "$@"; do
        printf '\n== %s\n' "$suite"
        started=$SECONDS outcome=passed
        ("$suite") || outcome=FAILED
        printf '%-12s %6s s  %s\n' "$suite" $((SECONDS - started)) "$outcome" >>"$reports/lines"
    done
}

# The same, and what a suite prints is shown when it has ended: as a whole, whatever runs beside it.
lane() {
    local suite
    for suite in "$@"; do
        in_turn "$suite" >"$reports/$suite" 2>&1
        flock "$reports" cat "$reports/$suite"
    done
}

# Each lane is a process group of its own, which an interrupt reaches as a whole.
side_by_side() {
    local each groups=()
    set -m
    for each in "$@"; do
        # shellcheck disable=SC2086 # a list of suites
        lane $each </dev/null &
        groups+=("-$!")
    done
    set +m
    trap 'trap - INT TERM; kill -INT -- "${groups[@]}"; wait; exit 130' INT TERM
    wait
    trap - INT TERM
}

started=$SECONDS
if [ $# -gt 0 ]; then
    in_turn "$@"
else
    in_turn "${first[@]}"
    side_by_side "${lanes[@]}"
fi
printf '\n== suites, %s seconds in all\n' $((SECONDS - started))
cat "$reports/lines"
failed=$(grep -c FAILED "$reports/lines")
printf '\n%s passed, %s failed\n' $(($(wc -l <"$reports/lines") - failed)) "$failed"
[ "$failed" -eq 0 ]

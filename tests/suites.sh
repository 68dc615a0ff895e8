# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# The suites: what each runs, and how they are planned for two cores. Sourced by run.sh in the tree's folder.
# A suite sets up what it needs, ends what it starts, and passes beside any suite of the other lane.


build() { tests/setup/packages.sh gcc pkg-config && tests/setup/target.sh begin && modules/install.sh; }

format() { cargo fmt --all --check; }

# And each part of the program by itself: a release for Linux is made of some of them.
clippy() {
    cargo clippy --quiet --workspace --all-targets --locked -- -D warnings || return
    local part
    for part in clocks domains images looks; do
        cargo clippy --quiet -p apiary --no-default-features --features "$part" --locked -- -D warnings || return
    done
}

rust() {
    tests/setup/packages.sh bzip2 dosfstools gcc gpg gpg-agent gpgv libvirt0 lz4 mtools openssh-client openssh-server openssl python3-yaml qemu-utils \
        xz-utils zfsutils-linux zstd && cargo test --quiet --workspace --locked --no-fail-fast
}

unit() { tests/unit/run.sh; }

# The programs by hand.
programs() {
    tests/setup/packages.sh zstd && "$(tests/setup/venv.sh newest)/bin/python" -m pytest -q -p no:cacheprovider --durations=3 tests/integration
}

# The catalogue's page and the documentation site in a real browser.
page() { tests/page/run.sh && tests/page/site.sh; }

# Playbooks, roles and documentation, as Ansible's own tools see them.
sanity() { tests/sanity/run.sh; }

# ansible-test sanity of every ansible-core that is declared and supported.
all_cores() { tests/sanity/run.sh oldest core-2.19 core-2.20 newest; }

# A real sshd, targets without Python, things broken on purpose.
delivery() { tests/delivery/run.sh; }

# A real libvirt with qemu.
lab() { tests/lab/run.sh; }

# libvirt's own bhyve driver, built for this system.
bhyve() { tests/bhyve/run.sh; }

# libvirt's own tests of that driver, built with the shims that it is built with here.
bhyve_shims() { tests/bhyve/conversions.sh; }

# A real OpenNTPD under a virtual clock.
clock() {
    tests/setup/packages.sh gcc iproute2 libc6-dev strace util-linux && modules/install.sh &&
        tests/lab/ntp/run.sh && tests/integration/promtool.sh && tests/integration/monitoring.sh && tests/integration/openntpd/run.sh
}

# The same daemons six times, each time with other delays, offsets, moments and sizes: 252 plays.
all_clocks() { tests/setup/packages.sh gcc iproute2 libc6-dev util-linux && modules/install.sh && ROUNDS=6 tests/lab/ntp/run.sh; }

# The main job: publish, deploy, boot; then the same with everything killed at random moments.
demo() { tests/demo/test.sh; }

kill_anytime() { tests/integration/kill.sh; }

# Calls that fail, and kills between any two of them, in every program that writes.
faults() { tests/faults/run.sh; }

all_faults() { tests/faults/run.sh --whole; }

# A real Linux with cloud-init, through the whole chain; it takes minutes to boot without KVM.
linux_guest() { tests/lab/linux_guest/test.sh; }

# The seeds of Linux guests, as three versions of cloud-init read them, and ifupdown and netplan what these make of them.
cloud_init() { tests/cloud_init/run.sh; }

# The role image_repository with a real sshd and nginx.
repository() { tests/integration/image_repository.sh; }

# The collection installed outside of this tree, and a guest deployed from there by a plain playbook.
elsewhere() { tests/elsewhere/run.sh; }

# Every platform's programs and the artifact.
release() { tests/release/run.sh; }

# What the next one needs, where it has not been built yet.
zfs_machine() { tests/setup/packages.sh cpio gcc openssh-client qemu-system-x86 && tests/zfs/host.sh build; }

# A machine with real ZFS, emulated.
zfs() { tests/zfs/run.sh; }

# The second day from its first deployment to its last removal, on such a machine with libvirt and qemu in it.
story() { tests/story/run.sh; }

# Streams altered as streams: what we accept must be what ZFS makes of it, says a second reader.
mutants() { tests/mutants/run.sh; }

all_mutants() { MUTANTS=5000 tests/mutants/run.sh; }

# Every example of the documentation as it is written, where it can be run.
examples() { tests/examples/run.sh; }

# Faults put into a copy of the tree on purpose: the suites that should see them must fail.
mutations() { tests/mutations/run.sh; }

# The runner of these suites, on suites that fail; and the tree as another make and another system see it.
runner() { tests/setup/packages.sh bmake && "$(tests/setup/venv.sh newest)/bin/python" -m pytest -q -p no:cacheprovider tests/runner; }

# After a whole run that passed: other clones need not compile it again.
keep_for_others() { tests/setup/target.sh keep; }

# shellcheck disable=SC2034 # for run.sh
{
    # What makes what others use.
    first=(build format)
    # Most of the others wait, for guests, clocks and connections. All that boot an emulated machine are in the first lane and take more
    # than a core; the other lanes keep the second one busy. Where nothing has been built yet, the machine with ZFS takes ten minutes, in
    # which the Linux guest is built and booted.
    lanes=(
        "linux_guest zfs examples"
        "zfs_machine delivery lab mutants faults"
        "clippy rust unit runner sanity bhyve clock cloud_init repository kill_anytime programs page demo elsewhere"
    )
    # Asked for by name: ansible-test of three more cores; seven programs are linked from scratch, which takes Rust's own files for four platforms; a suite for each fault
    # in the tree; 10,000 mutants where 2,000 are usual; every fault of every call; six rounds of clocks for one; libvirt's own tests, which ask about the shims alone; guests in an
    # emulated machine, which is emulation within emulation.
    by_name=(all_cores release mutations all_mutants all_faults all_clocks bhyve_shims story)
}

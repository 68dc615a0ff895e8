#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures a task that finds a running guest as it should be: our program by itself, and through Ansible beside
# community.libvirt.virt on the same domain. On a libvirtd of one's own.
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
runs=20
# Through Ansible a task takes far longer.
tasks=5

tests/setup/packages.sh binutils libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-log \
    python3-libvirt python3-lxml qemu-system-x86 util-linux
venv=$(tests/setup/venv.sh newest)
PATH=$venv/bin:$PATH
native=$top/native/$("$top/modules/platform.sh")

. tests/setup/cache.sh
peer=$(cached community.libvirt 1 "$top/tests/bench/peer.sh")

work=$(mktemp -d /var/tmp/bench-domain.XXXXXX)
. tests/lab/libvirt.sh
trap 'libvirt_stop "$work"; rm -rf "$work"' EXIT
libvirt_start "$work"
tests/demo/make-disk.sh "$work/disk.raw" bench 16M
mkdir -p "$work/collections/ansible_collections/apiary"
ln -s "$top" "$work/collections/ansible_collections/apiary/bhyve"
cat >"$work/web1.xml" <<EOF
<domain type='qemu'>
  <name>web1</name>
  <memory unit='MiB'>32</memory>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type='file'>
      <driver name='qemu' type='raw'/>
      <source file='$work/disk.raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
EOF
cat >"$work/ours.yml" <<'EOF'
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - apiary.bhyve.libvirt_domain: {name: web1, uri: "{{ uri }}", xml: "{{ lookup('file', work ~ '/web1.xml') }}"}
      loop: "{{ range(runs | int) | list }}"
EOF
cat >"$work/peer.yml" <<'EOF'
- hosts: all
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: /usr/bin/python3}
  tasks:
    - community.libvirt.virt: {name: web1, uri: "{{ uri }}", state: running}
      loop: "{{ range(runs | int) | list }}"
EOF
printf -- '- hosts: all\n  gather_facts: false\n' >"$work/nothing.yml"

python - "$native/libvirt_domain" "$work" "$LIBVIRT_URI" "$runs" "$tasks" "$work/collections:$peer" <<'PYTHON'
import json, os, resource, statistics, subprocess, sys, time

program, work, uri, runs, tasks, collections = sys.argv[1:]
runs, tasks = int(runs), int(tasks)
options = json.dumps({"name": "web1", "uri": uri, "xml": open(work + "/web1.xml").read()})

def once():
    started = time.monotonic()
    done = subprocess.run([program, "-"], input=options, capture_output=True, text=True)
    reply = json.loads(done.stdout)
    assert not reply.get("failed"), reply
    return reply, time.monotonic() - started

def play(name):
    started = time.monotonic()
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", f"{work}/{name}.yml", "-e", f"uri={uri} work={work} runs={tasks}"],
        capture_output=True, text=True, env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections},
    )
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return time.monotonic() - started

assert once()[0]["changed"] is True
assert once()[0]["changed"] is False
before = resource.getrusage(resource.RUSAGE_CHILDREN)
replies = [once() for _ in range(runs)]
after = resource.getrusage(resource.RUSAGE_CHILDREN)
processor = sum(getattr(after, kind) - getattr(before, kind) for kind in ("ru_utime", "ru_stime")) / runs
inside = [reply["timings"]["total"]["seconds"] for reply, _ in replies]
loading = [reply["timings"]["connect"]["seconds"] for reply, _ in replies]
print("a running guest that is as it should be, %d runs, load %.1f" % (runs, os.getloadavg()[0]))
print("libvirt_domain by itself, median: %.1f ms" % (statistics.median(spent for _, spent in replies) * 1e3))
# What a busy machine does not change much.
print("  processor time, mean:           %.1f ms" % (processor * 1e3))
print("  as it reports it:               %.1f ms" % (statistics.median(inside) * 1e3))
print("  of that loading libvirt, connecting: %.1f ms" % (statistics.median(loading) * 1e3))
# The best of three: whatever else the machine does only adds.
best = lambda name: min(play(name) for _ in range(3))
nothing = best("nothing")
for label, name in [("apiary.bhyve.libvirt_domain", "ours"), ("community.libvirt.virt", "peer")]:
    print("%-28s %.0f ms per task, through Ansible" % (label + ":", (best(name) - nothing) / tasks * 1e3))
PYTHON

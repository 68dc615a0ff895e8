#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures verifying and replaying of a stream of 1 GiB of data on a 4 GiB volume, beside zstream dump on the same file.
# Everything is in the page cache and runs on one core; "GB/s" is stream bytes per second of CPU time.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v zstream >/dev/null || PATH=$PATH:/usr/sbin
for tool in zstream taskset python3 /usr/bin/time; do
    command -v "$tool" >/dev/null || {
        echo "bench: $tool is missing; install zfsutils-linux (Debian contrib), util-linux, time and python3" >&2
        exit 1
    }
done

modules/install.sh
cargo build --release --locked --quiet -p zfs_stream --examples
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-streams.XXXXXX")
trap 'rm -rf "$work"' EXIT

python3 - "$work/disk" <<'PYTHON'
import os, sys
with open(sys.argv[1], "wb") as disk:
    disk.truncate(4 << 30)
    for part in range(64):  # 16 MiB of data in every 64 MiB
        disk.seek(part * (64 << 20))
        disk.write(os.urandom(16 << 20))
PYTHON

python3 - "$work" "native/$(modules/platform.sh)/zfs_receive" <<'PYTHON'
import json, os, subprocess, sys

work, zfs_receive = sys.argv[1:]
at = lambda name: os.path.join(work, name)


def measured(words):
    """Runs a command on one core; its CPU seconds, wall seconds and peak memory in MiB."""
    timed = ["/usr/bin/time", "-o", at("times"), "-f", "%U %S %e %M", "taskset", "-c", "0", *words]
    run = subprocess.run(timed, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        sys.exit("bench: %s failed: %s%s" % (" ".join(words), run.stdout.decode(), run.stderr.decode()))
    with open(at("times")) as times:
        user, system, wall, peak = map(float, times.read().split())
    return user + system, wall, peak / 1024


def receive(stream, **options):
    with open(at("arguments.json"), "w") as file:
        json.dump(dict(src=at(stream), path=at("volume"), **options), file)
    return [zfs_receive, at("arguments.json")]


def show(name, stream, figures):
    cpu, wall, peak = figures
    print("%-34s %8.2f %8.2f %8.2f %10.1f" % (name, cpu, wall, os.path.getsize(at(stream)) / cpu / 1e9, peak))


def row(name, stream, words):
    show(name, stream, min(measured(words) for _ in range(3)))


def replay(name, stream):
    results = []
    for _ in range(3):
        if os.path.exists(at("volume")):
            os.unlink(at("volume"))
        results.append(measured(receive(stream)))
    show(name, stream, min(results))
    os.unlink(at("volume"))


print("%-34s %8s %8s %8s %10s" % ("", "CPU s", "wall s", "GB/s", "peak MiB"))
for block in (16384, 131072):
    size = "%dK" % (block // 1024)
    writing = ["target/release/examples/write_stream", at("disk"), at("stream"), str(block)]
    show("write " + size, "stream", measured(writing))
    row("zstream dump " + size, "stream", ["zstream", "dump", at("stream")])
    row("verify (zfs_receive, check) " + size, "stream", receive("stream", _ansible_check_mode=True))
    replay("replay (zfs_receive) " + size, "stream")
    os.unlink(at("stream"))
PYTHON

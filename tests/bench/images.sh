#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures publishing a packed disk of 4 GiB with 1 GiB of data, fetching it from a web server that breaks off once, and a catalogue of
# 2,000 images, each beside what a user would pick instead. The last columns are multiples of that; on a busy machine the one of CPU seconds says more.
#   images.sh [MIB]   with so many MiB of data in place of 1024, and a disk four times as large
# What is resident includes the windows of compressors: zstd's is 2 MiB a thread at level 3.
set -euo pipefail
cd "$(dirname "$0")/../.."
native=native/$(modules/platform.sh)
here=tests/bench

for tool in xz zstd curl python3 /usr/bin/time; do
    command -v "$tool" >/dev/null || {
        echo "bench: $tool is missing; install xz-utils, zstd, curl, python3 and time" >&2
        exit 1
    }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-images.XXXXXX")
trap 'rm -rf "$work"' EXIT

python3 - "$work/disk.raw" "${1:-1024}" <<'PYTHON'
import os, random, sys
random.seed(1)
words = [bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz", k=random.randint(3, 10))) for _ in range(20000)]
text = b" ".join(random.choices(words, k=2 << 20))[: 8 << 20]
parts = int(sys.argv[2]) // 16
with open(sys.argv[1], "wb") as disk:
    disk.truncate(parts * (64 << 20))
    for part in range(parts):  # 16 MiB of data in every 64 MiB
        disk.seek(part * (64 << 20))
        disk.write(os.urandom(8 << 20))
        disk.write(text)
    disk.seek(510)
    disk.write(b"\x55\xaa")
PYTHON
xz -1 -T0 -k "$work/disk.raw"
zstd -q -3 -T0 "$work/disk.raw"

PYTHONPATH=$here python3 - "$work" "$native" "$here" <<'PYTHON'
import os, shutil, subprocess, sys
import many_images
from measured import Bench

work, native, here = sys.argv[1:]
bench = Bench(work, native)
at, row = bench.at, bench.row
bench.timed(bench.module("bhyve_catalog_key", path=at("key")))


def publish(source, **more):
    return bench.module("bhyve_catalog", path=at("built"), name="big", version="1", source=at(source), signing_key=at("key"), **more)


xz = row("xz -dc | sha256sum", bench.shell("xz -dc disk.raw.xz | sha256sum"))
row("publish from .raw.xz (at most 1.1)", publish("disk.raw.xz"), ["built"], xz)
zstd = row("zstd -dc | zstd -T0", bench.shell("zstd -dcq disk.raw.zst | zstd -q -3 -T0 -o t.zst"), ["t.zst"])
row("publish from .raw.zst (at most 1.3)", publish("disk.raw.zst"), ["built"], zstd)
row("publish from .raw", publish("disk.raw"), ["built"])
row("publish from .raw, one thread (64 MiB)", publish("disk.raw", compression_threads=1), ["built"])

# The server breaks off each first transfer of a package in the middle.
server = subprocess.Popen([sys.executable, os.path.join(here, "breaking_server.py"), at("built")], stdout=subprocess.PIPE, text=True)
try:
    url = server.stdout.readline().strip()
    package = "All/big-1.pkg"
    once = "curl -sf -o copy %s/%s || true; curl -sSf -C - -o copy %s/%s; sha256sum copy" % ((url, package) * 2)
    curl = row("curl, curl -C -, sha256sum", bench.shell(once), ["copy"])
    fetch = bench.module("bhyve_image", name="big-1", repository=url, store=at("store"), pubkey=at("key.pub"))
    row("fetch by http, broken off once (at most 1.0)", fetch, ["store"], curl)
finally:
    server.kill()
    server.wait()

# 2,000 images of 25 MiB.
shutil.rmtree(at("built"))
bench.timed(bench.shell("head -c 64K /dev/urandom >one.raw; printf '\\x55\\xaa' | dd of=one.raw bs=1 seek=510 conv=notrunc status=none"))


def many(name, version):
    return bench.module("bhyve_catalog", path=at("many"), name=name, version=version, source=at("one.raw"), os="none", signature_type="none")


alone = row("publish one image alone", many("image", "0"), ["many"])
many_images.fill(at("many"), 2000)
bench.timed(many("next", "0"))
walls = [bench.timed(many("next", str(number)))[0] for number in (1, 2)]
print("%-44s %8.2f" % ("publish into 2,000, beyond that (1 s)", min(walls) - alone[0]), flush=True)
row("list 2,000 (0.1 s)", bench.module("bhyve_image_info", repository=[at("many")], store=at("store"), signature_type="none"))
PYTHON

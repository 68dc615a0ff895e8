#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures publishing and fetching of a volume of 4 GiB with 1 GiB of data, half of it random and half of it words, beside what a
# user would pick instead. Everything is in the page cache if there is room for it; the better of two runs counts.
set -euo pipefail
cd "$(dirname "$0")/../.."
native=native/$(modules/platform.sh)

for tool in tar zstd curl openssl python3 /usr/bin/time; do
    command -v "$tool" >/dev/null || {
        echo "bench: $tool is missing; install tar, zstd, curl, openssl, python3 and time" >&2
        exit 1
    }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-catalogue.XXXXXX")
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

python3 - "$work/disk" <<'PYTHON'
import os, random, sys
random.seed(1)
words = [bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz", k=random.randint(3, 10))) for _ in range(20000)]
text = b" ".join(random.choices(words, k=2 << 20))[: 8 << 20]
with open(sys.argv[1], "wb") as disk:
    disk.truncate(4 << 30)
    for part in range(64):  # 16 MiB of data in every 64 MiB
        disk.seek(part * (64 << 20))
        disk.write(os.urandom(8 << 20))
        disk.write(text)
PYTHON

# A server that sends files as the kernel does, whose start is waited for.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir "$work/catalogue"
python3 -m http.server --bind 127.0.0.1 --directory "$work/catalogue" "$port" >/dev/null 2>&1 &
server=$!
# shellcheck source=tests/patience.sh
. tests/patience.sh
wait_for 60 "the server on port $port" curl -sS -o /dev/null "http://127.0.0.1:$port/"

python3 - "$work" "$native" "http://127.0.0.1:$port" <<'PYTHON'
import json, os, shutil, subprocess, sys

work, native, url = sys.argv[1:]
at = lambda name: os.path.join(work, name)


def timed(words):
    """Runs a command; its CPU seconds, wall seconds and peak memory in MiB."""
    run = subprocess.run(
        ["/usr/bin/time", "-o", at("times"), "-f", "%U %S %e %M", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        sys.exit("bench: %s failed: %s%s" % (" ".join(words), run.stdout.decode(), run.stderr.decode()))
    with open(at("times")) as times:
        user, system, wall, peak = map(float, times.read().split())
    return wall, user + system, peak / 1024


def row(name, size, words, forget=()):
    def once():
        for path in forget:
            shutil.rmtree(at(path), ignore_errors=True)
            if os.path.exists(at(path)):
                os.unlink(at(path))
        return timed(words)
    wall, cpu, peak = min(once(), once())
    print("%-38s %8.2f %8.2f %8.2f %8.0f %8.1f" % (name, wall, cpu, cpu / wall, size / wall / 1e6, peak), flush=True)


def module(program, **options):
    path = at(program + ".json")
    with open(path, "w") as file:
        json.dump(options, file)
    return [os.path.join(native, program), path]


def shell(script):
    return ["bash", "-c", "set -eo pipefail; cd %s; %s" % (work, script)]


print("%-38s %8s %8s %8s %8s %8s" % ("", "wall s", "CPU s", "CPU/wall", "MB/s", "peak MiB"))
timed(module("bhyve_catalog_key", path=at("key")))
data = 1 << 30
publish = module("bhyve_catalog", path=at("built"), name="big", version="1", source=at("disk"), signing_key=at("key"))
row("publish: bhyve_catalog", data, publish, ["built"])
row("publish: tar -S | zstd -T0, sha256sum", data, shell("tar -cSf - disk | zstd -q -3 -T0 -o t.zst; sha256sum t.zst"), ["t.zst"])
for name in os.listdir(at("built")):
    shutil.move(os.path.join(at("built"), name), at("catalogue"))
package = "All/big-1.pkg"
size = os.path.getsize(os.path.join(at("catalogue"), package))


def fetch(repository):
    return module("bhyve_image", name="big-1", repository=repository, store=at("store"), pubkey=at("key.pub"))


row("sha256sum alone", size, shell("sha256sum catalogue/" + package))
row("openssl sha256 alone", size, shell("openssl dgst -sha256 catalogue/" + package))
row("fetch from a path: bhyve_image", size, fetch(at("catalogue")), ["store"])
row("fetch from a path: cp, sha256sum", size, shell("cp catalogue/%s copy; sha256sum copy" % package), ["copy"])
row("fetch by http: bhyve_image", size, fetch(url), ["store"])
row("fetch by http: curl, sha256sum", size, shell("curl -sSfo copy %s/%s; sha256sum copy" % (url, package)), ["copy"])
PYTHON

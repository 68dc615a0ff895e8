# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs as somebody at a shell meets them: one JSON reply, one clear line, and memory that does not grow with the image."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import pathlib
import platform
import subprocess
import tarfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
NATIVE = TOP / "native" / ("%s-%s" % (platform.system().lower(), platform.machine()))
MODULES = sorted(path.stem for path in (TOP / "plugins" / "modules").glob("*.py") if (NATIVE / path.stem).exists())
MIB = 1 << 20


def run(program, *words, stdin=""):
    """The program's exit status, its one reply, and its peak memory in bytes."""
    child = subprocess.Popen([NATIVE / program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdin.write(stdin)
    child.stdin.close()
    output = child.stdout.read()
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert output.count("\n") == 1, output
    return child.returncode, json.loads(output), usage.ru_maxrss * 1024


def ask(program, **options):
    status, reply, peak = run(program, "-", stdin=json.dumps(options))
    assert status == 0, reply
    return reply, peak


def test_every_documented_module_is_built():
    documented = {path.stem for path in (TOP / "plugins" / "modules").glob("*.py")}
    # These run on the controller.
    assert documented - set(MODULES) <= {"job_status", "table", "volume_move"}


@pytest.mark.parametrize("program", MODULES)
@pytest.mark.parametrize(("arguments", "said"), [
    ("", "expected one JSON object"),
    ("[]", "expected a JSON object with the module's options, found a list"),
    ('{"no_such_option": 1}', "unknown field `no_such_option`, expected "),
    ("{" * 100000, "expected one JSON object"),
    ('{"_ansible_check_mode": true, "\\ud800": 1}', "expected one JSON object"),
])
def test_bad_arguments_get_one_clear_line(program, arguments, said):
    status, reply, _peak = run(program, "-", stdin=arguments)
    assert status == 1 and reply["failed"] and not reply["changed"]
    assert said in reply["msg"] and "\n" not in reply["msg"]
    assert "internal error" not in reply["msg"]


@pytest.mark.parametrize("program", MODULES)
def test_a_missing_file_is_named(program):
    status, reply, _peak = run(program, "/nowhere/arguments.json")
    assert status == 1
    assert reply["msg"] == "reading arguments from /nowhere/arguments.json: No such file or directory (os error 2)"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """4 GiB, of which 512 MiB are data that cannot be compressed."""
    path = tmp_path_factory.mktemp("disk") / "disk.raw"
    with open(path, "wb") as file:
        file.truncate(4096 * MIB)
        for part in range(32):
            file.seek(part * 128 * MIB)
            file.write(os.urandom(16 * MIB))
    yield path
    path.unlink()


def test_memory_does_not_grow_with_the_image(disk, tmp_path):
    _key, peak = ask("bhyve_catalog_key", path=str(tmp_path / "key"))
    assert peak < 64 * MIB
    _published, peak = ask(
        "bhyve_catalog", path=str(tmp_path / "catalog"), name="big", version="1", source=str(disk),
        signing_key=str(tmp_path / "key"), compression_level=1)
    assert peak < 64 * MIB
    fetched, peak = ask(
        "bhyve_image", name="big-1", repository=str(tmp_path / "catalog"), store=str(tmp_path / "store"),
        signature_type="pubkey", pubkey=str(tmp_path / "key.pub"))
    assert peak < 64 * MIB
    volume, peak = ask("zfs_receive", src=fetched["image"]["path"], path=str(tmp_path / "volume.raw"))
    assert peak < 64 * MIB
    assert volume["volume"]["size"] == 4096 * MIB
    assert subprocess.run(["cmp", disk, tmp_path / "volume.raw"], check=False).returncode == 0


def zstd(contents, window):
    """Packed fast, but unpacked with all the memory that the window wants: so many bytes, as a power of two."""
    words = ["zstd", "-1", "-q", "-c", "--zstd=wlog=%d" % window, "--stream-size=%d" % len(contents)]
    return subprocess.run(words, input=contents, stdout=subprocess.PIPE, check=True).stdout


def pack_twice(package, packed, inner, outer):
    """Writes the same package with its stream compressed, and itself compressed once more."""
    with tarfile.open(package) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]
    stream = zstd(members[-1][1], inner)
    built = io.BytesIO()
    with tarfile.open(fileobj=built, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for member, contents in members:
            if member.name.startswith("+"):
                manifest = json.loads(contents)
                manifest["flatsize"] = len(stream)
                for file in manifest.get("files", {}).values():
                    file["sum"] = "1$" + hashlib.sha256(stream).hexdigest()
                contents = json.dumps(manifest).encode()
            else:
                contents = stream
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))
    packed.write_bytes(zstd(built.getvalue(), outer))


def aside(function, *arguments):
    """Calls it in a process of its own: the peak of a program includes what its parent holds when it is started."""
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == 0


def test_memory_does_not_grow_with_what_an_image_is_packed_in(tmp_path):
    with open(tmp_path / "disk", "wb") as disk:
        for _each in range(40):
            disk.write(os.urandom(MIB))
    options = {"path": str(tmp_path / "catalog"), "name": "nested", "version": "1", "source": str(tmp_path / "disk")}
    ask("bhyve_catalog", signature_type="none", compression="none", **options)
    (package,) = (tmp_path / "catalog" / "All").iterdir()
    nested = tmp_path / "nested.pkg"
    aside(pack_twice, package, nested, 23, 25)
    _volume, peak = ask("zfs_receive", src=str(nested), path=str(tmp_path / "volume.raw"))
    assert peak < 64 * MIB
    assert subprocess.run(["cmp", tmp_path / "disk", tmp_path / "volume.raw"], check=False).returncode == 0

    aside(pack_twice, package, nested, 25, 25)
    options = {"src": str(nested), "path": str(tmp_path / "other.raw")}
    _status, reply, peak = run("zfs_receive", "-", stdin=json.dumps(options))
    assert "needs more memory than zstd -19 or xz -6, inside a package that is compressed itself" in reply["msg"]
    assert peak < 64 * MIB and not (tmp_path / "other.raw").exists()

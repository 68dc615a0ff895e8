# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The programs as somebody at a shell meets them: one JSON reply, one clear line, and memory that does not grow with the image."""

from __future__ import annotations

import json
import os
import pathlib
import platform
import subprocess

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
    # job_status runs on the controller.
    assert documented - set(MODULES) <= {"job_status"}


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

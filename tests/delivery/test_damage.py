# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on a target: always a plain failed task with one line, never an unreachable host."""

from __future__ import annotations

import json
import os
import shutil

import pytest


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def overwrite(path):
    with open(path, "r+b") as file:
        file.write(b"not a program at all")


def open_up(path):
    path.chmod(0o755)


def open_up_folder(path):
    path.parent.chmod(0o777)


def give_away(path):
    os.chown(path, 6005, 6005)


def give_away_link(path):
    elsewhere = path.parent.parent / "elsewhere"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def make_folder(path):
    path.unlink()
    path.mkdir()


DAMAGE = [truncate, empty, overwrite, open_up, open_up_folder, give_away, give_away_link, make_folder]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_damaged_or_foreign_file_is_sent_again(site, damage):
    site.ask("plain")
    (kept,) = site.kept("plain")
    damage(kept)
    site.exchanges()
    for exchanges in (2, 1):
        result = site.ask("plain")
        assert (result.get("text"), site.exchanges()) == ("hello", exchanges), result
    assert site.kept("plain") == [kept]


def test_damage_that_kept_its_stamp_is_found_after_the_crash(site):
    site.ask("plain")
    (kept,) = site.kept("plain")
    before = kept.stat()
    overwrite(kept)
    os.utime(kept, ns=(before.st_atime_ns, before.st_mtime_ns))
    result = site.ask("plain")
    assert result.get("text") == "hello", result
    (kept,) = site.kept("plain")
    with open(kept, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (before.st_size - 4096))
    os.utime(kept, ns=(before.st_atime_ns, before.st_mtime_ns))
    result = site.ask("plain")
    assert result["msg"] == "the copy of probe kept on the target was damaged and has been removed: run the task again"
    assert site.kept("plain") == []


def test_a_crash_is_a_failed_task(site):
    result = site.ask("plain", {"behaviour": "abort"})
    assert (result["msg"], result["rc"]) == ("probe was ended by SIGABRT without a reply", 134)


def test_an_error_keeps_its_words(site):
    result = site.ask("plain", {"behaviour": "fail", "text": "a"})
    assert (result["failed"], result["msg"]) == (True, 'doing what was asked: expected an answer, found "a"')


def test_noise_around_the_reply_is_dropped(site):
    startup = site.homes / "bash" / ".bashrc"
    startup.write_text('echo "Welcome {"; echo "to bash" >&2\n')
    assert site.ask("bash", {"behaviour": "noise"})["text"] == "hello"
    startup.unlink()


def test_a_platform_without_a_program_is_named(site):
    program = site.native / "linux-x86_64"
    program.rename(site.native / "linux-aarch64")
    result = site.ask("plain")
    (site.native / "linux-aarch64").rename(program)
    assert result["msg"] == "probe has no program for 'Linux x86_64'; it was built for: Linux aarch64"


def test_a_program_for_another_machine_is_named(site):
    program = site.native / "linux-x86_64" / "probe"
    whole = program.read_bytes()
    # The machine field of the ELF header: 183 is aarch64.
    program.write_bytes(whole[:18] + bytes([183]) + whole[19:])
    result = site.ask("plain")
    program.write_bytes(whole)
    assert "probe cannot run on the target: " in result["msg"] and "Exec format error" in result["msg"]
    site.forget("plain")


def test_a_program_that_was_never_built_is_named(site):
    program = site.native / "linux-x86_64" / "probe"
    program.rename(program.with_name("away"))
    result = site.ask("plain")
    program.with_name("away").rename(program)
    assert result["msg"].startswith("probe has not been built: run `make build`")


def test_a_full_disk_is_a_failed_task(site):
    result = site.ask("full")
    assert result["failed"] and "No space left on device" in result["msg"]
    assert site.kept("full") == []


def test_a_home_that_cannot_execute_uses_the_ordinary_transfer(site):
    result = site.ask("noexec", "text=x", "-e", "ansible_remote_tmp=/tmp/apiary-noexec")
    assert (result.get("text"), result.get("user")) == ("x", "noexec"), result
    refused = site.ask("noexec", "text=x")
    assert refused["failed"] and "Permission denied" in refused["msg"]


def test_a_home_of_somebody_else_is_not_used(site):
    assert site.ask("csh", "text=x")["text"] == "x"
    # Who owns the home could put another program in place of the kept one, just before it is run.
    give_away(site.homes / "csh")
    try:
        words = ("-m", "apiary.bhyve.probe", "-a", "text=x", "-e", "ansible_remote_tmp=/tmp/apiary-csh", "-vv")
        done = site.run("ansible", "csh", *words)
    finally:
        os.chown(site.homes / "csh", 6002, 6002)
    assert done.returncode == 0 and "csh belongs to somebody else" in done.stdout, done.stdout


def link(path):
    """Puts a link to a folder of ours in the place of a folder."""
    elsewhere = path.with_name(path.name + "-elsewhere")
    path.rename(elsewhere) if path.exists() else elsewhere.mkdir()
    path.symlink_to(elsewhere)


# What makes a place unfit for a program that root would run: each a path below the home and what is done to it.
UNFIT = {
    "home open to its group": ("", lambda path: path.chmod(0o775)),
    "home open to all": ("", lambda path: path.chmod(0o757)),
    "cache open to all": (".cache", lambda path: path.chmod(0o777)),
    "cache of somebody else": (".cache", lambda path: os.chown(path, 6005, 6005)),
    "cache is a link": (".cache", link),
    "folder of somebody else": (".cache/apiary.bhyve", lambda path: os.chown(path, 6005, 6005)),
    "folder is a link": (".cache/apiary.bhyve", link),
    "homes open to all": ("..", lambda path: path.chmod(0o777)),
    "homes of somebody else": ("..", lambda path: os.chown(path, 6005, 6005)),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_place_that_others_can_change_is_not_used(site, name):
    site.forget("csh")
    home = site.homes / "csh"
    (home / ".cache" / "apiary.bhyve").mkdir(parents=True)
    for path in (home / ".cache", home / ".cache" / "apiary.bhyve"):
        os.chown(path, 6002, 6002)
    below, spoil = UNFIT[name]
    spoil(home / below)
    before = [(path, path.lstat().st_mode) for path in sorted(home.rglob("*"))]
    try:
        words = ("-m", "apiary.bhyve.probe", "-a", "text=x", "-e", "ansible_remote_tmp=/tmp/apiary-csh", "-vv")
        done = site.run("ansible", "csh", *words)
        assert done.returncode == 0 and "using the ordinary transfer: " in done.stdout, done.stdout
        # Nothing was made, and no mode was changed through a link.
        assert [(path, path.lstat().st_mode) for path in sorted(home.rglob("*"))] == before
    finally:
        os.chown(site.homes, 0, 0)
        site.homes.chmod(0o755)
        home.chmod(0o755)
        for path in home.glob(".cache*"):
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
    assert site.ask("csh", "text=x")["text"] == "x"


def test_folders_that_not_even_their_owner_can_write_to_are_as_good(site):
    """As `/` and `/root` are in some distributions."""
    site.forget("csh")
    site.homes.chmod(0o555)
    try:
        for exchanges in (2, 1):
            site.exchanges()
            assert (site.ask("csh", "text=x")["text"], site.exchanges()) == ("x", exchanges)
    finally:
        site.homes.chmod(0o755)


def test_an_account_without_a_home_uses_the_ordinary_transfer(site):
    result = site.ask("homeless", "text=x", "-e", "ansible_remote_tmp=/tmp/apiary-homeless")
    assert (result.get("text"), result.get("user")) == ("x", "homeless"), result


def test_an_upload_cut_short_leaves_nothing_that_runs(site):
    site.ask("plain")
    (kept,) = site.kept("plain")
    # A connection that died half-way: the same bytes under the name an upload starts with.
    partial = kept.with_name(".new.abcdef")
    partial.write_bytes(kept.read_bytes()[:1000])
    os.utime(partial, (0, 0))
    kept.unlink()
    assert site.ask("plain")["text"] == "hello"
    assert site.kept("plain") == [kept] and not partial.exists()


def test_an_older_version_is_swept(site):
    site.ask("plain")
    (kept,) = site.kept("plain")
    old = kept.with_name("probe-linux-x86_64-" + 64 * "0")
    other = kept.with_name("other-linux-x86_64-" + 64 * "0")
    kept.rename(old)
    other.touch()
    site.ask("plain")
    assert site.kept("plain") == sorted([kept, other])
    other.unlink()


def test_an_unreachable_host_stays_unreachable(site):
    assert site.ask("plain", "", "-e", "ansible_port=1")["unreachable"]


def test_fifty_cold_starts_onto_one_account(site):
    site.forget("crowd")
    done = site.run("ansible", "crowds", "-m", "apiary.bhyve.probe", "-f", "25", "-o")
    failed = [line for line in done.stdout.splitlines() if "| FAILED" in line or "UNREACHABLE" in line]
    assert (failed, done.stdout.count("| SUCCESS =>")) == ([], 50)
    assert len(site.kept("crowd")) == 1


# What happens to the folder d of kept programs and to the one kept there, f, between two tasks.
MISHAPS = [
    ": >$f",
    "head -c 1000 $f >$d/half; cat $d/half >$f; rm $d/half",
    "rm $f",
    "rm -r $d",
    "chmod 755 $f",
    "chmod 777 $d",
    "rm $f; mkdir $f",
    "ln -sf /bin/false $f",
    "touch $f",
    "echo no program | dd of=$f conv=notrunc 2>/dev/null",
]


def test_two_hundred_tasks_with_mishaps_between_them(site):
    tasks = []
    for number in range(200):
        wrong = "answer.text != '%d'" % number
        tasks.append({"apiary.bhyve.probe": {"text": str(number)}, "register": "answer", "failed_when": wrong})
        if number % 5 == 4:
            mishap = MISHAPS[number // 5 % len(MISHAPS)]
            # A mishap that finds nothing to spoil is an error of this test.
            spoil = "set -e; d=$HOME/.cache/apiary.bhyve; f=$(ls -d $d/probe-*); %s" % mishap
            tasks.append({"ansible.builtin.raw": spoil})
    play = {"hosts": "plain", "gather_facts": False, "tasks": tasks}
    (site.folder / "mishaps.yml").write_text(json.dumps([play]))
    site.forget("plain")
    site.exchanges()
    done = site.run("ansible-playbook", "mishaps.yml")
    assert done.returncode == 0, done.stdout[-2000:]
    # The first task is cold, and so is the one after a mishap, but for the last.
    assert site.exchanges() == 200 + 40 + 40
    site.forget("plain")

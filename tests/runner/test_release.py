# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release in one command, in a copy of the tree, with a key of its own and programs that need not be built; tests/release has those."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
KEY = "release@test.invalid"
NAME = "apiary-bhyve-7.8.9"


class Tree:
    """A copy with a history of its own."""

    def __init__(self, folder, keys):
        self.folder, self.environment = folder, {**os.environ, "GNUPGHOME": str(keys), "GIT_CONFIG_GLOBAL": "/dev/null"}
        for name in ("AUTHOR", "COMMITTER"):
            self.environment.update({"GIT_%s_NAME" % name: "Tests", "GIT_%s_EMAIL" % name: KEY, "GIT_%s_DATE" % name: "2026-01-02T03:04:05Z"})
        known = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, check=True, capture_output=True, text=True)
        # Their contents are of no interest here.
        for name in filter(None, known.stdout.split("\0")):
            if (TOP / name).exists() and not name.startswith("tests/fixtures/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, folder / name)
        if not list((folder / "changelogs/fragments").glob("*.yml")):
            (folder / "changelogs/fragments/one.yml").write_text("---\nminor_changes: [something new]\n")
        self.git("init", "--quiet")
        self.commit()

    def git(self, *words):
        return subprocess.run(["git", *words], cwd=self.folder, env=self.environment, check=True, capture_output=True, text=True).stdout

    def commit(self):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "The tree")

    def has_a_home(self):
        galaxy = self.folder / "galaxy.yml"
        galaxy.write_text(galaxy.read_text().replace(".example/", ".invalid/"))
        self.commit()

    def release(self, *words):
        command = [self.folder / ".ci/release", *words]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    folder.chmod(0o700)
    words = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", KEY, "ed25519", "sign", "never"]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "GNUPGHOME": str(folder)})
    yield folder
    subprocess.run(["gpgconf", "--kill", "all"], check=False, env={**os.environ, "GNUPGHOME": str(folder)})


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs") / "native"
    (folder / "linux-x86_64").mkdir(parents=True)
    (folder / "linux-x86_64/apiary").write_bytes(b"a program")
    (folder / "linux-x86_64/ntpd_check").symlink_to("apiary")
    return folder


def test_what_is_not_fit_for_a_release_is_refused_in_one_line(tmp_path, keys, programs):
    tree = Tree(tmp_path, keys)
    given = ("--key", KEY, "--programs", str(programs))
    for words, expected in (
        (["next", *given], "release: expected a version as in 0.2.0, found 'next'"),
        (["7.8.9"], "release: expected --key"),
        (["7.8.9", "--key", "nobody@test.invalid"], "release: expected a secret key of 'nobody@test.invalid', found none"),
        (["7.8.9", *given], "release: expected addresses that there are in galaxy.yml"),
    ):
        status, told, reason = tree.release(*words)
        assert (status, told, reason.count("\n")) == (1, "", 1) and reason.startswith(expected), reason
    tree.has_a_home()
    tree.git("tag", "v7.8.9")
    assert tree.release("7.8.9", *given)[2] == "release: expected a new version, found the tag v7.8.9\n"
    (tree.folder / "strange").touch()
    assert tree.release("7.8.8", *given)[2] == "release: expected everything committed, found ?? strange\n"


def test_a_release_is_whole_signed_and_the_same_from_another_folder(tmp_path, keys, programs):
    made = []
    for name in ("one", "two"):
        tree = Tree(tmp_path / name, keys)
        tree.has_a_home()
        status, told, reason = tree.release("7.8.9", "--key", KEY, "--programs", str(programs))
        assert status == 0, (told, reason)
        made.append(tree.folder / "release/7.8.9")
    for artifact in (NAME + ".tar.gz", "without-programs/%s.tar.gz" % NAME, NAME + ".cdx.json", "SHA256SUMS"):
        assert (made[0] / artifact).read_bytes() == (made[1] / artifact).read_bytes(), artifact
    assert tree.git("tag").split() == ["v7.8.9"] and tree.git("status", "--porcelain") == ""
    assert "v7.8.9\n======" in (tree.folder / "CHANGELOG.rst").read_text() and 'version = "7.8.9"' in (tree.folder / "Cargo.toml").read_text()
    judge(made[0], keys)


def judge(folder, keys):
    """What somebody who downloads it does first."""
    environment = {**os.environ, "GNUPGHOME": str(keys)}
    subprocess.run(["gpg", "--verify", "SHA256SUMS.asc", "SHA256SUMS"], cwd=folder, check=True, capture_output=True, env=environment)
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    for artifact in (folder / (NAME + ".tar.gz"), folder / "without-programs" / (NAME + ".tar.gz")):
        with tarfile.open(artifact) as archive:
            names = archive.getnames()
            manifest, listed = (archive.extractfile(name).read() for name in ("MANIFEST.json", "FILES.json"))
            assert json.loads(manifest)["file_manifest_file"]["chksum_sha256"] == hashlib.sha256(listed).hexdigest()
            for file in json.loads(listed)["files"]:
                if file["ftype"] == "file":
                    assert hashlib.sha256(archive.extractfile(file["name"]).read()).hexdigest() == file["chksum_sha256"], file
        assert ("plugins/plugin_utils/_native/linux-x86_64/apiary" in names) == ("without" not in str(artifact)), names
        command = ["gpg", "--verify", str(artifact) + ".asc", "-"]
        subprocess.run(command, input=manifest, check=True, capture_output=True, env=environment)
    parts = json.loads((folder / (NAME + ".cdx.json")).read_text())
    assert parts["metadata"]["component"]["version"] == "7.8.9" and "ring" in {part["name"] for part in parts["components"]}

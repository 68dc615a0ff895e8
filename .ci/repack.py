# Copyright: the apiary.bhyve developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes artifacts of `ansible-galaxy collection build` the same whenever and wherever they are built: repack.py ARTIFACT...

That command lists files as the file system happens to have them, and writes its own time. SOURCE_DATE_EPOCH is written instead.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

MANIFEST, FILES = "MANIFEST.json", "FILES.json"


def repacked(path, moment):
    """The whole artifact, in order and with one time."""
    with tarfile.open(path) as archive:
        members = {member.name: (member, archive.extractfile(member).read() if member.isfile() else b"") for member in archive}
    files = json.loads(members[FILES][1])
    files["files"].sort(key=lambda file: file["name"])
    listed = json.dumps(files, indent=1).encode()
    manifest = json.loads(members[MANIFEST][1])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(listed).hexdigest()
    members[FILES] = (members[FILES][0], listed)
    members[MANIFEST] = (members[MANIFEST][0], json.dumps(manifest, indent=1).encode())
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        # Galaxy reads the manifest first.
        for name in sorted(members, key=lambda name: (name not in (MANIFEST, FILES), name == FILES, name)):
            member, content = members[name]
            member.mtime, member.uid, member.gid, member.uname, member.gname, member.pax_headers = moment, 0, 0, "", "", {}
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if member.isfile() else None)
    whole = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=whole, mode="wb", compresslevel=9, mtime=moment) as file:
        file.write(plain.getvalue())
    return whole.getvalue()


def main(*paths):
    """Puts each in the place of what was there."""
    moment = int(os.environ["SOURCE_DATE_EPOCH"])
    for path in paths:
        contents = repacked(path, moment)
        with open(path + ".part", "wb") as file:
            file.write(contents)
        os.replace(path + ".part", path)


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: GPL-3.0-or-later
# GPL-3.0-or-later
"""Private folders with a real OpenNTPD and its libraries, unpacked from Debian packages; nothing is installed."""

import glob
import os
import re
import shutil
import subprocess
import sys

LIBRARIES = ["libc6", "libtls28t64", "libssl3t64", "libgcc-s1", "libzstd1", "zlib1g"]
DEVICES = ["null", "urandom"]
PASSWD = """root:x:0:0:root:/root:/bin/sh
ntpd:x:990:990:ntpd:/var/empty:/usr/sbin/nologin
_ntpd:x:990:990:ntpd:/var/empty:/usr/sbin/nologin
openntpd:x:990:990:ntpd:/var/empty:/usr/sbin/nologin
"""
GROUP = "root:x:0:\nntpd:x:990:\n_ntpd:x:990:\nopenntpd:x:990:\n"


CACHE = os.environ["OPENNTPD_ROOTS"]  # roots.sh says which
VERSIONS = ["distribution", "newest"]


class Unavailable(Exception):
    """This machine's package mirror does not have that version."""


def run(*words, cwd=None):
    return subprocess.run(words, cwd=cwd, check=True, capture_output=True, text=True).stdout


def ready(version):
    """The folder of a version that has been prepared, if it has."""
    root = os.path.join(CACHE, version)
    return root if os.path.exists(os.path.join(root, "lab", "ready")) else None


def prepare(version):
    """Unpacks `distribution` or `newest` once; later runs need no network."""
    if ready(version):
        return
    root = os.path.join(CACHE, version)
    shutil.rmtree(root, ignore_errors=True)
    packages = os.path.join(CACHE, version + "-packages")
    shutil.rmtree(packages, ignore_errors=True)
    os.makedirs(packages)
    if version == "distribution":
        run("apt-get", "-o", "APT::Sandbox::User=root", "download", "openntpd", cwd=packages)
    else:
        download_newest(packages)
    for package in glob.glob(os.path.join(packages, "*.deb")):
        run("dpkg-deb", "-x", package, root)
    shutil.rmtree(packages)
    furnish(root, own_libraries=version == "distribution")


def download_newest(packages):
    """From Debian's development branch, over the mirror that this system already uses."""
    listed = run("apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages")
    codename = re.search(r"^VERSION_CODENAME=(\S+)", run("cat", "/etc/os-release"), re.M)
    mirrors = [line.split()[1] for line in listed.splitlines() if codename and line.startswith(codename.group(1) + " ")]
    if not mirrors:
        raise Unavailable("no Debian mirror in apt's sources")
    state = os.path.join(packages, "apt")
    os.makedirs(os.path.join(state, "lists", "partial"))
    os.makedirs(os.path.join(state, "archives", "partial"))
    with open(os.path.join(state, "sid.sources"), "w", encoding="utf-8") as file:
        signed = "/usr/share/keyrings/debian-archive-keyring.gpg"
        file.write(f"Types: deb\nURIs: {mirrors[0]}\nSuites: sid\nComponents: main\nSigned-By: {signed}\n")
    options = [
        "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={state}",
        "-o", f"Dir::State::lists={state}/lists", "-o", f"Dir::Cache={state}", "-o", "APT::Sandbox::User=root",
    ]
    try:
        run("apt-get", *options, "update")
        run("apt-get", *options, "download", "openntpd", *LIBRARIES, cwd=packages)
    except subprocess.CalledProcessError as error:
        raise Unavailable(error.stderr.strip().splitlines()[-1]) from error
    shutil.rmtree(state)


def furnish(root, own_libraries):
    """What the daemon needs beside itself: users, services, devices, folders, libraries."""
    for folder in ["etc", "lab", "dev", "var/empty", "var/lib/openntpd/db", "var/lib/openntpd/run", "run/openntpd", "proc"]:
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    os.chmod(os.path.join(root, "var/empty"), 0o755)
    if not os.path.exists(os.path.join(root, "var/run")):
        os.symlink("/run", os.path.join(root, "var/run"))
    for name, text in {"passwd": PASSWD, "group": GROUP, "services": "ntp 123/udp\n", "hosts": "127.0.0.1 localhost\n"}.items():
        with open(os.path.join(root, "etc", name), "w", encoding="utf-8") as file:
            file.write(text)
    for device in DEVICES:
        with open(os.path.join(root, "dev", device), "w", encoding="utf-8"):
            pass  # the run mounts the machine's own over it
    if own_libraries:
        copy_libraries(root)
    link_merged(root)
    with open(os.path.join(root, "lab", "ready"), "w", encoding="utf-8"):
        pass


def copy_libraries(root):
    """The package is of this system's release, so its libraries are the right ones."""
    listed = run("ldd", os.path.join(root, "usr/sbin/ntpd"), os.path.join(root, "usr/sbin/ntpctl"))
    for library in set(re.findall(r"(/\S+\.so\S*)", listed)):
        target = root + library
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(library, target)


def link_merged(root):
    """The loader's path is /lib64; newer packages keep everything below /usr."""
    for name in ["lib", "lib64"]:
        below, above = os.path.join(root, "usr", name), os.path.join(root, name)
        if os.path.isdir(below) and not os.path.exists(above):
            os.symlink("usr/" + name, above)


def main():
    """Prepares both; only the distribution's own version must be there."""
    os.makedirs(CACHE, exist_ok=True)
    for version in VERSIONS:
        try:
            prepare(version)
        except Unavailable as why:
            print(f"the {version} OpenNTPD cannot be had here: {why}", file=sys.stderr)


if __name__ == "__main__":
    main()

#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Prepares libvirt with its bhyve driver to be built on this Linux: tests/bhyve/source.sh FOLDER [MESON OPTIONS...]. The driver's own
# files are Debian's source package, unchanged; what FreeBSD would give them is in shims/. FOLDER gets source/ and build/.
set -euo pipefail
folder=$1
shift
here=$(cd "$(dirname "$0")" && pwd)

mirror=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 == "main" && !/security/ { print $3; exit }')
[ -n "$mirror" ] || { echo "looking for the system's Debian mirror: apt's sources name none" >&2; exit 1; }
mkdir -p "$folder/lists/partial"
cd "$folder"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources.list
apt() {
    apt-get -q -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$folder/lists" \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root "$@"
}
apt update
# apt holds the archive's signature and the file's checksum against each other.
apt source --download-only --only-source --tar-only libvirt
rm -rf lists
mkdir source
tar -xf libvirt_*.orig.tar.xz --strip-components 1 -C source
rm libvirt_*.orig.tar.xz

# The two places that know of FreeBSD: where the driver is switched on, and what it is made of.
cd source
python3 - "$here/shims" <<'PYTHON'
import pathlib, re, sys

shims = sys.argv[1]
top = pathlib.Path("meson.build")
text = top.read_text()
begin = text.index("if not get_option('driver_bhyve').disabled() and host_machine.system()")
end = text.index("endif\n", text.index("The bhyve driver cannot be enabled")) + len("endif\n")
programs = "".join(f"conf.set_quoted('{name.upper()}', '/usr/sbin/{name}')\n" for name in ("bhyve", "bhyvectl", "bhyveload"))
top.write_text(text[:begin] + "conf.set('WITH_BHYVE', 1)\n" + programs + text[end:])
driver = pathlib.Path("src/bhyve/meson.build")
text = driver.read_text()
text = text.replace("      bhyve_sources,\n    ],", f"      bhyve_sources,\n      files('{shims}/freebsd.c'),\n    ],\n    c_args: ['-I{shims}', '-include', 'tap.h'],", 1)
driver.write_text(text)
PYTHON
meson setup ../build --prefix=/usr --sysconfdir=/etc --localstatedir=/var -Drunstatedir=/run --buildtype=plain -Dauto_features=disabled \
    -Ddriver_remote=enabled -Ddriver_libvirtd=enabled -Djson_c=enabled -Dlibnl=enabled -Dgit_werror=disabled -Dinit_script=none \
    -Dno_git=true -Dremote_default_mode=legacy "$@"

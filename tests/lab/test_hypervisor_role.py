# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role that prepares a host: for real without packages and services, and the whole of it in check mode."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"


@pytest.fixture
def play(tmp_path):
    collections = tmp_path / "collections/ansible_collections/apiary"
    collections.mkdir(parents=True)
    (collections / "bhyve").symlink_to(TOP)

    def run(variables, *words):
        """The recap's counts and the whole output."""
        host = tmp_path / "host"
        everything = {
            "hypervisor_image_store": f"{host}/images", "hypervisor_seed_folder": f"{host}/seeds",
            "hypervisor_console_folder": f"{host}/consoles", "hypervisor_volume_folder": f"{host}/volumes",
            "bhyve_catalog_pubkey": f"{host}/keys/images.pub", "hypervisor_catalog_key": KEY,
            "hypervisor_boot_script": f"{host}/libexec/apiary-guests", "hypervisor_unit": f"{host}/apiary-guests.service", **variables,
        }
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", "-c", "local", "apiary.bhyve.hypervisor", "-e", json.dumps({"bhyve_hosts": "localhost", **everything}), *words],
            capture_output=True, text=True, env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3"},
        )
        counts = {word: int(count) for word, count in re.findall(r"(\w+)=(\d+)", done.stdout.split("PLAY RECAP")[-1])}
        return counts, done.stdout + done.stderr

    run.host = tmp_path / "host"
    return run


def modes(folder):
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir() if path.is_dir()}


def test_a_debian_host_in_check_mode(play):
    # Those of the role in the versions that the suite has installed, which may come from backports.
    counts, output = play({"hypervisor_packages": ["libvirt-clients", "libvirt-daemon-driver-qemu", "qemu-system-x86"]}, "--check")
    assert (counts["failed"], counts["changed"] > 0) == (0, True), output
    assert not play.host.exists(), "check mode wrote"


def test_debian_has_the_packages():
    platforms = yaml.safe_load((TOP / "roles/hypervisor/vars/main.yml").read_text())["hypervisor_platforms"]
    subprocess.run(["apt-cache", "show", "--no-all-versions", *platforms["Debian"]["packages"]], check=True, capture_output=True)


def test_files_are_made_once(play):
    files_only = {"hypervisor_packages": [], "hypervisor_manage_services": False}
    counts, output = play(files_only)
    assert (counts["failed"], counts["changed"]) == (0, 6), output
    assert modes(play.host) == {"images": "0o755", "seeds": "0o711", "consoles": "0o711", "volumes": "0o711", "keys": "0o755", "libexec": "0o755"}
    assert (play.host / "keys/images.pub").read_text() == KEY + "\n"
    counts, output = play(files_only)
    assert (counts["failed"], counts["changed"]) == (0, 0), output


def test_guests_in_an_order_have_a_service(play):
    files_only = {"hypervisor_packages": [], "hypervisor_manage_services": False}
    counts, output = play({**files_only, "guest_uri": "qemu+unix:///system?socket=%2Frun%2Fl", "hypervisor_guests_stop_timeout": 200})
    assert counts["failed"] == 0, output
    script, unit = play.host / "libexec/apiary-guests", play.host / "apiary-guests.service"
    assert (script.read_text(), oct(script.stat().st_mode & 0o777)) == ((TOP / "roles/hypervisor/files/apiary-guests").read_text(), "0o755")
    # systemd's own reading of it, whose own %2F is another thing.
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert "apiary-guests.service" not in said.stderr, said.stderr
    text = unit.read_text()
    assert 'Environment="APIARY_GUESTS_URI=qemu+unix:///system?socket=%%2Frun%%2Fl"\n' in text and "TimeoutStopSec=260\n" in text


FAKE_ZFS = """#!/bin/sh
case $1 in
list) cat "$FILE_SYSTEMS" ;;
create) [ "$2 $3 $4" = "-p -o mountpoint=none" ] && echo "$5" >>"$FILE_SYSTEMS" ;;
*) exit 2 ;;
esac
"""


def test_file_systems_are_made_once(play, tmp_path, monkeypatch):
    there = tmp_path / "file-systems"
    there.write_text("zroot\nzroot/guests\n")
    zfs = tmp_path / "bin/zfs"
    zfs.parent.mkdir()
    zfs.write_text(FAKE_ZFS)
    zfs.chmod(0o755)
    monkeypatch.setenv("FILE_SYSTEMS", str(there))
    monkeypatch.setenv("PATH", f"{zfs.parent}:{os.environ['PATH']}")
    with_zfs = {"hypervisor_packages": [], "hypervisor_manage_services": False, "hypervisor_volume_folder": ""}
    play({**with_zfs, "hypervisor_datasets": []})
    counts, output = play(with_zfs, "--check")
    assert (counts["failed"], counts["changed"]) == (0, 1), output
    assert "zroot/images" in output and there.read_text() == "zroot\nzroot/guests\n"
    for changed in (1, 0):
        counts, output = play(with_zfs)
        assert (counts["failed"], counts["changed"]) == (0, changed), output
    assert there.read_text() == "zroot\nzroot/guests\nzroot/images\n"


# Stand-ins for FreeBSD's kldstat(8), kldload(8) and service(8), with a kernel that has if_tuntap built in.
FAKE_FREEBSD = {
    "kldstat": 'case "$1 $2" in "-q -m") grep -qx "$3" "$STATE/loaded" "$STATE/built-in" ;; "-q -n") grep -qx "${3%.ko}" "$STATE/loaded" ;; *) exit 2 ;; esac',
    "kldload": '[ "$1" != "$BROKEN" ] || { echo "kldload: cannot load $1: Operation not supported" >&2; exit 1; }; echo "$1" >>"$STATE/loaded"',
    "sysctl": """case $1 in
-n) cat "$STATE/sysctl-$2" ;;
*) echo "${1#*=}" >"$STATE/sysctl-${1%%=*}" ;;
esac""",
    "service": 'echo "$*" >>"$STATE/calls"',
    "zfs": """case $1 in
list) cut -f 1 "$STATE/zfs" ;;
create) [ "$*" = "create -p -o mountpoint=none -o volmode=dev $7" ] && printf '%s\\tdev\\n' "$7" >>"$STATE/zfs" ;;
get) shift 5; for name; do grep "^$name	" "$STATE/zfs"; done ;;
set) sed -i "s|^$3	.*|$3	dev|" "$STATE/zfs" ;;
esac""",
}


@pytest.fixture
def freebsd(play, tmp_path, monkeypatch):
    """The options of a host with FreeBSD's commands, and the folder of what they have done."""
    state, programs = tmp_path / "state", tmp_path / "bin"
    state.mkdir()
    programs.mkdir()
    for name, script in FAKE_FREEBSD.items():
        (programs / name).write_text("#!/bin/sh\n" + script + "\n")
        (programs / name).chmod(0o755)
    (state / "sysctl-net.link.tap.up_on_open").write_text("0\n")
    for name, text in {"loaded": "nmdm\n", "built-in": "if_tuntap\n", "calls": "", "zfs": "zroot\tdefault\nzroot/guests\tdefault\n"}.items():
        (state / name).write_text(text)
    monkeypatch.setenv("STATE", str(state))
    monkeypatch.setenv("BROKEN", "none")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (tmp_path / "rc.conf").write_text('kld_list="zfs"\ncloned_interfaces="lo1"\nhostname="hv1"\n')
    return {
        "hypervisor_packages": [], "hypervisor_system": "FreeBSD", "hypervisor_platform": {"group": "root"},
        "hypervisor_rc_script": str(tmp_path / "rc.d"), "hypervisor_rc_conf": str(tmp_path / "rc.conf"), "hypervisor_sysctl_conf": str(tmp_path / "sysctl.conf"), "hypervisor_bridge": "bridge0", "hypervisor_bridge_members": ["em0", "vlan7"],
        "hypervisor_manage_services": False,
    }, state


def test_a_freebsd_host_adds_to_what_its_site_says(play, freebsd):
    options, _state = freebsd
    for changed in (True, False):
        counts, output = play(options)
        assert (counts["failed"], counts["changed"] > 0) == (0, changed), output
    assert not (play.host / "consoles").exists()
    # The file is what FreeBSD makes of it: a shell script.
    said = subprocess.run(
        ["sh", "-euc", '. "$1"; printf "%s|" "$hostname" "$kld_list" "$cloned_interfaces" "$ifconfig_bridge0" "$apiary_guests_enable$apiary_guests_uri"', "sh", options["hypervisor_rc_conf"]],
        check=True, capture_output=True, text=True,
    ).stdout
    assert said == "hv1|zfs vmm nmdm if_bridge|lo1 bridge0|addm em0 addm vlan7 up|YES|"
    assert os.access(options["hypervisor_rc_script"], os.X_OK) and not (play.host / "apiary-guests.service").exists()


def managed(options):
    """The same options, with modules and the bridge brought about now; libvirt's service is what no stand-in here has."""
    return {**options, "hypervisor_manage_services": True, "hypervisor_service": "none"}


def test_a_freebsd_host_loads_what_is_missing_and_makes_its_bridge(play, freebsd):
    options, state = freebsd
    _counts, output = play(managed(options), "--check")
    assert "vmm if_bridge" in output and (state / "loaded").read_text() == "nmdm\n"
    play(managed(options))
    assert (state / "loaded").read_text().split() == ["nmdm", "vmm", "if_bridge"]
    assert (state / "calls").read_text() == "netif onestart bridge0\n"
    assert (state / "sysctl-net.link.tap.up_on_open").read_text() == "1\n"
    assert "\nnet.link.tap.up_on_open=1\n" in pathlib.Path(options["hypervisor_sysctl_conf"]).read_text()
    play(managed(options))
    assert (state / "calls").read_text() == "netif onestart bridge0\n", "a bridge that is there is left alone"


def test_a_vmm_that_cannot_be_loaded_is_a_fault(play, freebsd, monkeypatch):
    monkeypatch.setenv("BROKEN", "vmm")
    counts, output = play(managed(freebsd[0]))
    assert counts["failed"] == 1 and "cannot load vmm: Operation not supported" in output


def test_volumes_are_shown_as_plain_devices(play, freebsd):
    options, state = freebsd
    with_zfs = {**options, "hypervisor_volume_folder": "", "hypervisor_datasets": ["zroot/guests", "zroot/images"]}
    for changed in (True, False):
        counts, output = play(with_zfs)
        assert (counts["failed"], counts["changed"] > 0) == (0, changed), output
    assert (state / "zfs").read_text() == "zroot\tdefault\nzroot/guests\tdev\nzroot/images\tdev\n"


@pytest.mark.parametrize("wrong", [
    {"hypervisor_bridge": "bridge0"},
    {"hypervisor_system": "FreeBSD", "hypervisor_bridge": "bridge0; reboot"},
    {"hypervisor_system": "FreeBSD", "hypervisor_bridge_members": ["em0"]},
    {"hypervisor_system": "FreeBSD", "hypervisor_bridge": "bridge0", "hypervisor_bridge_members": ["em0 $(reboot)"]},
    {"bhyve_catalog_pubkey": ""},
    {"hypervisor_system": "Solaris"},
])
def test_options_that_make_no_sense_are_refused(play, wrong):
    counts, output = play(wrong, "--check")
    assert counts["failed"] == 1 and "Expected FreeBSD or Debian" in output, output
    assert not play.host.exists()

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One story of two hypervisors, by the playbooks: a newer image, a restart that is due, a guest that moves, one that is renamed, one
that stands still, one whose memory was saved, one that is broken, and those that go."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess

import pytest

from patience import patience

TOP = pathlib.Path(__file__).resolve().parents[2]
BANNER = "apiary demo guest %s is up"


class Host:
    """A hypervisor without ZFS, with a libvirtd of its own, on this machine."""

    def __init__(self, name, folder, uri):
        self.name, self.folder, self.uri, self.guests = name, folder, uri, {}
        folder.mkdir()

    def variables(self, catalogue):
        return {
            "ansible_connection": "local",
            "bhyve_guests": self.guests,
            "bhyve_catalog": f"file://{catalogue}",
            "bhyve_catalog_pubkey": f"{catalogue.parent}/catalog.key.pub",
            "guest_folder": str(self.folder / "volumes"),
            "guest_image_store": str(self.folder / "images"),
            "guest_seed_folder": str(self.folder / "seeds"),
            "guest_console_folder": str(self.folder),
            "guest_uri": self.uri,
            "guest_template": "qemu",
            "guest_accelerator": "tcg",
            "guest_shutdown_timeout": patience(30),
            "guest_wait_timeout": patience(60),
        }

    def virsh(self, *words):
        return subprocess.run(["virsh", "-q", "-c", self.uri, *words], capture_output=True, text=True, check=True).stdout.strip()

    def running(self):
        return sorted(self.virsh("list", "--name").split())

    def volumes(self):
        return sorted(file.name for file in (self.folder / "volumes").glob("*"))


class Site:
    """The inventory of both, and the playbooks."""

    def __init__(self, folder, hosts):
        self.folder, self.hosts, self.versions = folder, hosts, []
        self.catalogue = folder / "catalogue"
        self.catalogue.mkdir()
        collections = folder / "ansible_collections/apiary"
        collections.mkdir(parents=True)
        (collections / "bhyve").symlink_to(TOP)

    def inventory(self):
        repository = {
            "ansible_connection": "local",
            "bhyve_catalog_path": str(self.catalogue),
            "bhyve_catalog_signing_key": str(self.folder / "catalog.key"),
            "bhyve_catalog_make_key": True,
            "bhyve_images": [
                {"name": "demo", "version": version, "source": str(self.folder / f"{version}.raw"), "os": "none"} for version in self.versions
            ],
        }
        groups = {
            "bhyve_repository": {"hosts": {"repo": repository}},
            "bhyve_hypervisors": {"hosts": {host.name: host.variables(self.catalogue) for host in self.hosts}},
        }
        (self.folder / "hosts.json").write_text(json.dumps(groups))
        return str(self.folder / "hosts.json")

    def with_one_that_is_down(self, name):
        """A further inventory, with a hypervisor that nobody can reach."""
        down = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
        (self.folder / "down.json").write_text(json.dumps({"bhyve_hypervisors": {"hosts": {name: down}}}))
        return str(self.folder / "down.json")

    def play(self, name, *words, code=0):
        """What a playbook has printed, as one line of words."""
        done = subprocess.run(
            ["ansible-playbook", "-i", self.inventory(), f"apiary.bhyve.{name}", *words], capture_output=True, text=True,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(self.folder), "ANSIBLE_HOME": str(self.folder / "home"), "ANSIBLE_NOCOLOR": "1"}, timeout=patience(600),
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def publish(self, version):
        subprocess.run([TOP / "tests/demo/make-disk.sh", self.folder / f"{version}.raw", version, "16M", "obeys"], check=True)
        self.versions.append(version)
        self.play("publish")

    def deploy(self, *words, code=0):
        return self.play("deploy", *words, code=code)


def changes(said, host):
    return int(re.search(rf"^{host} .*changed=(\d+)", said, re.M)[1])


def row(said, guest):
    """The words of a guest's line in the table."""
    return re.search(rf'^\s*"?{guest} +(.*?)"?,?$', said, re.M)[1].split()


def guest(**more):
    return {"image": "demo", "vcpus": 1, "memory": "32M", **more}


@pytest.fixture
def site(lab, second_daemon, tmp_path):
    return Site(tmp_path, [Host("hv1", tmp_path / "hv1", lab.uri), Host("hv2", tmp_path / "hv2", second_daemon.uri)])


def test_the_second_day(site):
    hv1, hv2 = site.hosts
    site.publish("20260101")
    hv1.guests["web1"] = guest(wait_for={"console": BANNER % "20260101"})
    said = site.deploy()
    assert changes(said, "hv1") == 3 and row(said, "web1")[:2] == ["running", "demo-20260101"]
    assert said.count("guest  state") == 1 and hv2.running() == []

    # A newer image: who is there keeps its own and hears of it, who is new takes it.
    site.publish("20260601")
    said = site.deploy()
    assert changes(said, "hv1") == 0 and row(said, "web1")[-2:] == ["newer:", "20260601"]
    hv1.guests["web2"] = guest(wait_for={"console": BANNER % "20260601"})
    said = site.deploy("--limit", "hv1", "-i", site.with_one_that_is_down("hv3"))
    assert "it is not known whether one of these guests still runs on hv3, which did not answer" in said
    assert row(said, "web2")[:2] == ["running", "demo-20260601"] and row(said, "web1")[1] == "demo-20260101"

    # A guest that runs needs neither store nor catalogue.
    site.catalogue.rename(site.folder / "elsewhere")
    (hv1.folder / "images").rename(site.folder / "images")
    said = site.deploy()
    assert changes(said, "hv1") == 0 and row(said, "web1")[0] == "running" and "whether there is a newer image cannot be told" in said
    (site.folder / "elsewhere").rename(site.catalogue)
    (site.folder / "images").rename(hv1.folder / "images")

    # A restart that is due is shown until it is done.
    hv1.guests["web1"]["memory"] = "48M"
    assert [row(site.deploy(), "web1")[-2:] for _ in range(2)] == [["restart", "due"]] * 2
    hv1.guests["web1"]["restart"] = "if_changed"
    said = site.deploy()
    assert changes(said, "hv1") == 1 and "restart due" not in said

    # One that moves does not run twice.
    hv2.guests["web2"] = hv1.guests.pop("web2")
    said = site.deploy(code=2)
    assert "web2: it still runs on hv1" in said and row(said, "web2")[0] in ("failed", "running") and hv2.running() == []
    assert hv1.running() == ["web1", "web2"]
    # Not even where the play leaves the host out that still runs it.
    said = site.deploy("--limit", "hv2", code=2)
    assert "web2: it still runs on hv1" in said and hv2.running() == []
    assert "web2 is on hv1 and hv2" in site.play("remove", "-e", "bhyve_remove=web2", code=2)
    site.play("remove", "-e", "bhyve_remove=web2", "--limit", "hv1")
    site.deploy()
    assert (hv1.running(), hv2.running(), hv1.volumes()) == (["web1"], ["web2"], ["web1.raw"])

    # One that was renamed is known under its old name, and removed by it; nobody else is taken for it.
    hv1.guests["www1"] = hv1.guests.pop("web1")
    del hv1.guests["www1"]["wait_for"]
    said = site.deploy()
    assert row(said, "web1")[-5:] == "in no bhyve_guests of this host".split()[-5:] and hv1.running() == ["web1", "www1"]
    said = site.play("remove", "-e", "bhyve_remove=web1,wwww1", code=2)
    assert "found wwww1; they have: web1, web2, www1" in said and hv1.running() == ["web1", "www1"]
    site.play("remove", "-e", "bhyve_remove=web1")
    assert (hv1.running(), hv1.volumes()) == (["www1"], ["www1.raw"])

    # One that stands still goes on, and one whose memory was saved runs what was defined then: a restart is due.
    hv1.virsh("suspend", "www1")
    assert row(site.deploy(), "www1")[0] == "running" and hv1.virsh("domstate", "www1") == "running"
    hv1.virsh("managedsave", "www1")
    hv1.guests["www1"].update(memory="32M", restart="never")
    assert [row(site.deploy(), "www1")[-2:] for _ in range(2)] == [["restart", "due"]] * 2
    hv1.virsh("suspend", "www1")

    # One that cannot be deployed keeps nobody waiting, whether the check or the host finds out.
    hv1.guests.update(bad=guest(image="nothing"), worse=guest(memory=2048), db1=guest())
    said = site.deploy(code=2)
    assert hv1.running() == ["db1", "www1"] and hv1.virsh("domstate", "www1") == "running" and row(said, "bad")[0] == row(said, "worse")[0] == "failed"
    assert "bad: no image nothing is in the catalogue" in said and "did you mean 2048M" in said
    del hv1.guests["bad"], hv1.guests["worse"]

    # A guest that stands still cannot shut down, and goes all the same.
    hv1.virsh("suspend", "www1")
    site.play("remove", "-e", "bhyve_remove=all")
    assert (hv1.running(), hv2.running(), hv1.volumes(), hv2.volumes()) == ([], [], [], [])
    assert changes(site.play("remove", "-e", "bhyve_remove=all"), "hv1") == 0


def defined(**more):
    """A guest that is not started, which is quicker, and has a seed."""
    return guest(state="present", seed={"family": "linux"}, **more)


def seeds(host):
    return sorted(file.stem for file in (host.folder / "seeds").glob("*.seed"))


def test_one_guest_that_cannot_go_keeps_what_is_its_own_and_nobody_elses(site, lab):
    hv1, dummy = site.hosts
    site.publish("20260101")
    hv1.guests.update(web1=defined(), web2=defined(), web3=defined())
    site.deploy()
    assert hv1.volumes() == ["web1.raw", "web2.raw", "web3.raw"] and seeds(hv1) == ["web1", "web2", "web3"]

    before = hv1.volumes(), seeds(hv1), lab.everything()
    said = site.play("remove", "-e", "bhyve_remove=all", "--check")
    assert row(said, "web2") == ["to", "go"] * 3 and "3 of 3 guests would be removed" in said
    assert (hv1.volumes(), seeds(hv1), lab.everything()) == before

    # libvirt cannot delete a definition that has become a folder.
    (definition,) = lab.folder.glob("**/qemu/web2.xml")
    text = definition.read_text()
    definition.unlink()
    (definition / "in the way").mkdir(parents=True)
    said = site.play("remove", "-e", "bhyve_remove='web3, web2 web1'", code=2)
    assert row(said, "web1") == row(said, "web3") == ["removed"] * 3 and row(said, "web2") == ["kept"] * 3
    assert "2 of 3 guests removed" in said and "web2: " in said.partition("Tell which guests were not removed")[2]
    assert (hv1.volumes(), seeds(hv1), lab.names()) == (["web2.raw"], ["web2"], ["web2"])

    (definition / "in the way").rmdir()
    definition.rmdir()
    definition.write_text(text)
    assert row(site.play("remove", "-e", "bhyve_remove=all"), "web2") == ["removed"] * 3
    assert (hv1.volumes(), seeds(hv1), lab.names()) == ([], [], [])


def test_what_a_removal_that_was_cut_has_left_is_found_by_name(site, lab):
    hv1, hv2 = site.hosts
    site.publish("20260101")
    hv1.guests.update(web1=defined(), web2=defined())
    hv2.guests.update(web3=defined())
    site.deploy()
    # Cut when the domain was gone, and when the seed was, too.
    hv1.guests.clear()
    lab.virsh("undefine", "web1")
    lab.virsh("undefine", "web2")
    (hv1.folder / "seeds/web2.seed").unlink()
    theirs = hv1.folder / "volumes/web9.raw"
    theirs.write_text("a disk of somebody else")

    said = site.play("remove", "-e", "bhyve_remove=web1,wbe2,web9", code=2)
    assert "found wbe2, web9; they have: web1, web3" in said and "web9 on hv1: removing" in said and "not made by zfs_receive" in said
    assert hv1.volumes() == ["web1.raw", "web2.raw", "web9.raw"]
    said = site.play("remove", "-e", "bhyve_remove=web1,web2,web3", "--check")
    assert row(said, "web1") == ["none", "to", "go", "to", "go"] and row(said, "web2") == ["none", "none", "to", "go"]
    said = site.play("remove", "-e", '{"bhyve_remove": ["web1", "web2", "web3"]}')
    assert row(said, "web1") == ["none", "removed", "removed"] and row(said, "web2") == ["none", "none", "removed"]
    del hv2.guests["web3"]
    assert (hv1.volumes(), seeds(hv1), hv2.volumes()) == (["web9.raw"], [], []) and theirs.read_text() == "a disk of somebody else"

    # A host that cannot be asked is named, and keeps what it has.
    hv1.guests.update(web1=defined())
    site.deploy()
    hv1.uri = "qemu+unix:///system?socket=/nowhere"
    said = site.play("remove", "-e", "bhyve_remove=web7", code=2)
    assert "found web7; they have: web1; did you mean web1?; not asked, because they failed: hv1" in said
    site.play("remove", "-e", "bhyve_remove=all", code=2)
    assert (hv1.volumes(), seeds(hv1), hv2.volumes()) == (["web1.raw", "web9.raw"], ["web1"], [])


def disks(host, name, *more):
    """Targets and sources of a domain's disks, as it is defined, or as it runs."""
    words = ["--inactive"] if not more else []
    return dict(re.findall(r"^ *(\S+) +(\S+)$", host.virsh("domblklist", name, *words), re.M))


def test_data_disks(site):
    hv1, _ = site.hosts
    site.publish("20260101")
    old = site.folder / "old.raw"
    old.write_bytes(b"old" + bytes(1 << 20))
    hv1.guests.update(web1=guest(disks={"data": {"size": "16M"}}), web2=guest(disks={"bad": {"size": "16M", "bus": "nvme"}}))
    said = site.deploy(code=2)
    assert "'disks.bad.bus' is nvme, which template qemu does not have" in said and hv1.running() == ["web1"]
    del hv1.guests["web2"]
    at = hv1.folder / "volumes"
    assert hv1.volumes() == ["web1.raw", "web1:data.raw"]
    assert disks(hv1, "web1", "running") == {"vda": f"{at}/web1.raw", "vdc": f"{at}/web1:data.raw"}
    assert ((at / "web1:data.raw").stat().st_size, (at / "web1:data.raw").stat().st_mode & 0o7777) == (16 << 20, 0o600)
    assert changes(site.deploy(), "hv1") == 0

    # More disks, and a larger one: the guest has them after a restart, which is due until then.
    with open(at / "web1:data.raw", "r+b") as data:
        data.write(b"precious")
    hv1.guests["web1"]["disks"].update(data={"size": "32M"}, old={"path": str(old), "bus": "sata"}, log={"size": "8M"})
    said = site.deploy()
    assert row(said, "web1")[-2:] == ["restart", "due"] and row(site.deploy(), "web1")[-2:] == ["restart", "due"]
    wanted = {"vda": f"{at}/web1.raw", "vdc": f"{at}/web1:data.raw", "sdb": str(old), "vdd": f"{at}/web1:log.raw"}
    assert (disks(hv1, "web1"), len(disks(hv1, "web1", "running"))) == (wanted, 2)
    hv1.guests["web1"]["restart"] = "if_changed"
    site.deploy()
    assert disks(hv1, "web1", "running") == wanted and (at / "web1:data.raw").stat().st_size == 32 << 20

    # One that cannot be made fails its guest, by name.
    hv1.guests["web1"]["disks"]["data"]["size"] = "16M"
    said = " ".join(site.deploy(code=2).split())
    assert "web1: disk data: option `volsize` is 16M, but" in said and "volumes are grown, never shrunk" in said
    hv1.guests["web1"]["disks"]["data"]["size"] = "32M"

    # Taken out of the dictionary, it is detached, and its volume stays.
    del hv1.guests["web1"]["disks"]["log"]
    site.deploy()
    assert "vdd" not in disks(hv1, "web1", "running") and "web1:log.raw" in hv1.volumes()

    # Nothing that is not named is destroyed, and what is named has to be there.
    named = ("-e", "bhyve_remove=web1", "-e")
    for wrong, answer in (("web1:dta", "found web1:dta; they have: web1:data"), ("web1:old", "found web1:old"), ("web9:data", "found web9")):
        assert answer in " ".join(site.play("remove", *named, f"guest_remove_disks={wrong}", code=2).split())
    assert hv1.running() == ["web1"]
    said = site.play("remove", *named, "guest_remove_disks=", "--check")
    assert f"kept: {at}/web1:data.raw; add -e guest_remove_disks=web1:data to destroy it" in said
    assert f"kept: {at}/web1:data.raw" in site.play("remove", *named[:2])
    assert (hv1.running(), hv1.volumes()) == ([], ["web1:data.raw", "web1:log.raw"])

    # Deployed anew, it has what was on the disk before.
    site.deploy()
    assert (at / "web1:data.raw").read_bytes().startswith(b"precious") and hv1.running() == ["web1"]
    said = site.play("remove", *named, "guest_remove_disks=web1:data")
    assert said.count("kept:") == 1 and f"kept: {at}/web1:log.raw" in said and f"gone with web1: {at}/web1:data.raw" in said
    assert hv1.volumes() == ["web1:log.raw"] and old.read_bytes().startswith(b"old")


def told(said, guest):
    return re.search(rf'"?{guest} +(.*?)"?,?$', said, re.M)[1]


def booted(host, name):
    """The process of a guest: another one after each start."""
    return host.virsh("domid", name)


def test_restart_and_list(site):
    hv1, hv2 = site.hosts
    site.publish("20260101")
    hv1.guests["web1"] = guest(wait_for={"console": BANNER % "20260101"})
    hv1.guests["web2"] = guest(wait_for={"console": BANNER % "20260101"})
    site.deploy()
    first = {name: booted(hv1, name) for name in hv1.guests}

    # Whoever is named is restarted, and nobody else; a look changes nothing.
    assert "Say which guests to restart" in site.play("restart", code=2)
    assert "found web3" in site.play("restart", "-e", "guest_names=web3", code=2)
    assert changes(site.play("restart", "-e", "guest_names=web1", "--check"), "hv1") == 1
    assert {name: booted(hv1, name) for name in hv1.guests} == first
    said = site.play("restart", "-e", "guest_names=web1")
    assert changes(said, "hv1") == 1 and row(said, "web1")[:2] == ["changed", "running"]
    assert booted(hv1, "web1") != first["web1"] and booted(hv1, "web2") == first["web2"]

    # Only those whose restart is due.
    hv1.guests["web1"]["memory"] = "48M"
    site.deploy()
    site.publish("20260601")
    assert "restart, new 20260601" in told(site.play("list"), "web1")
    both = ("-e", "guest_names=web1,web2", "-e", "guest_restart=if_changed")
    said = site.play("restart", *both)
    assert row(said, "web1")[0] == "changed" and row(said, "web2")[0] == "unchanged"
    assert changes(site.play("restart", *both), "hv1") == 0

    # One that is off is started, unless its dictionary wants it off.
    hv1.guests["web2"].update(state="shutoff")
    site.deploy()
    assert changes(site.play("restart", "-e", "guest_names=web2"), "hv1") == 0 and hv1.running() == ["web1"]
    hv1.virsh("destroy", "web1")
    assert changes(site.play("restart", "-e", "guest_names=web1"), "hv1") == 1 and hv1.running() == ["web1"]

    # Who is named has to be there.
    hv1.guests["web4"] = guest()
    assert "web4: it is not on this host: deploy it first" in site.play("restart", "-e", "guest_names=web4", code=2)
    assert changes(site.play("restart", "-e", "guest_names=all", "--check"), "hv1") == 1

    # A raw file has no snapshots, and says so of each guest; nobody is stopped for it.
    for verb in ("snapshot", "rollback"):
        assert f"Say {'of which' if verb == 'snapshot' else 'which'} guests" in " ".join(site.play(verb, "-e", "guest_names=web2", code=2).split())
        said = site.play(verb, "-e", "guest_names=web1,web2", "-e", "guest_snapshot=a", "-e", "guest_stop=true", code=2)
        assert all(f"{name}: snapshots need ZFS: the volume is the file" in said for name in ("web1", "web2")) and hv1.running() == ["web1"]
    assert "web1: snapshots need ZFS" in site.play("rollback", "-e", "guest_names=web1", "-e", "guest_snapshot=a", code=2)

    # Who has moved, who is in no dictionary, who was made by hand, and what is left over.
    for name in ("web3", "web4", "web5"):
        hv1.guests[name] = guest(state="present")
    site.deploy()
    hv2.guests["web3"] = hv1.guests.pop("web3")
    del hv1.guests["web4"], hv1.guests["web5"]
    hv1.virsh("undefine", "web4")
    by_hand = site.folder / "by-hand.xml"
    by_hand.write_text("<domain type='qemu'><name>by-hand</name><memory>65536</memory><os><type>hvm</type></os></domain>")
    hv1.virsh("define", str(by_hand))
    said = site.play("list")
    assert told(said, "web3").endswith("moved to hv2") and told(said, "web5").endswith("in no bhyve_guests")
    assert told(said, "by-hand").endswith("not managed") and f"left on hv1: {hv1.folder}/volumes/web4.raw"[:70] in said
    for name in ("web3", "web5", "by-hand"):
        hv1.virsh("undefine", name)
    del hv2.guests["web3"]

    # The fleet, while one host is out of reach.
    hv2.guests["web9"] = guest()
    hv2.variables = lambda catalogue, known=hv2.variables: {**known(catalogue), "ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    said = site.play("list")
    assert told(said, "web1").split()[:2] == ["hv1", "running"] and "new 20260601" in told(said, "web1")
    assert told(said, "web9").split()[:2] == ["hv2", "unreachable"] and re.fullmatch("-|[0-9]+[smh]", told(said, "web1").split()[2])
    assert max(map(len, said.split("TASK [Show the fleet]")[1].split("PLAY RECAP")[0].splitlines())) <= 100
    fleet = site.folder / "fleet.json"
    site.play("list", "-e", f"list_file={fleet}")
    shown = json.loads(fleet.read_text())
    assert [(each["guest"], each["state"]) for each in shown["guests"]] == [("web1", "running"), ("web2", "shutoff"), ("web9", "unreachable")]
    assert {each["name"] for each in shown["left"]} == {str(hv1.folder / f"volumes/web{number}.raw") for number in (3, 4, 5)}

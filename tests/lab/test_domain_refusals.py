# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused, with a clear line and without anything defined: hosts that lack something, and hostile XML."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

NIC = "<interface type='user'><mac address='52:54:00:00:00:42'/></interface>"
NOW = {"force": True, "shutdown_timeout": 0}


def test_a_host_without_libvirt(lab, tmp_path):
    # A file that is no library stands where the loader looks first.
    (tmp_path / "libvirt.so.0").write_text("")
    message = lab.refused({"name": "web1"}, LD_LIBRARY_PATH=str(tmp_path))
    assert message.startswith(f"connecting to {lab.uri}: the libvirt library could not be loaded: ")
    assert message.endswith("; install libvirt (Debian: libvirt-daemon-system; FreeBSD: libvirt)")


def test_a_daemon_that_does_not_run(lab):
    assert lab.refused({"name": "web1", "uri": "qemu+unix:///system?socket=/nowhere/sock"}) == (
        "connecting to qemu+unix:///system?socket=/nowhere/sock: Failed to connect socket to '/nowhere/sock': No such "
        "file or directory; start the daemon (Debian: systemctl start libvirtd; FreeBSD: service libvirtd start)"
    )


def test_a_user_without_permission(lab):
    os.chmod(lab.folder, 0o700)
    try:
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", "/dev/fd/3", "-"], capture_output=True, text=True,
            # By this name the program cannot tell which of them it is.
            input=json.dumps({"_ansible_module_name": "libvirt_domain", "name": "web1", "uri": lab.uri}),
            pass_fds=(), preexec_fn=open_program(lab), close_fds=False,
        )
    finally:
        os.chmod(lab.folder, 0o755)
    message = json.loads(done.stdout)["msg"]
    assert "Permission denied" in message
    assert message.endswith("; run the task as root (become: true), or as a member of the group libvirt")


def open_program(lab):
    """The program as file descriptor 3: nobody may not reach its folder by name."""

    def redirect():
        os.dup2(os.open(lab.program(), os.O_RDONLY), 3)

    return redirect


def test_an_emulator_that_is_missing(lab):
    xml = lab.xml(devices="<emulator>/nowhere/qemu</emulator>")
    message = lab.refused({"name": "web1", "xml": xml})
    assert message.startswith("domain web1: defining domain web1: ")
    assert message.endswith("install the emulator (Debian: qemu-system-x86), or correct <emulator>")


def test_kvm_that_is_missing(lab):
    if os.path.exists("/dev/kvm"):
        lab.good({"name": "web1", "xml": lab.xml(kind="kvm"), "state": "present"})
        return
    message = lab.refused({"name": "web1", "xml": lab.xml(kind="kvm")})
    assert message.endswith("install the emulator (Debian: qemu-system-x86); without KVM use type='qemu'")


def test_disks_and_bridges_that_are_missing(lab):
    bridge = "<interface type='bridge'><source bridge='nobridge7'/></interface>"
    xml = lab.xml(devices=bridge).replace(str(lab.disk), "/nowhere/web1.raw")
    assert lab.refused({"name": "web1", "xml": xml}) == (
        "defining domain web1: expected everything it needs on this host, found missing: disk /nowhere/web1.raw, bridge "
        "nobridge7"
    )
    checked = lab.good({"name": "web1", "xml": xml, "_ansible_check_mode": True})
    assert checked["changed"] is True
    assert checked["warnings"] == [
        "domain web1 needs what is not there yet: disk /nowhere/web1.raw, bridge nobridge7"
    ]
    assert lab.names() == []


def test_identities_of_other_domains(lab):
    lab.good({"name": "db1", "xml": lab.xml("db1", devices=NIC), "state": "present"})
    assert lab.refused({"name": "web1", "xml": lab.xml(devices=NIC)}) == (
        "defining domain web1: expected MAC addresses of its own, found 52:54:00:00:00:42 in use by domain db1; give "
        "another <mac address='...'/>"
    )
    uuid = lab.virsh("domuuid", "db1")
    assert lab.refused({"name": "web1", "xml": lab.xml(inner=f"<uuid>{uuid}</uuid>")}) == (
        f"defining domain web1: expected a UUID of its own, found {uuid} in use by domain db1; give another <uuid>"
    )
    lab.good({"name": "web1", "xml": lab.xml(), "state": "present"})
    own = lab.virsh("domuuid", "web1")
    other = "11111111-2222-4333-8444-555555555555"
    assert lab.refused({"name": "web1", "xml": lab.xml(inner=f"<uuid>{other}</uuid>")}) == (
        f"defining domain web1: expected its UUID {own} in the XML, found {other}; remove the domain first to give it "
        "another one"
    )
    assert lab.names() == ["db1", "web1"]


def test_more_memory_than_the_host_has(lab):
    message = lab.refused({"name": "web1", "xml": lab.xml(memory=1 << 40)})
    assert message.startswith("defining domain web1: expected at most the host's ")
    assert message.endswith(" bytes of memory, found 1024P; give it less")


def test_a_domain_that_is_not_there_and_has_no_xml(lab):
    assert lab.refused({"name": "web1"}) == (
        "defining domain web1: it does not exist, and the option `xml` is missing"
    )
    assert lab.good({"name": "web1", "state": "absent"})["changed"] is False


def test_passwords_are_nowhere_but_in_the_definition(lab):
    graphics = "<graphics type='vnc' port='5999' passwd='%s'/>"
    options = {"name": "web1", "state": "present", "_ansible_diff": True}
    first = lab.good({**options, "xml": lab.xml(devices=graphics % "hunter2")})
    second = lab.good({**options, "xml": lab.xml(devices=graphics % "hunter3")})
    assert second["changed"] is True
    assert lab.good({**options, "xml": lab.xml(devices=graphics % "hunter3")})["changed"] is False
    info = lab.good({"name": "web1"}, name="libvirt_domain_info")
    everything = [json.dumps(reply) for reply in (first, second, info)] + [lab.virsh("dumpxml", "web1")]
    assert not [text for text in everything if "hunter" in text]
    assert "passwd='hunter3'" in lab.virsh("dumpxml", "web1", "--security-info")


def hostile_documents(lab):
    """Two hundred documents and names that are not this domain's definition, or not XML at all."""
    good = lab.xml()
    middle = len(good) // 2
    for size in range(0, len(good) - 20, 5):
        yield "web1", good[:size]  # cut off
    for mark in ["<", ">", "&", "</", "<!--", "<![CDATA[", "]]>", "<?x", "&#0;", "&#xFFFE;", "&x;", "\0", "\x01", "\ufffe", "'"]:
        if mark not in (">", "'"):  # as text these two are harmless
            yield "web1", good.replace("<vcpu>", mark + "<vcpu>")
        yield "web1", good.replace("type='qemu'", "type='qemu" + mark * 2)
        yield "web1", good[:middle] + mark * 3 + good[middle:].replace("</devices>", "")
    for document_type in [
        "<!DOCTYPE domain>",
        "<!DOCTYPE domain SYSTEM 'file:///etc/passwd'>",
        "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/shadow'>]>",
        "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>",
        "<!DOCTYPE d [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/x'>%p;]>",
    ]:
        yield "web1", document_type + good
        yield "web1", "<?xml version='1.0'?>\n" + document_type + good.replace("<vcpu>1", "<vcpu>&c;")
    for root in ["network", "Domain", "domainsnapshot", "x:domain", "html"]:
        yield "web1", good.replace("<domain ", f"<{root} ").replace("</domain>", f"</{root}>")
    yield "web1", good.replace("<domain ", "<domain xmlns='urn:other' ")
    yield "web1", good + good
    yield "web1", good.replace("<name>web1</name>", "")
    yield "web1", good.replace("<name>web1</name>", "<name>web1</name><name>web1</name>")
    for other in ["web2", "web1 ", "WEB1", "../web1", "", "web1<b/>", "<b>web1</b>", "web1<!-- -->"]:
        yield "web1", good.replace("<name>web1</name>", f"<name>{other}</name>")
    for name in ["", "a/b", "../../etc/libvirt", ".", "..", "-f", "a\nb", "a\0b", " web1", "x" * 500, "\x7f", "a\tb"]:
        yield name, good.replace("<name>web1</name>", f"<name>{name}</name>")
    for memory in ["-1", "0", "1e9", "0x100", "99999999999999999999", "lots", "", " ", "1 2"]:
        yield "web1", good.replace(">32<", f">{memory}<")
    for uuid in ["x", "0", "12345678-1234-1234-1234-12345678901", "<x/>"]:
        yield "web1", lab.xml(inner=f"<uuid>{uuid}</uuid>")
        yield "web1", lab.xml(inner="<uuid/>" + f"<uuid>{uuid}</uuid>")
    for mac in ["x", "52:54:00:00:00", "52:54:00:00:00:00:00", "52-54-00-00-00-01", "'"]:
        yield "web1", lab.xml(devices=f'<interface type="user"><mac address="{mac}"/></interface>')
    yield "web1", lab.xml(devices=NIC + NIC)
    yield "web1", "<a>" * 30000
    yield "web1", good.replace("<devices>", "<devices>" + "<x/>" * 30000)
    yield "web1", good.replace("<devices>", "<devices>" + "<!--" + "x" * 300000 + "-->")
    yield "web1", "<domain type='qemu' " + " ".join(f"a{n}='{n}'" for n in range(40000)) + "/>"
    for text in ["{}", "[]", "domain", "\u202e" + good[::-1], "PK\x03\x04", "\ufeff", " \n\t"]:
        yield "web1", text
    for many in ["-1", "8193", "4294967295"]:  # these end the daemon of libvirt 11.3
        yield "web1", good.replace("<vcpu>1</vcpu>", f"<vcpu>{many}</vcpu>")
        yield "web1", good.replace("<vcpu>1</vcpu>", f"<vcpu>1</vcpu><iothreads>{many}</iothreads>")
    # Well-formed, and libvirt itself has to refuse it.
    for broken in ["<vcpu>0</vcpu>", "<vcpu>many</vcpu>", "<vcpu>1</vcpu><iothreads>x</iothreads>"]:
        yield "web1", good.replace("<vcpu>1</vcpu>", broken)
    yield "web1", good.replace("type='qemu'", "type='nosuch'")
    yield "web1", good.replace("x86_64", "../../bin/sh")
    yield "web1", good.replace("bus='virtio'", "bus='../x'")


def test_hostile_documents_define_nothing(lab):
    documents = list(hostile_documents(lab))
    assert len(documents) >= 200
    for name, xml in documents:
        reply = lab.call({"name": name, "xml": xml, "state": "present"})
        assert reply.get("failed") is True, f"taken: {name!r} {xml!r}"
        message = reply["msg"]
        assert "\n" not in message
        assert message.startswith(
            ("reading option `xml` of domain web1: ", "reading option `name`: ", "domain web1: defining domain web1: ")
        ), message
        assert len(message) < 1000, message
    assert lab.names() == []


@pytest.mark.parametrize("raw", [b"\xff\xfe<\x00d\x00", b'{"name": "web1", "xml": "\xff\xfe"}', b'{"name": "\xc3\x28"}', b""])
def test_arguments_that_are_no_text(lab, raw):
    done = subprocess.run([lab.program(), "-"], input=raw, capture_output=True)
    assert json.loads(done.stdout)["msg"].startswith("reading arguments from standard input: expected one JSON object")
    assert done.returncode == 1


def test_options_that_do_not_exist(lab):
    assert lab.refused({"name": "web1", "status": "up"}).startswith(
        "reading option `status`: unknown field `status`, expected one of `name`, `uri`, `xml`, `identity`, `renamed_from`, `state`"
    )
    assert lab.refused({"name": "web1", "state": "up"}).startswith("reading option `state`: unknown variant `up`")
    assert lab.refused({"name": "web1", "shutdown_timeout": -1}) == (
        "reading option `shutdown_timeout`: invalid duration -1: expected seconds from 0 to 320000000"
    )

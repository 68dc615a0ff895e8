# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of a guest becomes an image, and guests are made of that, by the playbooks, on a host without ZFS."""

from __future__ import annotations

import pytest
from test_redeploy import cut, site as one_guest  # noqa: F401
from test_second_day import BANNER, changes, guest, row

IMAGE = "set-up-20261129"
MARK, AT = b"what was set up", 8 << 20


@pytest.fixture
def site(one_guest):  # noqa: F811
    """A guest that runs, and on whose disk something was set up."""
    [hv1] = one_guest.hosts
    with open(hv1.folder / "volumes/web1.raw", "r+b") as disk:
        disk.seek(AT)
        disk.write(MARK)
    return one_guest


def capture(site, *words, image=IMAGE, code=0):
    return site.play("capture", "-e", "guest_names=web1", "-e", f"guest_capture_image={image}", *words, code=code)


def packages(site):
    return sorted(path.name for path in (site.catalogue / "All").iterdir())


def uptime(host):
    """Which run of the guest it is."""
    return host.virsh("domid", "web1")


def test_an_image_is_made_of_a_guest_and_a_guest_of_the_image(site):
    [hv1] = site.hosts
    assert "Say of which guest, and how the image is called" in site.play("capture", "-e", "guest_names=web1", code=2)
    # Its file can be written to as long as it runs.
    run, there = uptime(hv1), packages(site)
    said = capture(site, code=2)
    assert "web1: it is running, and its disk is a file" in said and "-e guest_stop=true" in said
    said = capture(site, "--check", "-e", "guest_stop=true")
    assert row(said, "web1")[:2] == [IMAGE, "changed"] and (uptime(hv1), packages(site)) == (run, there) and "changed=0" not in said

    said_of_it = ("-e", '{"guest_capture_options": {"comment": "A web server", "labels": {"team": "web"}}}')
    said = capture(site, "-e", "guest_stop=true", *said_of_it)
    assert row(said, "web1")[:2] == [IMAGE, "changed"] and row(said, "web1")[-1] == "running" and f"`image: {IMAGE}` in an entry of bhyve_guests" in said
    assert packages(site) == [*there, f"{IMAGE}.pkg"] and hv1.running() == ["web1"] and uptime(hv1) != run
    # Again, and nothing is stopped.
    run = uptime(hv1)
    for words in ([], ["-e", "guest_stop=true"], ["--check"]):
        said = capture(site, *said_of_it, *words)
        assert changes(said, "hv1") == 0 and "is in the catalogue already" in said and uptime(hv1) == run

    # What the image says of its system is what its own image said.
    hv1.guests["web2"] = guest(image="set-up", wait_for={"console": BANNER % "20260101"})
    said = site.deploy()
    assert row(said, "web2")[:2] == ["running", IMAGE]
    disk = (hv1.folder / "volumes/web2.raw").read_bytes()
    assert disk[AT:].startswith(MARK) and len(disk) == 16 << 20
    assert changes(site.deploy(), "hv1") == 0
    assert "A web server" in (site.catalogue / "index.html").read_text()


def test_what_is_refused_stops_nobody(site):
    [hv1] = site.hosts
    capture(site, "-e", "guest_stop=true")
    hv1.guests["web2"] = guest()
    site.deploy()
    run = uptime(hv1)
    stop = ("-e", "guest_stop=true")
    for said, expected in [
        (site.play("capture", "-e", "guest_names=web1,web2", "-e", "guest_capture_image=both-1", *stop, code=2), "an image is made of one guest"),
        (site.play("capture", "-e", "guest_names=web2", "-e", f"guest_capture_image={IMAGE}", *stop, code=2), "is in the catalogue with image_captured_from"),
        (capture(site, "-e", "guest_capture_repository=", *stop, image="new-1", code=2), "expected a host in the group bhyve_repository"),
        (capture(site, "-e", "guest_capture_repository=hv1", *stop, image="new-1", code=2), "publishing on hv1: expected bhyve_catalog_path and bhyve_catalog_signing_key"),
        (capture(site, "-e", '{"guest_capture_options": {"label": {}}}', *stop, image="new-1", code=2), "unknown key 'label'; did you mean 'labels'?"),
    ]:
        assert expected in said and (uptime(hv1), hv1.running()) == (run, ["web1", "web2"])
    # A catalogue that cannot be written to is met when the guest is off: it is started all the same.
    (site.catalogue / "All").rename(site.folder / "All")
    (site.catalogue / "All").write_text("in the way")
    said = capture(site, *stop, image="new-1", code=2)
    assert row(said, "web1")[:2] == ["new-1", "failed"] and hv1.running() == ["web1", "web2"]


MOMENTS = {
    "stopped": lambda site, hv1: hv1.running() == [],
    "arriving": lambda site, hv1: any(site.catalogue.glob(".staged-*")),
    "published": lambda site, hv1: f"{IMAGE}.pkg" in packages(site),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_where_the_controller_dies_the_same_call_again_goes_on(site, moment):
    [hv1] = site.hosts
    words = ("-e", f"guest_capture_image={IMAGE}", "-e", "guest_stop=true")
    cut(site, lambda: MOMENTS[moment](site, hv1), *words, playbook="capture")
    said = capture(site, "-e", "guest_stop=true")
    assert row(said, "web1")[0] == IMAGE and hv1.running() == ["web1"]
    assert packages(site) == ["demo-20260101.pkg", f"{IMAGE}.pkg"] and not list(site.catalogue.glob(".staged-*"))

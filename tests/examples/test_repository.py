# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of serving and fetching: the role image_repository, its mirror, bhyve_image and job_status."""

from __future__ import annotations

ROLE = "roles/image_repository/README.md"
STORE = "/var/db/apiary/images"


def account(name):
    """Another account than that of the catalogue beside it."""
    return {"image_repository_home": f"/var/db/apiary/account-{name}", "image_repository_user": name}


def test_the_role_serves_over_ssh_and_once_is_enough(served):
    assert served[0]["changed"] > 3 and served[1]["changed"] == 0


def test_a_job_is_started_looked_at_and_forgotten(site, served, examples):
    site.inventory(["hv1"])
    site.machine.sh("rm -rf $1", STORE)
    start, wait, forget = examples.take("job_status")
    ran = site.play("hv1", start, wait, forget)
    assert ran[0]["result"]["ansible_job_id"]
    done = ran.of("Wait until it is there")[-1]
    assert done["finished"] and done["changed"] and site.file(done["image"]["path"]).parent == site.file(STORE)
    assert site.file(done["image"]["path"]).name == "FreeBSD-14.2-RELEASE-ZFS-20G-20250515.pkg"
    again = site.play("hv1", start, wait, forget)
    assert again.of("Wait until it is there")[-1]["changed"] is False


def test_images_that_anyone_may_fetch_over_https(site, served, examples):
    """By the role's second way, from the catalogue for clients with fingerprints."""
    site.machine.sh(CERTIFICATE + TRUST)
    web = {
        **account("web"), "image_repository_path": "/var/db/apiary/fingerprinted",
        "image_repository_http": True, "image_repository_http_listen": "443",
        "image_repository_http_certificate": "/etc/ssl/web.crt", "image_repository_http_key": "/etc/ssl/web.key",
    }
    site.inventory(["hv1"], repo=web)
    site.run(examples.text("docs/docsite/rst/guide_catalogue.rst", "ansible-playbook -i inventory apiary.bhyve.repository --limit repo"))
    name, gone = "Keep the newest of two images, signed by any of several keys", "Make room"
    fetch, remove = examples.take("bhyve_image", name, gone)
    ran = site.play("hv1", fetch, fetch)
    assert ran.changed(name) == [True, False]
    there = {path.name for path in site.file(STORE).glob("*.pkg")}
    assert there >= {"FreeBSD-14.2-RELEASE-ZFS-20G-20250515.pkg", "debian-12-ZFS-10G-20250601.pkg"}

    # An old image that somebody had fetched makes room.
    site.play("hv1", fetch.replace("[FreeBSD-14.2-RELEASE-ZFS-20G, debian-12-ZFS-10G]", "FreeBSD-13.2-RELEASE-ZFS-20G"))
    assert site.play("hv1", remove, remove).changed(gone) == [True, False]
    assert {path.name for path in site.file(STORE).glob("*.pkg")} == there


def test_a_mirror_by_the_role(site, served, examples):
    block = examples.data(ROLE, "image_repository_mirror_of: ssh://images@repo.example.org   # or https://..., or a path, or a list of them")
    site.inventory(mirror={**account("mirror"), "image_repository_path": "/var/db/apiary/mirror", **block})
    ran = [site.run("ansible-playbook -i inventory apiary.bhyve.repository").recap("mirror")["changed"] for _ in range(2)]
    assert ran[0] > 3 and ran[1] == 0
    site.machine.sh("cmp /var/db/apiary/catalog/data.pkg /var/db/apiary/mirror/data.pkg; grep -q '^\\*/15 ' /etc/cron.d/apiary-mirror")


CERTIFICATE = """
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Test authority' -keyout /etc/ssl/ca.key -out /etc/ssl/ca.crt 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -CA /etc/ssl/ca.crt -CAkey /etc/ssl/ca.key -subj /CN=repo.example.org \\
    -addext subjectAltName=DNS:repo.example.org -addext basicConstraints=critical,CA:false \\
    -keyout /etc/ssl/web.key -out /etc/ssl/web.crt 2>/dev/null
cat /etc/ssl/ca.crt >>/etc/ssl/certs/ca-certificates.crt
"""

TRUST = """
mkdir -p /usr/local/etc/pkg/fingerprints/images/trusted /usr/local/etc/pkg/fingerprints/images/revoked
cp /usr/local/etc/apiary/images-eddsa.fingerprint /usr/local/etc/pkg/fingerprints/images/trusted/images
"""

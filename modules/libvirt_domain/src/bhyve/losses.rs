// SPDX-License-Identifier: GPL-3.0-or-later

//! What bhyve's driver leaves out of a definition without a word: where its commands show it, they are asked, since versions
//! differ.

use anyhow::{Context, Result};
use roxmltree::{Document, Node};

use crate::document::{child, children};
use crate::hypervisor::Version;

/// The first that heeds what a guest's end is answered with.
const HEEDS_ENDS: Version = Version(12_005_000);

/// Something that the guest will not have although its definition says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What is lost, and what to do about it.
    pub words: String,
    /// Whether the guest could do harm without it.
    pub is_grave: bool,
}

/// What the driver makes of the definition.
pub(crate) struct Driver<'a> {
    pub(crate) commands: &'a str,
    pub(crate) version: Version,
    /// Whether it was the user who gave the UUID.
    pub(crate) gives_uuid: bool,
}

/// What is lost of the definition `xml`.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn losses(xml: &str, driver: &Driver<'_>) -> Result<Vec<Loss>> {
    let document = Document::parse(xml).context("reading the definition for bhyve")?;
    let root = document.root_element();
    let said = [nvram(root, driver), uuid(driver), ends(root, driver)];
    let said = said.into_iter().flatten().map(|words| Loss { words, is_grave: false });
    let grave = writable_disks(root, driver).into_iter().map(|words| Loss { words, is_grave: true });
    Ok(said.chain(grave).collect())
}

fn nvram(root: Node<'_, '_>, driver: &Driver<'_>) -> Option<String> {
    let node = child(root, "os").and_then(|os| child(os, "nvram"))?;
    let passed = match node.text().map(str::trim).filter(|path| !path.is_empty()) {
        Some(path) => mentions(driver.commands, path),
        // libvirt makes up a name: it follows that of the firmware.
        None => driver
            .commands
            .split_whitespace()
            .any(|word| word.strip_prefix("bootrom,").is_some_and(|files| files.contains(','))),
    };
    (!passed).then(|| {
        format!(
            "libvirt {} does not pass <nvram> to bhyve: what the guest's firmware stores is gone when it stops; libvirt 11.7 is the first \
             that does",
            driver.version
        )
    })
}

fn uuid(driver: &Driver<'_>) -> Option<String> {
    (driver.gives_uuid && !driver.commands.contains(" -U ")).then(|| {
        format!(
            "libvirt {} does not pass <uuid> to bhyve: the guest sees another one in its SMBIOS",
            driver.version
        )
    })
}

fn ends(root: Node<'_, '_>, driver: &Driver<'_>) -> Option<String> {
    let usual = [("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")];
    let text = |name| child(root, name).and_then(|node| node.text()).map(str::trim);
    let (name, does) = usual.into_iter().find(|(name, does)| text(name).is_some_and(|text| text != *does))?;
    (driver.version < HEEDS_ENDS).then(|| {
        format!(
            "libvirt {} does not heed <{name}> on bhyve and does `{does}`; 12.5 is the first that does",
            driver.version
        )
    })
}

/// A disk that shall not be written to, and would be.
fn writable_disks(root: Node<'_, '_>, driver: &Driver<'_>) -> Vec<String> {
    let devices = child(root, "devices");
    let disks = devices.into_iter().flat_map(|devices| children(devices, "disk").collect::<Vec<_>>());
    let hard = disks.filter(|disk| matches!(disk.attribute("device"), None | Some("disk")));
    let paths = hard.filter(|disk| child(*disk, "readonly").is_some()).filter_map(|disk| {
        let source = child(disk, "source")?;
        source.attribute("file").or(source.attribute("dev"))
    });
    paths
        .filter(|path| !mentions(driver.commands, &format!("{path},ro")))
        .map(|path| {
            format!(
                "expected disk {path} to be <readonly/>, found that libvirt {} does not pass that to bhyve, so that the guest could write \
                 to it; give the guest a copy, or attach it as a CD-ROM",
                driver.version
            )
        })
        .collect()
}

/// Whether an argument holds `text`, which nothing of a longer name follows.
fn mentions(commands: &str, text: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || "._-/".contains(next));
    commands.match_indices(text).any(|(at, _)| ends(&commands[at + text.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(inside: &str, commands: &str, version: u32) -> Vec<(bool, String)> {
        let driver = Driver { commands, version: Version(version), gives_uuid: false };
        let losses = losses(&format!("<domain>{inside}</domain>"), &driver).unwrap();
        losses.into_iter().map(|loss| (loss.is_grave, loss.words)).collect()
    }

    #[test]
    fn what_the_commands_hold_is_not_lost() {
        let nvram = "<os><nvram>/v/web1_VARS.fd</nvram></os>";
        assert_eq!(lost(nvram, "bhyve -l bootrom,/code.fd,/v/web1_VARS.fd web1", 11_007_000), []);
        assert!(
            lost(nvram, "bhyve -l bootrom,/code.fd web1", 11_003_000)[0]
                .1
                .starts_with("libvirt 11.3.0 does not pass <nvram>")
        );
        let made_up = "<os><nvram template='/x'/></os>";
        assert!(!lost(made_up, "bhyve -l bootrom,/code.fd web1", 11_003_000)[0].0);
        assert_eq!(lost(made_up, "bhyve -l bootrom,/code.fd,/lib/web1_VARS.fd web1", 11_007_000), []);

        let disk = "<devices><disk><source file='/d/a'/><readonly/></disk></devices>";
        assert_eq!(lost(disk, "bhyve -s 2:0,virtio-blk,/d/a,ro web1", 12_000_000), []);
        for commands in ["bhyve -s 2:0,virtio-blk,/d/a web1", "bhyve -s 2:0,virtio-blk,/d/a,rotten web1"] {
            let (grave, words) = lost(disk, commands, 11_003_000).remove(0);
            assert!(grave && words.starts_with("expected disk /d/a to be <readonly/>"), "{words}");
        }
        let cdrom = "<devices><disk device='cdrom'><source file='/d/a'/><readonly/></disk></devices>";
        assert_eq!(lost(cdrom, "bhyve -s 2:0,ahci,cd:/d/a web1", 11_003_000), []);
    }

    #[test]
    fn an_end_that_is_not_the_usual_one_is_not_heeded_before_12_5() {
        let rare = "<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>";
        assert!(
            lost(rare, "", 12_004_000)[0].1.contains("does not heed <on_reboot> on bhyve and does `restart`")
        );
        assert_eq!(lost(rare, "", 12_005_000), []);
        assert_eq!(lost("<on_reboot>restart</on_reboot>", "", 11_003_000), []);
    }

    #[test]
    fn a_uuid_that_somebody_gave_is_told_when_it_is_lost() {
        let driver = |commands| Driver { commands, version: Version(11_003_000), gives_uuid: true };
        assert!(losses("<domain/>", &driver("bhyve web1")).unwrap()[0].words.contains("<uuid>"));
        assert_eq!(losses("<domain/>", &driver("bhyve -U 06f7 web1")).unwrap(), []);
    }
}

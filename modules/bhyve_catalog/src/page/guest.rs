// SPDX-License-Identifier: GPL-3.0-or-later

//! A guest of an image, in the words of `bhyve_guests`: with what the role `guest` asks for, and with what the image needs.

use image_catalog::facts::ImageFacts;
use image_catalog::name::ImageId;

const MIB: u64 = 1 << 20;

/// Memory of a guest whose image does not say what it needs.
const MEMORY: u64 = 1 << 30;

/// Less than that the role takes for a mistake.
const LEAST: u64 = 16 * MIB;

/// The lines that go into a host's dictionary. What they hold of the image is a name, a number or a word of ours.
pub(super) fn entry(id: &ImageId, facts: &ImageFacts) -> String {
    let memory = facts.min_memory.unwrap_or(MEMORY).max(LEAST);
    let (template, loader) = boots(facts.loader.as_deref());
    let known = [
        ("template", template),
        ("loader", loader),
        // Only the role's templates for bhyve are known to read it.
        ("disk_bus", template.and_then(|_| bus(facts.disk_driver.as_deref()))),
    ];
    let known = known.into_iter().filter_map(|(key, value)| Some(format!("\n  {key}: {}", value?)));
    let (image, memory) = (scalar(&id.to_string()), size(memory));
    format!("web1:\n  image: {image}\n  vcpus: 1\n  memory: {memory}{}", known.collect::<String>())
}

/// The role's template and, where it has several, its loader; nothing where somebody else's template is needed.
fn boots(loader: Option<&str>) -> (Option<&'static str>, Option<&'static str>) {
    match loader {
        Some("uefi") => (Some("uefi"), None),
        Some("bhyveload") => (Some("loader"), None),
        Some("grub" | "grub-bhyve") => (Some("loader"), Some("grub")),
        _ => (None, None),
    }
}

/// How bhyve must show the disk, where that is not its usual way.
fn bus(driver: Option<&str>) -> Option<&'static str> {
    match driver {
        Some("nvme") => Some("nvme"),
        Some("sata" | "ahci" | "ahci-hd") => Some("sata"),
        _ => None,
    }
}

/// A name that begins with a digit could be a number or a date.
fn scalar(name: &str) -> String {
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes.is_multiple_of(GIB) { format!("{}G", bytes / GIB) } else { format!("{}M", bytes.div_ceil(MIB)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, facts: ImageFacts) -> String {
        entry(&ImageId::new(name, "1").unwrap(), &facts)
    }

    #[test]
    fn a_guest_has_what_its_image_needs() {
        let needs = |memory: u64, loader: &str, driver: &str| ImageFacts {
            min_memory: Some(memory),
            loader: Some(loader.to_owned()),
            disk_driver: Some(driver.to_owned()),
            ..ImageFacts::default()
        };
        let cases = [
            (ImageFacts::default(), "1G", ""),
            (needs(512 << 20, "uefi", "nvme"), "512M", "\n  template: uefi\n  disk_bus: nvme"),
            (needs(2 << 30, "bhyveload", "virtio-blk"), "2G", "\n  template: loader"),
            (needs(1, "grub", "ahci-hd"), "16M", "\n  template: loader\n  loader: grub\n  disk_bus: sata"),
            (needs(1_000_000_000, "bios: &x", "nvme"), "954M", ""),
        ];
        for (facts, memory, rest) in cases {
            let expected = format!("web1:\n  image: demo-1\n  vcpus: 1\n  memory: {memory}{rest}");
            assert_eq!(told("demo", facts), expected);
        }
    }

    #[test]
    fn a_name_like_a_date_is_a_text() {
        let entry = told("2024-01", ImageFacts::default());
        assert!(entry.contains("\n  image: \"2024-01-1\"\n"), "{entry}");
    }
}

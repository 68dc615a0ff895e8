// SPDX-License-Identifier: GPL-3.0-or-later

//! Tests: other programs read the image as it was meant, and a damaged one harms nobody.

use std::fs;
use std::path::Path;

use ansible_module::Tool;
use proptest::prelude::*;

use super::*;

fn documents() -> Documents {
    Documents {
        meta_data: "instance-id: 'i'\n".into(),
        user_data: format!("#cloud-config\n# größe {}\n", "x".repeat(20_000)),
        network_config: Some("version: 2\n".into()),
    }
}

fn said_by(program: &str, args: &[&str]) -> String {
    Tool::find(program).unwrap().command().args(args).run().unwrap().stdout
}

#[test]
fn other_programs_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web1.seed");
    let documents = documents();
    fs::write(&path, write(&documents).unwrap()).unwrap();
    let image = path.to_str().unwrap();

    assert!(said_by("fsck.fat", &["-n", "-v", image]).contains(": 4 files, "));
    let found = said_by("blkid", &["-p", "-o", "export", image]);
    for line in ["LABEL=cidata", "LABEL_FATBOOT=cidata", "TYPE=vfat", "VERSION=FAT12"] {
        assert!(found.lines().any(|said| said == line), "{line}: {found}");
    }
    for (name, text) in documents.all() {
        assert_eq!(said_by("mtype", &["-i", image, &format!("::{name}")]), text);
    }
    let listed = said_by("mdir", &["-b", "-i", image, "::"]);
    assert_eq!(listed, "::/meta-data\n::/network-config\n::/user-data\n");
    assert!(said_by("mdir", &["-i", image, "::meta-data"]).contains("1980-01-01   0:00"));
}

#[test]
fn the_same_documents_make_the_same_bytes_and_others_another_volume() {
    let image = write(&documents()).unwrap();
    assert_eq!(image.len(), SIZE);
    assert_eq!(write(&documents()).unwrap(), image);
    let other = write(&Documents { network_config: None, ..documents() }).unwrap();
    // The volume's serial number.
    assert_ne!(image[39..43], other[39..43]);
}

#[test]
fn what_was_written_is_read_back() {
    let full = Documents { meta_data: String::new(), user_data: "x".repeat(ROOM), network_config: None };
    for documents in [documents(), Documents { network_config: None, ..documents() }, full] {
        assert_eq!(read(&write(&documents).unwrap()).unwrap(), documents);
    }
}

#[test]
fn what_is_no_seed_is_named() {
    let seed = write(&documents()).unwrap();
    let changed = |at: usize, to: &[u8]| {
        let mut image = seed.clone();
        image[at..at + to.len()].copy_from_slice(to);
        image
    };
    let name_in_root = seed.windows(11).position(|bytes| bytes == b"META-D~1   ").unwrap_or_else(|| {
        panic!("the short name of meta-data is another: {:?}", String::from_utf8_lossy(&seed[0x1a00..0x1b00]))
    });
    let cases = [
        (Vec::new(), "expected 1048576 bytes, found 0"),
        (vec![0; SIZE], "expected the boot sector of a seed, found another"),
        (changed(3, b"mkfs.fat"), "expected the boot sector of a seed, found another"),
        (changed(43, b"CIDATA"), "expected the boot sector of a seed, found another"),
        (changed(root_directory(), b"CIDATA"), "expected the label cidata, found another"),
        // A file without its long name.
        (
            changed(name_in_root - 32, &[0xe5]),
            "expected meta-data, user-data and network-config, found \"META-D~1\"",
        ),
    ];
    for (image, message) in cases {
        assert_eq!(format!("{:#}", read(&image).unwrap_err()), message);
    }
}

/// One sector of boot record, two tables of six sectors.
fn root_directory() -> usize {
    13 * 512
}

#[test]
fn the_path_of_a_link_is_not_followed() {
    assert_eq!(&write(&documents()).unwrap()[root_directory()..root_directory() + 11], b"cidata     ");
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("seed");
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    let message = |path: &Path| format!("{:#}", crate::observe::observe(path).unwrap_err());
    assert_eq!(
        message(&link),
        format!(
            "looking at seed {}: expected a regular file or nothing, found something else; choose another path",
            link.display()
        )
    );
    assert_eq!(
        message(Path::new("seed")),
        "looking at seed seed: expected an absolute path that ends in a file name"
    );
    let disk = folder.path().join("disk");
    fs::write(&disk, "somebody's").unwrap();
    assert_eq!(
        message(&disk),
        format!(
            "looking at seed {}: the file there is not a seed of this module, so it stays; remove it or choose another path: \
             expected 1048576 bytes, found 10",
            disk.display()
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Reads, or says what is wrong; neither panics nor goes on for ever.
    #[test]
    fn a_damaged_seed_harms_nobody(damage in prop::collection::vec((512..24_000_usize, any::<u8>()), 1..40)) {
        let mut image = write(&documents()).unwrap();
        for (at, byte) in damage {
            image[at] = byte;
        }
        let _ = read(&image);
    }
}

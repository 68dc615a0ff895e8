// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;
use crate::access::{Access, SshOptions, TrustOptions};
use ansible_module::{Seconds, Task};
use image_catalog::catalogue::Catalogue;
use image_catalog::meta::Meta;
use image_catalog::signature::{SignatureType, SignedBy, Trust};
use image_catalog::transport::Location;
use std::fs;

/// Every byte of a package is guarded, whatever it is for; and nothing is left of a refused one.
#[test]
fn no_changed_byte_of_a_package_is_taken() {
    let fixture = test_support::fixture("pkg-repos/unsigned");
    let meta = Meta::parse(&fs::read(fixture.join("meta.conf")).unwrap()).unwrap();
    let [source, _] = meta.sources().unwrap();
    let archive = fs::File::open(fixture.join("data.pkg")).unwrap();
    let catalogue = Catalogue::read(archive, &source, &Trust::Anyone).unwrap();
    let name: ImageName = "FreeBSD-14.2-RELEASE-ZFS-20G-20250101".parse().unwrap();
    let package = catalogue.find(&name).unwrap();

    let lab = tempfile::tempdir().unwrap();
    let (repository, folder) = (lab.path().join("repository"), lab.path().join("store"));
    let path = repository.join(package.path.as_str());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir(&folder).unwrap();
    let store = Store::new(folder.clone()).unwrap();
    let whole = fs::read(fixture.join(package.path.as_str())).unwrap();
    let task = Task::default();
    let fetch = |contents: &[u8]| {
        fs::write(&path, contents).unwrap();
        let trust = TrustOptions { signature_type: SignatureType::None, pubkey: None, fingerprints: None };
        let access = Access {
            location: Location::Folder(repository.clone()),
            trust,
            ssh: SshOptions::default(),
            ca_path: None,
            timeout: Seconds::new(30),
        };
        let mut repository = Repository::new(vec![access]).unwrap();
        let vouched = Vouched { repository: "here".to_owned(), signed_by: SignedBy::None };
        let order = Order { package, vouched: &vouched };
        fetch(order, &mut repository, &store, &task.progress("test", None))
    };
    for position in 0..whole.len() {
        let mut changed = whole.clone();
        changed[position] ^= 1 << (position % 8);
        let error = judge(package, changed.as_slice()).unwrap_err().to_string();
        assert!(error.contains(" has checksum "), "byte {position}: {error}");
        if position % 501 == 0 {
            let refused = format!("{:#}", fetch(&changed).unwrap_err());
            assert!(refused.ends_with(&error), "{refused}");
        }
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(fetch(&whole).unwrap().image.size, whole.len() as u64);
}

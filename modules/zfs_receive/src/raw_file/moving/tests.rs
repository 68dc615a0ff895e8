// SPDX-License-Identifier: GPL-3.0-or-later

//! Raw files that move.

use super::*;
use std::io::Write;

#[test]
fn a_place_is_taken_once_and_only_what_was_sent_gets_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("volumes/web1.raw");
    let mut task = Task::default();
    let properties = BTreeMap::from([(marks::VOLUME.to_owned(), r#"{"blank": 4}"#.to_owned())]);
    let wanted = Expected { golden: None, take: true, properties };
    for _ in 0..2 {
        expect(&path, &wanted, &mut task).unwrap();
    }
    let staged = arriving(&path);
    assert!(staged.exists() && !path.exists());
    assert!(matches!(Mark::of(&staged).unwrap(), Some(Mark::Blank(_))));
    let finished = Finished { guid: Guid(7), properties: BTreeMap::new() };
    let error = finish(&path, &finished, &mut task).unwrap_err().to_string();
    assert!(error.ends_with("is not what was sent: expected guid 7, found none"), "{error}");
    xattr::set(&staged, marks::attribute(marks::ARRIVED), b"7").unwrap();
    for _ in 0..2 {
        finish(&path, &finished, &mut task).unwrap();
    }
    assert!(path.exists() && !staged.exists());
}

#[test]
fn a_file_that_was_written_to_is_not_given_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web1.raw");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"data").unwrap();
    file.set_modified(UNIX_EPOCH + Duration::new(1_764_340_000, 5)).unwrap();
    let sent = guid(&file.metadata().unwrap());
    let mut task = Task::default();
    file.write_all(b"more").unwrap();
    let error = give(&path, sent, &mut task).unwrap_err().to_string();
    assert!(error.contains("it has been written to since it was sent"), "{error}");
    give(&path, guid(&file.metadata().unwrap()), &mut task).unwrap();
    give(&path, sent, &mut task).unwrap();
    assert!(!path.exists());
}

#[test]
fn what_goes_with_a_file_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let file = File::create(at("from")).unwrap();
    xattr::set(at("from"), marks::attribute(marks::VOLUME), br#"{"blank": 4}"#).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::new(1_764_340_000, 5)).unwrap();
    let told = properties(&at("from"), &file.metadata().unwrap()).unwrap();
    let to = File::create(at("to")).unwrap();
    let wanted = Received {
        snapshot: String::new(),
        base: None,
        base_guid: None,
        guid: Some(Guid(7)),
        finish: false,
        properties: told.clone(),
        marked: false,
        size: None,
    };
    dress(&to, &wanted).unwrap();
    let mut arrived = properties(&at("to"), &to.metadata().unwrap()).unwrap();
    arrived.insert(MODE.to_owned(), told[MODE].clone());
    assert_eq!(arrived, told);
    assert!(matches!(Mark::of(&at("to")).unwrap(), Some(Mark::Blank(_))));
}

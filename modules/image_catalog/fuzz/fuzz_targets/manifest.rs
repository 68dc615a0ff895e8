// SPDX-License-Identifier: GPL-3.0-or-later

//! Manifests: whatever is read can be written, and is the same when read again.
#![no_main]

use image_catalog::facts::ImageFacts;
use image_catalog::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    let json = manifest.to_json().expect("a manifest that was read can be written");
    assert_eq!(Manifest::parse(json.as_bytes()).expect("what was written can be read"), manifest);
    let _ = manifest.payload();
    if let Ok(facts) = ImageFacts::from_annotations(&manifest.annotations) {
        assert_eq!(ImageFacts::from_annotations(&facts.to_annotations()).expect("facts survive"), facts);
    }
    if let Ok(id) = manifest.id() {
        assert!(id.is_exactly(&id.to_string().parse().expect("an id is a name")));
    }
});

// SPDX-License-Identifier: GPL-3.0-or-later

//! meta.conf and the archives that list packages, believed without a signature: names and paths are safe.
#![no_main]

use image_catalog::catalogue::Catalogue;
use image_catalog::meta::Meta;
use image_catalog::signature::{PublicKey, Trust, parse_answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = (PublicKey::parse(bytes), parse_answer(bytes));
    if let Ok(meta) = Meta::parse(bytes) {
        let sources = meta.sources().expect("names that were taken are paths");
        assert!(sources.iter().all(|source| !source.path.as_str().contains('/')));
    }
    let sources = Meta::parse(b"version = 2;").and_then(|meta| meta.sources()).expect("the plainest meta.conf");
    for source in sources {
        let Ok(catalogue) = Catalogue::read(bytes, &source, &Trust::Anyone) else { continue };
        for image in catalogue.images {
            assert!(!image.path.as_str().split('/').any(|part| part.is_empty() || part.starts_with('.')));
            assert!(image.id.answers_to(&image.id.to_string().parse().expect("an id is a name")));
        }
    }
});

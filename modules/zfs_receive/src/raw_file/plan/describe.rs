// SPDX-License-Identifier: GPL-3.0-or-later

//! A raw file in the words of the module's options.

use std::fmt::Write;

use ansible_module::Size;

use super::Volume;

/// A volume, or that there is none; `without_image` says what one is that has no guid.
pub fn volume(volume: Option<&Volume>, without_image: &str) -> String {
    let Some(volume) = volume else { return "state: absent\n".to_owned() };
    let mut text = "state: present\n".to_owned();
    let guid = volume.guid.map_or(without_image.to_owned(), |guid| guid.to_string());
    let size = volume.size.map_or("that of the image".to_owned(), |size| Size(size).to_string());
    // Writing to a String does not fail.
    let _ = write!(text, "guid: {guid}\nvolsize: {size}\n");
    if let Some(replaced) = &volume.replaced {
        let _ = writeln!(text, "replaced: {}", replaced.display());
    }
    text
}

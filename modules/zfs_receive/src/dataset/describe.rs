// SPDX-License-Identifier: GPL-3.0-or-later

//! What is there and what will be there, line by line, in the words of the module's options. Pure.

use std::fmt::Write;

use ansible_module::Size;
use zfs_command::{DatasetName, Row};

use super::observe::Observed;
use super::plan::Plan;
use super::request::{Present, volmode_of};
use crate::image::Image;
use crate::job::Wanted;
use crate::properties::satisfied;

/// What volume `found` is of, to follow "it ".
pub fn identity(found: &Row, observed: &Observed) -> String {
    if let Some(origin) = &found.origin {
        return match observed.rows.get(origin) {
            Some(row) => format!("is a clone of {origin} (snapshot guid {})", row.guid),
            None => format!("is a clone of {origin}"),
        };
    }
    let snapshots: Vec<String> =
        observed.snapshots(&found.name).map(|row| format!("{} (guid {})", row.name, row.guid)).collect();
    match snapshots.is_empty() {
        true => "has no snapshot to tell its image by".to_owned(),
        false => format!("has the snapshots {}", snapshots.join(", ")),
    }
}

/// A golden volume as it is.
pub fn found_golden(golden: &DatasetName, found: Option<&Row>, observed: &Observed) -> String {
    match found {
        None => absent(golden),
        Some(row) => format!("{golden}:\n  {}\n", identity(row, observed)),
    }
}

/// A golden volume to be received.
pub fn new_golden(golden: &DatasetName, kept: Option<&str>, image: &Image) -> String {
    let kept = kept.map(|kept| format!("{kept}:\n  kept\n")).unwrap_or_default();
    format!("{kept}{golden}:\n  has the snapshots {} (guid {})\n", golden.image(), image.guid)
}

/// A volume that is not there.
pub fn absent(name: &DatasetName) -> String {
    format!("{name}: absent\n")
}

/// A volume without regard to what is wanted of it.
pub fn plain(name: &DatasetName, found: &Row, observed: &Observed) -> String {
    let size = found.volsize.map(|size| format!("  volsize: {}\n", Size(size))).unwrap_or_default();
    format!("{name}:\n  {}\n{size}", identity(found, observed))
}

/// A volume as it is, with the properties that are asked for.
pub fn found(name: &DatasetName, found: Option<&Row>, wanted: &Wanted, observed: &Observed) -> String {
    let Some(row) = found else { return absent(name) };
    properties_found(plain(name, row, observed), row, wanted, observed)
}

fn properties_found(mut text: String, row: &Row, wanted: &Wanted, observed: &Observed) -> String {
    let name = &wanted.name;
    for (property, _) in wanted.properties.iter() {
        let value = observed.property(name.as_str(), property).map_or("-", |found| found.value.as_str());
        line(&mut text, property, value);
    }
    if withheld(wanted, row, observed) {
        line(&mut text, "volmode", "none");
    }
    text
}

/// The same volume after what is asked for has been done.
pub fn adjusted(wanted: &Wanted, found: &Row, request: &Present, observed: &Observed) -> String {
    let name = &wanted.name;
    let row = Row { volsize: wanted.volsize.or(found.volsize), ..found.clone() };
    properties_adjusted(plain(name, &row, observed), wanted, found, request.volmode, observed)
}

fn properties_adjusted(
    mut text: String,
    wanted: &Wanted,
    found: &Row,
    default: Option<&str>,
    observed: &Observed,
) -> String {
    let name = &wanted.name;
    for (property, value) in wanted.properties.iter() {
        let before = observed.property(name.as_str(), property).map_or("-", |found| found.value.as_str());
        // What satisfies is shown as it is, so that `1G` and `1073741824` make no difference.
        line(&mut text, property, if satisfied(property, value, before) { before } else { value });
    }
    if withheld(wanted, found, observed) {
        let volmode = volmode_of(wanted, default).or(observed.inherited_volmode(name));
        line(&mut text, "volmode", volmode.unwrap_or("default"));
    }
    text
}

/// A volume to be made.
pub fn new(wanted: &Wanted, kept: Option<&str>, request: &Present, plan: &Plan) -> String {
    let name = &wanted.name;
    let mut text = kept.map(|kept| format!("{kept}:\n  kept\n")).unwrap_or_default();
    let guid = request.image.guid;
    text += &match &plan.golden {
        Some(origin) => format!("{name}:\n  is a clone of {origin} (snapshot guid {guid})\n"),
        None => format!("{name}:\n  has the snapshots {} (guid {guid})\n", name.image()),
    };
    if let Some(size) = wanted.volsize.or(plan.image_size) {
        line(&mut text, "volsize", &Size(size).to_string());
    }
    for (property, value) in wanted.properties.iter() {
        line(&mut text, property, value);
    }
    text
}

/// A volume that may hold anything, as it is.
pub fn found_blank(found: Option<&Row>, wanted: &Wanted, observed: &Observed) -> String {
    let Some(row) = found else { return absent(&wanted.name) };
    properties_found(sized(&wanted.name, row.volsize), row, wanted, observed)
}

/// The same volume after what is asked for has been done.
pub fn adjusted_blank(wanted: &Wanted, found: &Row, default: Option<&str>, observed: &Observed) -> String {
    let text = sized(&wanted.name, wanted.volsize.or(found.volsize));
    properties_adjusted(text, wanted, found, default, observed)
}

/// An empty volume to be made.
pub fn new_blank(wanted: &Wanted) -> String {
    let mut text = sized(&wanted.name, wanted.volsize) + "  empty\n";
    for (property, value) in wanted.properties.iter() {
        line(&mut text, property, value);
    }
    text
}

fn sized(name: &DatasetName, volsize: Option<u64>) -> String {
    let size = volsize.map(|size| format!("  volsize: {}\n", Size(size))).unwrap_or_default();
    format!("{name}:\n{size}")
}

/// Whether a dead run keeps the device back that this volume should have.
pub fn withheld(wanted: &Wanted, found: &Row, observed: &Observed) -> bool {
    let hidden = found.volmode.as_deref() == Some("none");
    hidden && observed.unfinished(&found.name) && wanted.properties.get("volmode").is_none()
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {name}: {value}");
}

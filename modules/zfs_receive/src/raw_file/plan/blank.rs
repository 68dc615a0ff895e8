// SPDX-License-Identifier: GPL-3.0-or-later

//! A file that may hold anything: made where there is none, grown where it is too small, and never replaced.

use std::path::Path;

use anyhow::Result;

use super::{Action, keep_size, resize};
use crate::job::BlankContent;
use crate::raw_file::observe::Found;

pub fn action(path: &Path, content: &BlankContent, found: &Found) -> Result<Action> {
    let BlankContent { volsize, mode } = *content;
    match found {
        Found::Nothing => Ok(Action::Make { volsize, mode }),
        Found::Ours(disk) => resize(path, disk, Some(volsize)),
        Found::Blank(size) | Found::Foreign(size) if volsize > *size => {
            Ok(Action::Grow { pristine: None, to: volsize })
        }
        Found::Blank(size) | Found::Foreign(size) => {
            keep_size(path, volsize, *size)?;
            Ok(Action::Nothing)
        }
    }
}

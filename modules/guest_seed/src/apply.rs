// SPDX-License-Identifier: GPL-3.0-or-later

//! Carries the plan out. The only writer.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ansible_module::files;
use anyhow::{Context, Result};

use crate::plan::{MODE, Plan, Step};

/// Others may pass through to a seed that libvirt has given them, but not see which seeds there are.
const FOLDER_MODE: u32 = 0o711;

/// Does what `plan` says, and removes what dead runs left of the seed. The caller holds its lock.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn apply(plan: &Plan) -> Result<()> {
    let path = plan.path();
    files::sweep_for(path)?;
    match plan.step() {
        Step::Nothing => Ok(()),
        Step::Write(image) => {
            files::make_folder(path.parent().unwrap_or(Path::new("/")), FOLDER_MODE)?;
            files::write_atomically(path, MODE, image)
        }
        Step::SetMode => fs::set_permissions(path, Permissions::from_mode(MODE))
            .with_context(|| format!("setting the mode of {}", path.display())),
        Step::Remove => {
            fs::remove_file(path).with_context(|| format!("removing seed {}", path.display()))?;
            path.parent().map_or(Ok(()), files::sync_folder)
        }
    }
}

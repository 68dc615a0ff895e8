//! Carries the plan out. The only writer.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use ansible_module::files;
use ansible_module::lock::{Lock, alone};
use anyhow::{Context, Result};

use crate::plan::{MODE, Plan, Step};

/// One lock for all seeds of a folder, gone when nobody holds it.
const LOCK: &str = ".guest_seed.lock";

/// Far above the time that a few hundred seeds take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Others may pass through to a seed that libvirt has given them, but not see which seeds there are.
const FOLDER_MODE: u32 = 0o711;

/// Does what `plan` says.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub fn apply(plan: &Plan) -> Result<()> {
    let path = plan.path();
    match plan.step() {
        Step::Nothing if Lock::is_stale(&path.with_file_name(LOCK))? => locked(path, || Ok(())),
        Step::Nothing => Ok(()),
        Step::Write(image) => locked(path, || files::write_atomically(path, MODE, image)),
        Step::SetMode => fs::set_permissions(path, Permissions::from_mode(MODE))
            .with_context(|| format!("setting the mode of {}", path.display())),
        Step::Remove => locked(path, || {
            fs::remove_file(path).with_context(|| format!("removing seed {}", path.display()))?;
            path.parent().map_or(Ok(()), files::sync_folder)
        }),
    }
}

/// Works in a folder that is there, locked, and free of what dead runs left of this seed.
fn locked(path: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let Some(folder) = path.parent() else { return work() };
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
        .with_context(|| format!("making folder {}", folder.display()))?;
    alone(&folder.join(LOCK), PATIENCE, || {
        files::sweep_for(path)?;
        work()
    })
}

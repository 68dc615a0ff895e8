// SPDX-License-Identifier: GPL-3.0-or-later

//! User data as the user wrote it: what each first-boot program makes of it, which its first line decides.

use anyhow::{Result, ensure};

use crate::generation::{Reads, names};
use crate::params::{Nuageinit, Params};

const CONFIG: &str = "#cloud-config";

/// Refuses user data that `reads` would not take.
///
/// # Errors
/// Naming what is wrong with it.
pub fn check(params: &Params, raw: &str, reads: Reads) -> Result<()> {
    let replaced = names(&[
        ("ssh_keys", !params.ssh_keys.is_empty()),
        ("users", params.users.is_some()),
        ("packages", !params.packages.is_empty()),
        ("run_commands", !params.run_commands.is_empty()),
        ("write_files", !params.write_files.is_empty()),
        ("timezone", params.timezone.is_some()),
    ]);
    ensure!(
        replaced.is_empty(),
        "`user_data` replaces what {} would render: give one or the other",
        replaced.join(", ")
    );
    let (first, rest) = raw.split_once('\n').unwrap_or((raw, ""));
    let bare = first.trim_start_matches('\u{feff}').trim();
    ensure!(
        first == CONFIG || bare != CONFIG,
        "the first line of `user_data` must be exactly #cloud-config: found a space, carriage return or byte order mark beside it"
    );
    ensure!(!rest.trim().is_empty(), "`user_data` has nothing after its first line");
    match reads {
        Reads::Nuageinit(generation) => check_nuageinit(params, (first, rest), generation),
        Reads::CloudInit => Ok(()),
    }
}

fn check_nuageinit(params: &Params, (first, rest): (&str, &str), generation: Nuageinit) -> Result<()> {
    let is_config = first == CONFIG;
    ensure!(
        is_config || first.starts_with("#!"),
        "nuageinit takes `user_data` whose first line is #cloud-config, or a script: found {:?}",
        first.chars().take(40).collect::<String>()
    );
    ensure!(
        !is_config || rest.lines().any(|line| line.starts_with("users:")),
        "`user_data` has no line `users:`: nuageinit would make a user freebsd with the password freebsd; add `users: []`"
    );
    ensure!(
        generation != Nuageinit::V14_1 || params.addresses.is_empty(),
        "nuageinit 14.1 reads the network from the user data, which `user_data` replaces: write `network:` there, in place of `addresses`"
    );
    Ok(())
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! User data as the user wrote it: what each first-boot program makes of it, which its first line decides.

use anyhow::{Result, ensure};

use crate::network;
use crate::options::{self, About};
use crate::params::{Nuageinit, Params};
use crate::reads::Reads;

const CONFIG: &str = "#cloud-config";

/// What cloud-init's user data may begin with, in any case and after spaces: everything else it drops with a line in its log.
const CLOUD_INIT: [&str; 9] = [
    CONFIG,
    "#!",
    "#include",
    "#cloud-boothook",
    "#part-handler",
    "## template: jinja",
    "content-type:",
    "mime-version:",
    "from ",
];

/// Refuses user data that `reads` would not take.
///
/// # Errors
/// Naming what is wrong with it.
pub fn check(params: &Params, raw: &str, reads: Reads) -> Result<()> {
    let replaced = options::given(params, &[About::UserData]);
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
    ensure!(
        bare == first || !bare.starts_with("#!"),
        "the first line of `user_data` must begin with #! and end without a space or carriage return: the kernel would not run the script"
    );
    ensure!(!rest.trim().is_empty(), "`user_data` has nothing after its first line");
    match reads {
        Reads::Nuageinit(generation) => {
            check_kind(first, generation)?;
            check_replaced(params, raw, generation)
        }
        Reads::CloudInit => check_cloud_init(first),
    }
}

fn check_kind(first: &str, generation: Nuageinit) -> Result<()> {
    let script = first.starts_with("#!");
    let (version, takes) = match generation {
        Nuageinit::V14_1 => ("14.1", ", or a script"),
        Nuageinit::V15_0 => ("15.0", ""),
    };
    ensure!(
        !script || generation == Nuageinit::V14_1,
        "`user_data` is a script: nuageinit 15.0 then sets no host name, no network and no users; give its lines as `run_commands`, \
         or the whole as one of `write_files` and its path as one of `run_commands`"
    );
    ensure!(
        script || first == CONFIG,
        "nuageinit {version} takes `user_data` whose first line is #cloud-config{takes}: found {:?}",
        beginning(first)
    );
    Ok(())
}

/// What user data take the place of, and have to say themselves.
fn check_replaced(params: &Params, raw: &str, generation: Nuageinit) -> Result<()> {
    let configured = network::nics(params).into_iter().filter(network::Nic::is_configured);
    let addresses: Vec<_> = configured.map(|nic| nic.option("addresses")).collect();
    ensure!(
        raw.starts_with("#!") || raw.lines().any(|line| line.starts_with("users:")),
        "`user_data` has no line `users:`: nuageinit would make a user freebsd with the password freebsd; add `users: []`"
    );
    ensure!(
        generation != Nuageinit::V14_1 || addresses.is_empty(),
        "nuageinit 14.1 reads the network from the user data, which `user_data` replaces: write `network:` there, in place of {}",
        addresses.join(", ")
    );
    Ok(())
}

fn check_cloud_init(first: &str) -> Result<()> {
    let lower = first.trim_start().to_lowercase();
    ensure!(
        CLOUD_INIT.iter().any(|beginning| lower.starts_with(beginning)),
        "cloud-init takes no `user_data` whose first line is {:?}: expected #cloud-config, a script's #!, or another beginning that it knows",
        beginning(first)
    );
    Ok(())
}

fn beginning(line: &str) -> String {
    line.chars().take(40).collect()
}

/// What newer programs than the first nuageinit make of a script.
pub fn warning(params: &Params, reads: Reads) -> Option<String> {
    let script = params.user_data.as_ref().is_some_and(|raw| raw.starts_with("#!"));
    (script && reads == Reads::Nuageinit(Nuageinit::V14_1)).then(|| {
        "`user_data` is a script, which only nuageinit before FreeBSD 14.4 takes: later ones then set no host name, no network and no users; \
         with `nuageinit: \"15.0\"`, give its lines as `run_commands`"
            .to_owned()
    })
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! Users that the image has already. Both programs give them keys and rules, and leave the rest as it is.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};

use crate::options::names;
use crate::params::{Family, Nuageinit, Params, User};
use crate::reads::Reads;

/// Accounts of FreeBSD's own password file.
const FREEBSD: [&str; 26] = [
    "root",
    "toor",
    "daemon",
    "operator",
    "bin",
    "tty",
    "kmem",
    "games",
    "news",
    "man",
    "sshd",
    "smmsp",
    "mailnull",
    "bind",
    "unbound",
    "proxy",
    "_pflogd",
    "_dhcp",
    "uucp",
    "pop",
    "auditdistd",
    "www",
    "ntpd",
    "_ypldap",
    "hast",
    "nobody",
];

/// Accounts that every Linux has.
const LINUX: [&str; 4] = ["root", "bin", "daemon", "nobody"];

/// Users that those who publish images put into them, or that were made in a guest before it became an image.
const USUAL: [&str; 15] = [
    "admin",
    "almalinux",
    "alpine",
    "arch",
    "centos",
    "cloud-user",
    "debian",
    "ec2-user",
    "fedora",
    "freebsd",
    "opensuse",
    "pi",
    "rocky",
    "ubuntu",
    "vagrant",
];

/// Refuses users of whom something would be ignored.
///
/// # Errors
/// Naming the user.
pub fn check(params: &Params, reads: Reads) -> Result<()> {
    let mut seen = BTreeSet::new();
    for user in users(params) {
        let name = user.name.to_string();
        let ignored = left_alone(user);
        let has = if params.family == Family::FreeBsd { &FREEBSD[..] } else { &LINUX[..] };
        if has.contains(&name.as_str()) && !ignored.is_empty() {
            bail!(
                "{} of {name} in `users` would be ignored, because every image has that account: {}",
                ignored.join(" and "),
                instead(user, reads)
            );
        }
        ensure!(seen.insert(name.clone()), "`users` names {name} twice: expected each user once");
    }
    Ok(())
}

/// What is said of users that an image may have.
pub fn warning(params: &Params) -> Option<String> {
    let usual =
        |user: &&User| USUAL.contains(&user.name.to_string().as_str()) && !left_alone(user).is_empty();
    let named: Vec<_> = users(params).filter(usual).map(|user| user.name.to_string()).collect();
    (!named.is_empty()).then(|| {
        format!(
            "if the image has the user {} already, `groups` and `shell` of `users` are ignored, and what the image says stays",
            named.join(", ")
        )
    })
}

fn users(params: &Params) -> impl Iterator<Item = &User> {
    params.users.iter().flatten()
}

fn left_alone(user: &User) -> Vec<String> {
    names(&[("groups", !user.groups.is_empty()), ("shell", user.shell.is_some())])
}

fn instead(user: &User, reads: Reads) -> String {
    let name = &user.name;
    let groups = user.groups.iter().map(ToString::to_string);
    let shell = user.shell.as_ref();
    let commands: Vec<_> = match reads {
        Reads::Nuageinit(Nuageinit::V14_1) => return "put that into the image".to_owned(),
        Reads::Nuageinit(Nuageinit::V15_0) => groups
            .map(|group| format!("`pw groupmod {group} -m {name}`"))
            .chain(shell.map(|shell| format!("`pw usermod {name} -s {shell}`")))
            .collect(),
        Reads::CloudInit => groups
            .map(|group| format!("`usermod -aG {group} {name}`"))
            .chain(shell.map(|shell| format!("`usermod -s {shell} {name}`")))
            .collect(),
    };
    format!("leave that out, and add {} to `run_commands`", commands.join(", "))
}

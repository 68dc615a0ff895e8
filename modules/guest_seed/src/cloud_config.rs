// SPDX-License-Identifier: GPL-3.0-or-later

//! The user data: users, keys, files, packages and commands, as each reader takes them.

use anyhow::Result;

use crate::params::{Family, Params, User, WriteFile};
use crate::reads::Reads;
use crate::values::SshKey;
use crate::yaml::{Yaml, document};

/// Second line of user data that was rendered here; what lacks it came as it is, and is never shown.
pub const RENDERED: &str = "# Rendered by apiary.bhyve.guest_seed.";

/// The user that nuageinit itself would make, with a password that everybody knows.
const FREEBSD_USER: &str = "freebsd";

/// What stands for a password that nobody has. nuageinit makes accounts with an EMPTY password where it is given none;
/// and the first one passes this through a shell, so it is a plain word. No hash of a password is one letter long.
const NO_PASSWORD: &str = "x";

/// Renders the user data; `network` is what has to be in it because there is no file network-config.
///
/// # Errors
/// Where a text cannot be said in the reader's YAML.
pub fn user_data(params: &Params, network: Option<Yaml>) -> Result<String> {
    let default_keys =
        params.users.is_none() && params.family == Family::Linux && !params.ssh_keys.is_empty();
    let root = Yaml::map([
        ("users", Some(users(params))),
        ("ssh_authorized_keys", default_keys.then(|| Yaml::texts(&params.ssh_keys))),
        ("chpasswd", passwords(params)),
        ("timezone", params.timezone.as_ref().map(Yaml::text)),
        ("network", network),
        ("packages", (!params.packages.is_empty()).then(|| Yaml::texts(&params.packages))),
        ("write_files", files(params)),
        ("runcmd", (!params.run_commands.is_empty()).then(|| Yaml::texts(&params.run_commands))),
    ]);
    Ok(format!("#cloud-config\n{RENDERED}\n{}", document(&root, Reads::of(params).yaml())?))
}

/// Always there: nuageinit makes a user freebsd with the password freebsd where `users` is missing.
fn users(params: &Params) -> Yaml {
    match (&params.users, params.family) {
        (Some(users), family) => {
            Yaml::List(users.iter().map(|user| self::user(user, &params.ssh_keys, family)).collect())
        }
        (None, Family::Linux) => Yaml::texts(["default"]),
        (None, Family::FreeBsd) if params.ssh_keys.is_empty() => Yaml::List(Vec::new()),
        (None, Family::FreeBsd) => Yaml::List(vec![Yaml::map([
            ("name", Some(Yaml::text(FREEBSD_USER))),
            ("groups", Some(Yaml::text("wheel"))),
            ("passwd", Some(Yaml::text(NO_PASSWORD))),
            ("ssh_authorized_keys", Some(Yaml::texts(&params.ssh_keys))),
        ])]),
    }
}

fn user(user: &User, keys: &[SshKey], family: Family) -> Yaml {
    let keys = if user.ssh_keys.is_empty() { keys } else { &user.ssh_keys };
    let groups: Vec<_> = user.groups.iter().map(ToString::to_string).collect();
    let hash = user.password_hash.as_ref().map(|hash| hash.secret().to_owned());
    let (passwd, hashed_passwd) = match family {
        Family::FreeBsd => (Some(hash.unwrap_or_else(|| NO_PASSWORD.to_owned())), None),
        // Of `passwd` nothing comes where the image has the user, but newer ones unlock the password that he has there.
        Family::Linux => (None, hash),
    };
    Yaml::map([
        ("name", Some(Yaml::text(&user.name))),
        ("groups", (!groups.is_empty()).then(|| Yaml::Text(groups.join(",")))),
        ("shell", user.shell.as_ref().map(Yaml::text)),
        // cloud-init locks every password unless it is told otherwise.
        ("lock_passwd", hashed_passwd.is_some().then_some(Yaml::Bool(false))),
        ("passwd", passwd.map(Yaml::Text)),
        ("hashed_passwd", hashed_passwd.map(Yaml::Text)),
        ("sudo", (!user.sudo.is_empty()).then(|| Yaml::texts(&user.sudo))),
        ("doas", (family == Family::FreeBsd && !user.doas.is_empty()).then(|| Yaml::texts(&user.doas))),
        ("ssh_authorized_keys", (!keys.is_empty()).then(|| Yaml::texts(keys))),
    ])
}

/// The passwords once more for nuageinit, which takes a user's own for one that it makes, and these for those of the image, too.
/// The first nuageinit knows neither.
fn passwords(params: &Params) -> Option<Yaml> {
    let password = |user: &User| {
        user.password_hash.as_ref().map(|hash| {
            Yaml::map([
                ("name", Some(Yaml::text(&user.name))),
                ("password", Some(Yaml::Text(hash.secret().to_owned()))),
                ("type", Some(Yaml::text("hash"))),
            ])
        })
    };
    let passwords: Vec<_> = params.users.iter().flatten().filter_map(password).collect();
    (params.family == Family::FreeBsd && !passwords.is_empty())
        .then(|| Yaml::map([("expire", Some(Yaml::Bool(false))), ("users", Some(Yaml::List(passwords)))]))
}

fn files(params: &Params) -> Option<Yaml> {
    let files: Vec<_> = params.write_files.iter().map(file).chain(doas_rules(params)).collect();
    (!files.is_empty()).then_some(Yaml::List(files))
}

fn file(file: &WriteFile) -> Yaml {
    Yaml::map([
        ("path", Some(Yaml::text(&file.path))),
        ("content", Some(Yaml::Text(file.content.clone()))),
        ("owner", file.owner.as_ref().map(Yaml::text)),
        ("permissions", file.permissions.as_ref().map(Yaml::text)),
        // Its owner may be one of the users above, whom both programs make before deferred files only.
        ("defer", file.owner.as_ref().map(|_| Yaml::Bool(true))),
    ])
}

/// The rules for doas of a Linux guest. cloud-init before 23.3 knows none, later ones drop all rules of a user where one of them
/// names a group or a user with a dash; `%u` is nuageinit's word for the user. Deferred, because a package may bring the file.
fn doas_rules(params: &Params) -> Option<Yaml> {
    let of_user = |user: &User| {
        let name = user.name.to_string();
        let lines = user.doas.iter().map(|rule| rule.to_string().replace("%u", &name) + "\n");
        lines.collect::<String>()
    };
    let rules: String = params.users.iter().flatten().map(of_user).collect();
    (params.family == Family::Linux && !rules.is_empty()).then(|| {
        Yaml::map([
            ("path", Some(Yaml::text("/etc/doas.conf"))),
            // A file that is there may lack its last newline.
            ("content", Some(Yaml::Text(format!("\n{rules}")))),
            ("permissions", Some(Yaml::text("0440"))),
            ("append", Some(Yaml::Bool(true))),
            ("defer", Some(Yaml::Bool(true))),
        ])
    })
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! What each option is about. A new one is a field of [`Params`] and a line here; checks and messages take it from these lines.

use crate::params::Params;

/// What an option says something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The only interface.
    Interface,
    /// How the guest finds names, whatever its interfaces are.
    Resolver,
    /// What is rendered as user data.
    UserData,
}

struct Line {
    name: &'static str,
    about: About,
    /// Whether the first nuageinit knows it.
    known_to_the_first: bool,
    is_given: fn(&Params) -> bool,
}

const LINES: [Line; 14] = [
    line("addresses", About::Interface, true, |params| !params.addresses.is_empty()),
    line("gateway", About::Interface, true, |params| params.gateway.is_some()),
    line("gateway6", About::Interface, true, |params| params.gateway6.is_some()),
    line("nameservers", About::Resolver, false, |params| !params.nameservers.is_empty()),
    line("search", About::Resolver, false, |params| !params.search.is_empty()),
    line("mtu", About::Interface, false, |params| params.mtu.is_some()),
    line("mac", About::Interface, true, |params| params.mac.is_some()),
    line("interface", About::Interface, false, |params| params.interface.is_some()),
    line("ssh_keys", About::UserData, true, |params| !params.ssh_keys.is_empty()),
    line("users", About::UserData, true, |params| params.users.is_some()),
    line("packages", About::UserData, false, |params| !params.packages.is_empty()),
    line("run_commands", About::UserData, false, |params| !params.run_commands.is_empty()),
    line("write_files", About::UserData, false, |params| !params.write_files.is_empty()),
    line("timezone", About::UserData, false, |params| params.timezone.is_some()),
];

const fn line(
    name: &'static str,
    about: About,
    known_to_the_first: bool,
    is_given: fn(&Params) -> bool,
) -> Line {
    Line { name, about, known_to_the_first, is_given }
}

/// Names of the options about one of `kinds` that are given, in quotes.
pub fn given(params: &Params, kinds: &[About]) -> Vec<String> {
    quoted(params, |line| kinds.contains(&line.about))
}

/// Names of the options about `kind` that are given and that nuageinit 14.1 does not know, in quotes.
pub fn unknown_to_the_first(params: &Params, kind: About) -> Vec<String> {
    quoted(params, |line| line.about == kind && !line.known_to_the_first)
}

fn quoted(params: &Params, wanted: impl Fn(&Line) -> bool) -> Vec<String> {
    let lines = LINES.iter().filter(|line| wanted(line) && (line.is_given)(params));
    lines.map(|line| format!("`{}`", line.name)).collect()
}

/// Those of `options` that are given, in quotes: for parts of an option, and for those of one interface.
pub fn names(options: &[(&str, bool)]) -> Vec<String> {
    options.iter().filter(|(_, given)| *given).map(|(name, _)| format!("`{name}`")).collect()
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! Addresses as messages may show them.

use super::location::is_word;

/// An address without what could be a secret: a login, up to its last `@` because passwords hold any letter, and all after the
/// path, where tokens stand. What is no address is shown as it is.
pub fn shown(text: &str) -> String {
    if text.starts_with('/') {
        return text.to_owned();
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let (login, place) = match rest.rsplit_once('@') {
        // An account of ssh is not a secret.
        Some((user, place)) if is_word(user) && scheme.ends_with("ssh://") => (format!("{user}@"), place),
        Some((login, place)) => match login.split_once(':') {
            Some((user, _)) if is_word(user) => (format!("{user}:***@"), place),
            // A snapshot of ZFS.
            _ if scheme.is_empty() => (format!("{login}@"), place),
            _ => ("***@".to_owned(), place),
        },
        None => (String::new(), rest),
    };
    let query = if place.contains(['?', '#']) { "?***" } else { "" };
    let path = place.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}{login}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        for (text, expected) in [
            ("https://user:secret@a/b", "https://user:***@a/b"),
            ("ssh://user:secret@a/b", "ssh://user:***@a/b"),
            ("ssh://user@a/../b", "ssh://user@a/../b"),
            ("https://user:se@cret@a/b", "https://user:***@a/b"),
            ("https://user:se/cret@a/b", "https://user:***@a/b"),
            ("https://user:se?cr#et@a/b", "https://user:***@a/b"),
            ("https://secret@a/b", "https://***@a/b"),
            ("https://secret/@a/b", "https://***@a/b"),
            ("https://a/b?token=secret", "https://a/b?***"),
            ("https://a/b#secret", "https://a/b?***"),
            ("user:secret@a:/b", "user:***@a:/b"),
            ("images/demo", "images/demo"),
            ("tank/images/demo@golden", "tank/images/demo@golden"),
            ("tank/a:b@golden", "tank/a:b@golden"),
            ("/srv/a:b@c?d#e", "/srv/a:b@c?d#e"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! Web pages, which come where something else was asked for.

use anyhow::{Result, ensure};

/// How they begin, in letters of any size.
const BEGINNINGS: [&str; 5] = ["<!doctype", "<html", "<?xml", "<head", "<body"];

/// Whether a file with this beginning is one.
pub fn is_web_page(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let begins =
        |word: &str| text.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word.as_bytes()));
    BEGINNINGS.into_iter().any(begins)
}

/// Says so where a web page came instead of a file.
pub(crate) fn refuse_web_page(head: &[u8]) -> Result<()> {
    ensure!(
        !is_web_page(head),
        "it is a web page: a network that wants a login, a proxy or an error page answered in its place"
    );
    Ok(())
}

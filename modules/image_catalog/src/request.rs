// SPDX-License-Identifier: GPL-3.0-or-later

//! Requests of pkg's line protocol, as a server reads them.

/// `get PATH AGE`: the file, if it is newer than AGE. `get PATH AGE FROM`: what of it follows so many bytes.
pub(crate) struct Wanted<'a> {
    pub(crate) path: &'a str,
    pub(crate) age: u64,
    pub(crate) from: u64,
}

impl<'a> Wanted<'a> {
    /// Reads a request; the error is pkg's own answer to a wrong one.
    pub(crate) fn parse(request: &'a str) -> Result<Self, String> {
        let Some(rest) = request.strip_prefix("get ") else {
            return Err(format!("unknown command '{request}'"));
        };
        let Some((path, age)) = rest.split_once(' ') else {
            return Err("bad command get, expecting 'get file age'".to_owned());
        };
        let (age, from) = age.split_once(' ').unwrap_or((age, "0"));
        Ok(Self { path, age: number(age)?, from: number(from)? })
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let why = match text.parse() {
        Ok(number) if i64::try_from(number).is_ok() => return Ok(number),
        _ if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) => "invalid",
        _ if text.starts_with('-') => "too small",
        _ => "too large",
    };
    Err(format!("bad number {text}: {why}"))
}

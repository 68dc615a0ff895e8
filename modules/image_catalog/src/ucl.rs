// SPDX-License-Identifier: GPL-3.0-or-later

//! The little of UCL that pkg's `meta.conf` and fingerprint files use: top-level keys with plain values.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

/// The deepest nesting of objects and lists that is skipped.
const DEPTH_LIMIT: usize = 16;

/// Reads `key = value;` and `key: value` lines, or the same as a JSON object. Objects and lists as values are
/// passed over; a key that is given twice is an error.
pub(crate) fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut values = BTreeMap::new();
    let braced = reader.skip_blank()? == Some('{');
    if braced {
        reader.bump();
    }
    loop {
        match reader.skip_blank()? {
            None if !braced => return Ok(values),
            Some('}') if braced => {
                reader.bump();
                ensure!(
                    reader.skip_blank()?.is_none(),
                    "text after the closing brace in line {}",
                    reader.line
                );
                return Ok(values);
            }
            None => bail!("the closing brace is missing"),
            Some(_) => reader.pair(&mut values)?,
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn bump(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.line += usize::from(c == '\n');
        Some(c)
    }

    /// Skips blanks and comments; returns what stands next.
    fn skip_blank(&mut self) -> Result<Option<char>> {
        loop {
            match self.rest.chars().next() {
                Some(c) if c.is_whitespace() => drop(self.bump()),
                Some('#') => drop(self.take_until(|c| c == '\n')),
                Some('/') if self.rest.starts_with("/*") => {
                    let Some(end) = self.rest.find("*/") else {
                        bail!("the comment in line {} has no end", self.line)
                    };
                    self.line += self.rest[..end].matches('\n').count();
                    self.rest = &self.rest[end + 2..];
                }
                next => return Ok(next),
            }
        }
    }

    fn take_until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn pair(&mut self, values: &mut BTreeMap<String, String>) -> Result<()> {
        let key = self.scalar()?;
        if matches!(self.skip_blank()?, Some('=' | ':')) {
            self.bump();
        }
        match self.skip_blank()? {
            Some('{' | '[') => self.skip_nested()?,
            Some(_) => {
                let value = self.scalar()?;
                ensure!(values.insert(key.clone(), value).is_none(), "key {key:?} is given twice");
            }
            None => bail!("key {key:?} has no value"),
        }
        if matches!(self.skip_blank()?, Some(';' | ',')) {
            self.bump();
        }
        Ok(())
    }

    /// A quoted or a bare word.
    fn scalar(&mut self) -> Result<String> {
        let line = self.line;
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                self.bump();
                let mut text = String::new();
                loop {
                    match self.bump() {
                        Some(c) if c == quote => return Ok(text),
                        Some('\\') => text.extend(self.bump()),
                        Some(c) => text.push(c),
                        None => bail!("the quote in line {line} has no end"),
                    }
                }
            }
            _ => {
                let ends =
                    |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '{' | '}' | '[' | ']' | '=' | ':');
                let word = self.take_until(ends);
                ensure!(!word.is_empty(), "expected a word in line {line}");
                Ok(word.to_owned())
            }
        }
    }

    fn skip_nested(&mut self) -> Result<()> {
        let line = self.line;
        let mut closing = Vec::new();
        loop {
            match self.skip_blank()? {
                Some('{') => closing.push('}'),
                Some('[') => closing.push(']'),
                Some(c @ ('}' | ']')) => {
                    ensure!(closing.pop() == Some(c), "unexpected {c:?} in line {}", self.line)
                }
                Some('"' | '\'') => {
                    self.scalar()?;
                    continue;
                }
                Some(_) => {}
                None => bail!("the value that begins in line {line} has no end"),
            }
            ensure!(
                closing.len() <= DEPTH_LIMIT,
                "values are nested more than {DEPTH_LIMIT} deep in line {line}"
            );
            self.bump();
            if closing.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pkg_writes() {
        let meta = "version = 2;\npacking_format = \"tzst\";\ndata = \"data\";\n";
        let expected = [("version", "2"), ("packing_format", "tzst"), ("data", "data")];
        assert_eq!(parse(meta).unwrap(), expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        let fingerprint = parse("function: \"sha256\"\nfingerprint: \"95\\\"54\"\n").unwrap();
        assert_eq!(fingerprint["fingerprint"], "95\"54");
    }

    #[test]
    fn reads_what_people_write() {
        let text = "# comment\n{ a: 1, /* b: 2,\n */ cert [ {type: rsa; data: \"]}\"} ], 'c' = x\n}\n";
        let expected = [("a", "1"), ("c", "x")];
        assert_eq!(parse(text).unwrap(), expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn says_where_it_is_wrong() {
        for (text, expected) in [
            ("a = 1;\na = 2;", "key \"a\" is given twice"),
            ("a", "key \"a\" has no value"),
            ("\n= 1", "expected a word in line 2"),
            ("a = \"x", "the quote in line 1 has no end"),
            ("a { b [ 1 }", "unexpected '}' in line 1"),
            ("a { b", "the value that begins in line 1 has no end"),
            ("/* x", "the comment in line 1 has no end"),
            ("{ a = 1", "the closing brace is missing"),
            ("{ a = 1 }\nb", "text after the closing brace in line 2"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        let deep = format!("a {}", "[".repeat(20));
        assert_eq!(parse(&deep).unwrap_err().to_string(), "values are nested more than 16 deep in line 1");
    }
}

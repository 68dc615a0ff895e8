// SPDX-License-Identifier: GPL-3.0-or-later

//! Writes YAML that every reader takes the same way: block style, strings always quoted, nothing left to be guessed.

use std::fmt::Write;

use anyhow::{Result, bail};

/// A YAML node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Yaml {
    /// Text, never taken for anything else.
    Text(String),
    /// A number.
    Number(u32),
    /// What stands for itself without quotes, such as another number or null.
    Plain(String),
    /// True or false.
    Bool(bool),
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping in this order.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A mapping of entries whose value is there.
    pub fn map<const N: usize>(entries: [(&str, Option<Yaml>); N]) -> Yaml {
        let there = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Yaml::Map(there.collect())
    }

    /// What `value` says, as text.
    pub fn text(value: impl ToString) -> Yaml {
        Yaml::Text(value.to_string())
    }

    /// A sequence of texts.
    pub fn texts<T: ToString>(texts: impl IntoIterator<Item = T>) -> Yaml {
        Yaml::List(texts.into_iter().map(Yaml::text).collect())
    }
}

/// An entry of a mapping.
pub fn entry(key: &str, value: Yaml) -> (String, Yaml) {
    (key.to_owned(), value)
}

/// What the reader of a document can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// YAML 1.1 as it is specified.
    Full,
    /// The Lua parser of the first nuageinit: in quotes it knows no escapes, not even a doubled quote.
    WithoutEscapes,
}

/// The document for `reader`, ending in a newline. `root` is a mapping.
///
/// # Errors
/// Where a text cannot be said to this reader; the error does not repeat the text.
pub fn document(root: &Yaml, reader: Reader) -> Result<String> {
    let mut writer = Writer { reader, out: String::new() };
    match root {
        Yaml::Map(entries) if !entries.is_empty() => {
            writer.map(entries, Position { indent: 0, after_dash: false })?
        }
        other => writer.scalar(other, "document")?,
    }
    Ok(writer.out)
}

#[derive(Clone, Copy)]
struct Position {
    indent: usize,
    /// The first key goes on the line where a dash stands already.
    after_dash: bool,
}

struct Writer {
    reader: Reader,
    out: String,
}

/// `key` is the one that a value stands at, for errors.
impl Writer {
    fn map(&mut self, entries: &[(String, Yaml)], at: Position) -> Result<()> {
        for (number, (key, value)) in entries.iter().enumerate() {
            if number > 0 || !at.after_dash {
                self.out.push_str(&" ".repeat(at.indent));
            }
            if is_plain(key) {
                self.out.push_str(key);
            } else {
                self.text(key, key)?;
            }
            self.out.push(':');
            self.value(value, key, at.indent + 2)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Yaml, key: &str, indent: usize) -> Result<()> {
        match value {
            Yaml::Map(inner) if !inner.is_empty() => {
                self.out.push('\n');
                self.map(inner, Position { indent, after_dash: false })
            }
            Yaml::List(items) if !items.is_empty() => {
                self.out.push('\n');
                self.list(items, key, indent)
            }
            other => {
                self.out.push(' ');
                self.scalar(other, key)
            }
        }
    }

    fn list(&mut self, items: &[Yaml], key: &str, indent: usize) -> Result<()> {
        for item in items {
            let _ = write!(self.out, "{}- ", " ".repeat(indent));
            match item {
                Yaml::Map(inner) if !inner.is_empty() => {
                    self.map(inner, Position { indent: indent + 2, after_dash: true })?;
                }
                Yaml::List(inner) if !inner.is_empty() => {
                    bail!("writing {key}: a list of lists is not needed anywhere")
                }
                other => self.scalar(other, key)?,
            }
        }
        Ok(())
    }

    fn scalar(&mut self, value: &Yaml, key: &str) -> Result<()> {
        match value {
            Yaml::Text(value) => self.text(value, key)?,
            Yaml::Number(number) => _ = write!(self.out, "{number}"),
            Yaml::Plain(word) => self.out.push_str(word),
            Yaml::Bool(flag) => _ = write!(self.out, "{flag}"),
            Yaml::List(_) => self.out.push_str("[]"),
            Yaml::Map(_) => self.out.push_str("{}"),
        }
        self.out.push('\n');
        Ok(())
    }

    fn text(&mut self, text: &str, key: &str) -> Result<()> {
        match self.reader {
            Reader::Full => self.out.push_str(&quoted(text)),
            Reader::WithoutEscapes => self.out.push_str(&quoted_without_escapes(text, key)?),
        }
        Ok(())
    }
}

/// Words that YAML 1.1 takes for something else than text when they stand alone.
const TAKEN: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

fn is_plain(key: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(letters) && !TAKEN.contains(&key)
}

/// A quoted scalar on one line.
fn quoted(text: &str) -> String {
    let printable = |c: char| matches!(c, ' '..='~') || c.is_alphanumeric();
    if text.chars().all(printable) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        let code = u32::from(c);
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => write!(out, "\\n"),
            '\t' => write!(out, "\\t"),
            ' '..='~' => write!(out, "{c}"),
            _ if code < 0x100 => write!(out, "\\x{code:02x}"),
            _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
    }
    out.push('"');
    out
}

fn quoted_without_escapes(text: &str, key: &str) -> Result<String> {
    if !text.chars().all(|c| matches!(c, ' '..='~')) {
        bail!("writing {key}: nuageinit 14.1 reads printable ASCII on one line only; found something else");
    }
    if !text.contains('\'') {
        return Ok(format!("'{text}'"));
    }
    if !text.contains(['"', '\\']) {
        return Ok(format!("\"{text}\""));
    }
    bail!(
        "writing {key}: nuageinit 14.1 reads no text that has a single quote together with a double quote or a backslash; \
         leave one of them out"
    )
}

#[cfg(test)]
mod tests;

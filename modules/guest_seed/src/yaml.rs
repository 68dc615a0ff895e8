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

    /// A sequence of texts.
    pub fn texts<T: ToString>(texts: impl IntoIterator<Item = T>) -> Yaml {
        Yaml::List(texts.into_iter().map(|text| Yaml::Text(text.to_string())).collect())
    }
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
    let mut out = String::new();
    match root {
        Yaml::Map(entries) if !entries.is_empty() => {
            map(entries, reader, Position { indent: 0, after_dash: false }, &mut out)?
        }
        other => scalar(other, reader, "document", &mut out)?,
    }
    Ok(out)
}

#[derive(Clone, Copy)]
struct Position {
    indent: usize,
    /// The first key goes on the line where a dash stands already.
    after_dash: bool,
}

fn map(entries: &[(String, Yaml)], reader: Reader, at: Position, out: &mut String) -> Result<()> {
    for (number, (key, value)) in entries.iter().enumerate() {
        if number > 0 || !at.after_dash {
            out.push_str(&" ".repeat(at.indent));
        }
        if is_plain(key) {
            out.push_str(key);
        } else {
            text(key, reader, key, out)?;
        }
        out.push(':');
        match value {
            Yaml::Map(inner) if !inner.is_empty() => {
                out.push('\n');
                map(inner, reader, Position { indent: at.indent + 2, after_dash: false }, out)?;
            }
            Yaml::List(items) if !items.is_empty() => {
                out.push('\n');
                list(items, reader, (at.indent + 2, key), out)?;
            }
            other => {
                out.push(' ');
                scalar(other, reader, key, out)?;
            }
        }
    }
    Ok(())
}

fn list(items: &[Yaml], reader: Reader, (indent, key): (usize, &str), out: &mut String) -> Result<()> {
    for item in items {
        let _ = write!(out, "{}- ", " ".repeat(indent));
        match item {
            Yaml::Map(inner) if !inner.is_empty() => {
                map(inner, reader, Position { indent: indent + 2, after_dash: true }, out)?;
            }
            Yaml::List(inner) if !inner.is_empty() => {
                bail!("writing {key}: a list of lists is not needed anywhere")
            }
            other => scalar(other, reader, key, out)?,
        }
    }
    Ok(())
}

fn scalar(value: &Yaml, reader: Reader, key: &str, out: &mut String) -> Result<()> {
    match value {
        Yaml::Text(value) => text(value, reader, key, out)?,
        Yaml::Number(number) => _ = write!(out, "{number}"),
        Yaml::Plain(word) => out.push_str(word),
        Yaml::Bool(flag) => _ = write!(out, "{flag}"),
        Yaml::List(_) => out.push_str("[]"),
        Yaml::Map(_) => out.push_str("{}"),
    }
    out.push('\n');
    Ok(())
}

fn text(text: &str, reader: Reader, key: &str, out: &mut String) -> Result<()> {
    match reader {
        Reader::Full => out.push_str(&quoted(text)),
        Reader::WithoutEscapes => out.push_str(&quoted_without_escapes(text, key)?),
    }
    Ok(())
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

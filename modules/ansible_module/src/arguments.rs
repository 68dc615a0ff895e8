// SPDX-License-Identifier: GPL-3.0-or-later

//! Arguments of a module: where they come from, and which are Ansible's own.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Far above any real task; keeps a mistaken file (an image, a device) out of memory.
const LONGEST: u64 = 16 << 20;

/// Prefix of the keys that Ansible adds to a task's own options.
const ANSIBLE: &str = "_ansible_";

/// The arguments as they were given: one JSON object.
#[derive(Debug)]
pub struct Arguments(Map<String, Value>);

fn from_file(path: &Path) -> Result<Arguments> {
    let doing = || format!("reading arguments from {}", path.display());
    from_reader(File::open(path).with_context(doing)?).with_context(doing)
}

/// Takes not a byte of what follows the line.
#[expect(clippy::unbuffered_bytes, reason = "a buffer would take bytes of the stream behind it")]
fn first_line() -> Result<Arguments> {
    let stdin = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut line = Vec::new();
    for byte in stdin.take(LONGEST).bytes() {
        match byte? {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    from_reader(&line[..])
}

fn from_reader(source: impl Read) -> Result<Arguments> {
    let mut text = Vec::new();
    source.take(LONGEST + 1).read_to_end(&mut text)?;
    ensure!(text.len() as u64 <= LONGEST, "expected a JSON object of at most {LONGEST} bytes, found more");
    match serde_json::from_slice(&text).context("expected one JSON object")? {
        Value::Object(keys) => Ok(Arguments(keys)),
        other => bail!("expected a JSON object with the module's options, found {}", kind(&other)),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Arguments {
    /// Reads the arguments from the file named by this process's first argument, from standard input for `-`, or from its first line
    /// for `+`, behind which a stream stands.
    ///
    /// # Errors
    /// Where there is no such argument, or what it names cannot be read or is no JSON object.
    pub fn read() -> Result<Self> {
        let mut words = std::env::args_os();
        let program = words.next().map(PathBuf::from).unwrap_or_default();
        let words: Vec<OsString> = words.collect();
        match words.as_slice() {
            [word] if word == "-" => {
                from_reader(io::stdin().lock()).context("reading arguments from standard input")
            }
            [word] if word == "+" => {
                first_line().context("reading arguments from the first line of standard input")
            }
            [word] => from_file(Path::new(word)),
            _ => {
                let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
                bail!(
                    "usage: {name} ARGUMENTS.json, or {name} - with the arguments as JSON on standard input"
                )
            }
        }
    }

    /// Name of the module that Ansible wants to run, without its collection.
    pub fn module(&self) -> Option<&str> {
        self.0.get("_ansible_module_name")?.as_str()
    }

    /// Splits Ansible's settings (prefix removed) from the module's own options.
    pub(crate) fn split(self) -> Result<(Map<String, Value>, Map<String, Value>)> {
        let (settings, options): (Map<_, _>, Map<_, _>) =
            self.0.into_iter().partition(|(key, _)| key.starts_with(ANSIBLE));
        let settings = settings.into_iter().map(|(key, value)| (key[ANSIBLE.len()..].to_owned(), value));
        Ok((settings.collect(), options))
    }
}

/// Reads the module's options into its own type; an error names the option.
pub(crate) fn options_from<P: DeserializeOwned>(options: Map<String, Value>) -> Result<P> {
    serde_path_to_error::deserialize(Value::Object(options)).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        if path == "." {
            anyhow!("reading options: {reason}")
        } else {
            anyhow!("reading option `{path}`: {reason}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Options {
        path: String,
        #[serde(default)]
        sizes: Vec<crate::Size>,
    }

    fn options(text: &str) -> Result<(Map<String, Value>, Options)> {
        let (settings, options) = from_reader(text.as_bytes())?.split()?;
        Ok((settings, options_from(options)?))
    }

    #[test]
    fn ansible_keys_are_split_off() {
        let (settings, options) =
            options(r#"{"path": "/a", "sizes": ["1M"], "_ansible_check_mode": true}"#).unwrap();
        assert_eq!(settings["check_mode"], true);
        assert_eq!(options, Options { path: "/a".into(), sizes: vec![crate::Size(1 << 20)] });
    }

    #[test]
    fn errors_name_the_option() {
        let cases = [
            ("{}", "reading options: missing field `path`"),
            (r#"{"path": 1}"#, "reading option `path`: invalid type: integer `1`, expected a string"),
            (
                r#"{"path": "/a", "size": 1}"#,
                "reading option `size`: unknown field `size`, expected `path` or `sizes`",
            ),
            (
                r#"{"path": "/a", "sizes": ["1M", "lots"]}"#,
                "reading option `sizes[1]`: invalid size \"lots\": expected bytes or a number with one of K, M, G, T, P, as in 20G",
            ),
            ("[1]", "expected a JSON object with the module's options, found a list"),
            ("", "expected one JSON object: EOF while parsing a value at line 1 column 0"),
        ];
        for (text, message) in cases {
            assert_eq!(format!("{:#}", options(text).unwrap_err()), message, "{text}");
        }
    }

    #[test]
    fn the_module_is_named_by_ansible() {
        let named = |text: &str| from_reader(text.as_bytes()).unwrap().module().map(str::to_owned);
        assert_eq!(named(r#"{"_ansible_module_name": "guest_seed"}"#).as_deref(), Some("guest_seed"));
        assert_eq!(named(r#"{"_ansible_module_name": 1}"#), None);
        assert_eq!(named("{}"), None);
    }

    #[test]
    fn endless_input_is_refused() {
        let error = from_reader(io::repeat(b' ')).unwrap_err();
        assert_eq!(format!("{error:#}"), "expected a JSON object of at most 16777216 bytes, found more");
    }
}

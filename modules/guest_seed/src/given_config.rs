// SPDX-License-Identifier: GPL-3.0-or-later

//! A network configuration as the user wrote it: a document of its own, which the guest's program takes as it is.

use serde::Deserialize;
use serde_json::Value;
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::{Yaml as Parsed, YamlLoader};

use crate::yaml::Yaml;

/// What the program is given, and what it says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub struct GivenConfig {
    /// Where it was given as text, that text.
    text: Option<String>,
    root: Vec<(String, Yaml)>,
}

impl TryFrom<Value> for GivenConfig {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => {
                let root = parsed(&text)?;
                Ok(GivenConfig { text: Some(text), root })
            }
            Value::Object(_) => match told(value)? {
                Yaml::Map(root) => Ok(GivenConfig { text: None, root }),
                _ => Err("invalid `network_config`: expected a dictionary".to_owned()),
            },
            _ => {
                Err("invalid `network_config`: expected a dictionary, or a YAML document as text".to_owned())
            }
        }
    }
}

/// Deeper than any network is.
const DEEPEST: usize = 32;

/// Refuses what would take a reader's whole stack or memory: every document that it reads is a small one.
fn check_shape(text: &str) -> Result<(), String> {
    let tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    if let Some(number) = text.lines().position(tab) {
        return Err(format!("`network_config` is indented with a tab in line {}: use spaces", number + 1));
    }
    let mut parser = Parser::new_from_str(text);
    let mut depth = 0_usize;
    loop {
        match parser.next_token().map_err(|error| format!("`network_config` is no YAML document: {error}"))?.0
        {
            Event::StreamEnd => return Ok(()),
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            Event::Alias(..) => {
                return Err("`network_config` has an alias: write out what it stands for".to_owned());
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("`network_config` is nested deeper than {DEEPEST}, as no network is"));
        }
    }
}

fn parsed(text: &str) -> Result<Vec<(String, Yaml)>, String> {
    check_shape(text)?;
    let mut documents = YamlLoader::load_from_str(text)
        .map_err(|error| format!("`network_config` is no YAML document: {error}"))?
        .into_iter();
    match (documents.next().map(read).transpose()?, documents.next()) {
        (Some(Yaml::Map(root)), None) => Ok(root),
        (Some(Yaml::Map(_)), Some(_)) => {
            Err("`network_config` has several YAML documents: expected one".to_owned())
        }
        _ => {
            Err("invalid `network_config`: expected a dictionary, or a YAML document that is one".to_owned())
        }
    }
}

fn read(node: Parsed) -> Result<Yaml, String> {
    Ok(match node {
        Parsed::String(text) => Yaml::Text(text),
        Parsed::Integer(number) => Yaml::Plain(number.to_string()),
        Parsed::Real(number) => Yaml::Plain(number),
        Parsed::Boolean(flag) => Yaml::Bool(flag),
        Parsed::Null => Yaml::Plain("null".to_owned()),
        Parsed::Array(items) => Yaml::List(items.into_iter().map(read).collect::<Result<_, _>>()?),
        Parsed::Hash(entries) => {
            let entry = |(key, value)| match read(key)? {
                Yaml::Text(key) | Yaml::Plain(key) => Ok((key, read(value)?)),
                _ => Err("`network_config` has a key that is no text".to_owned()),
            };
            Yaml::Map(entries.into_iter().map(entry).collect::<Result<_, String>>()?)
        }
        Parsed::Alias(_) | Parsed::BadValue => {
            return Err("`network_config` has a value that cannot be read".to_owned());
        }
    })
}

fn told(value: Value) -> Result<Yaml, String> {
    Ok(match value {
        Value::String(text) => Yaml::Text(text),
        Value::Number(number) => Yaml::Plain(number.to_string()),
        Value::Bool(flag) => Yaml::Bool(flag),
        Value::Null => Yaml::Plain("null".to_owned()),
        Value::Array(items) => Yaml::List(items.into_iter().map(told).collect::<Result<_, _>>()?),
        Value::Object(entries) => {
            let entry = |(key, value)| Ok((key, told(value)?));
            Yaml::Map(entries.into_iter().map(entry).collect::<Result<_, String>>()?)
        }
    })
}

impl GivenConfig {
    /// The text that was given, if it was one, ending in a newline.
    pub fn text(&self) -> Option<String> {
        self.text.as_ref().map(|text| format!("{}\n", text.strip_suffix('\n').unwrap_or(text)))
    }

    /// What it says.
    pub fn tree(&self) -> Yaml {
        Yaml::Map(self.root.clone())
    }

    /// The entries of its outermost level.
    pub fn root(&self) -> &[(String, Yaml)] {
        &self.root
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! Properties of volumes that the user asks for: checked names and values, and one way to compare them with what ZFS reports.

use std::collections::BTreeMap;

use ansible_module::Size;
use serde::Deserialize;
use serde_json::Value;

/// Longest value ZFS stores (`ZAP_MAXVALUELEN` less its NUL).
const LONGEST_VALUE: usize = 8191;

/// User property of a volume that has its name but not yet its device: a `volmode=none` with it is ours, one without the user's.
pub const UNFINISHED: &str = "apiary.bhyve:unfinished";

/// Wanted properties by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>")]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// The wanted value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and wanted values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// These properties and one more, or with another value.
    pub fn with(mut self, name: &str, value: &str) -> Properties {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// These properties without one.
    pub fn without(mut self, name: &str) -> Properties {
        self.0.remove(name);
        self
    }

    /// These properties with `more` on top.
    pub fn overridden_by(&self, more: &Properties) -> Properties {
        Properties(self.0.clone().into_iter().chain(more.0.clone()).collect())
    }
}

impl TryFrom<BTreeMap<String, Value>> for Properties {
    type Error = String;

    fn try_from(given: BTreeMap<String, Value>) -> Result<Self, String> {
        let mut wanted = BTreeMap::new();
        for (name, value) in given {
            check_name(&name)?;
            let value = text(&name, value)?;
            if value.is_empty() || value.len() > LONGEST_VALUE || value.contains(char::is_control) {
                return Err(format!(
                    "value {value:?} of property {name}: expected 1 to {LONGEST_VALUE} bytes without control characters"
                ));
            }
            wanted.insert(name, value);
        }
        Ok(Properties(wanted))
    }
}

/// YAML takes `compression: on` for a boolean and `copies: 2` for a number.
fn text(name: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(set) => Ok(if set { "on" } else { "off" }.to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("property {name:?}: expected text, a number or a truth value"))
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("property {name:?}: {why}"));
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ":_.-".contains(c);
    match name {
        "volsize" => refuse("set the option volsize instead"),
        "volblocksize" => refuse("it is the image's own and cannot be changed"),
        _ if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) => {
            refuse("expected lower-case letters, digits and :_.- only, starting with a letter")
        }
        _ => Ok(()),
    }
}

/// Whether `found`, as `zfs get -p` prints it, is what `wanted` asks for: ZFS's own sizes may be written with units, and `none` is 0.
pub fn satisfied(name: &str, wanted: &str, found: &str) -> bool {
    if name.contains(':') {
        return wanted == found;
    }
    let number = |text: &str| match text {
        "none" | "-" => Some(Size(0)),
        text => text.parse::<Size>().ok(),
    };
    match (wanted, number(wanted), number(found)) {
        _ if wanted == found => true,
        // `refreservation=auto` is stored as the number it comes to.
        ("auto", _, Some(found)) => found.0 > 0,
        (_, Some(wanted), Some(found)) => wanted == found,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(name: &str, value: &str) -> Result<Properties, String> {
        Properties::try_from(BTreeMap::from([(name.to_owned(), Value::from(value))]))
    }

    #[test]
    fn names_and_values_are_checked() {
        properties("compression", "zstd").unwrap();
        properties("org.example:owner", "it's me, =x").unwrap();
        let cases = [
            ("volsize", "1G", r#"property "volsize": set the option volsize instead"#),
            (
                "volblocksize",
                "16K",
                r#"property "volblocksize": it is the image's own and cannot be changed"#,
            ),
            (
                "-r",
                "x",
                r#"property "-r": expected lower-case letters, digits and :_.- only, starting with a letter"#,
            ),
            (
                "a=b",
                "x",
                r#"property "a=b": expected lower-case letters, digits and :_.- only, starting with a letter"#,
            ),
            (
                "",
                "x",
                r#"property "": expected lower-case letters, digits and :_.- only, starting with a letter"#,
            ),
            (
                "a:b",
                "x\ny",
                r#"value "x\ny" of property a:b: expected 1 to 8191 bytes without control characters"#,
            ),
            ("a:b", "", r#"value "" of property a:b: expected 1 to 8191 bytes without control characters"#),
        ];
        for (name, value, error) in cases {
            assert_eq!(properties(name, value).unwrap_err(), error);
        }
    }

    #[test]
    fn values_as_yaml_gives_them() {
        let given: Properties =
            serde_json::from_str(r#"{"compression": true, "copies": 2, "a:b": "c"}"#).unwrap();
        assert_eq!(given.iter().collect::<Vec<_>>(), [("a:b", "c"), ("compression", "on"), ("copies", "2")]);
        let error = serde_json::from_str::<Properties>(r#"{"copies": [2]}"#).unwrap_err().to_string();
        assert!(
            error.starts_with(r#"property "copies": expected text, a number or a truth value"#),
            "{error}"
        );
    }

    #[test]
    fn values_compare_as_zfs_means_them() {
        let cases = [
            ("compression", "lz4", "lz4", true),
            ("compression", "lz4", "zstd", false),
            ("reservation", "1G", "1073741824", true),
            ("reservation", "1G", "1073741825", false),
            ("reservation", "none", "0", true),
            ("volmode", "none", "none", true),
            ("reservation", "none", "4096", false),
            ("refreservation", "auto", "69206016", true),
            ("refreservation", "auto", "0", false),
            ("a:size", "1G", "1073741824", false),
            ("a:size", "0", "-", false),
            ("a:size", "1G", "1G", true),
        ];
        for (name, wanted, found, same) in cases {
            assert_eq!(satisfied(name, wanted, found), same, "{name} {wanted} {found}");
        }
    }
}

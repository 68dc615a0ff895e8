// SPDX-License-Identifier: GPL-3.0-or-later

//! The entries of a list of packages, split but not yet read.

use std::fmt;

use anyhow::{Context, Result};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::meta::Form;
use crate::signed_archive::OTHER_PACKAGES;

/// How many packages a list may have: 100 images published every week for four years. A list that nobody has signed is read, too,
/// and must not cost more than that.
const LIMIT: usize = 20_000;

/// What a list holds.
pub(crate) struct Entries<'a> {
    /// An object of JSON for each package.
    pub(crate) packages: Vec<&'a RawValue>,
    /// The number that grows with every change, where the list has one.
    pub(crate) serial: Option<u64>,
    pub(crate) kept: Kept,
}

/// What pkg keeps beside the packages, as it stands in the list: whoever publishes into it hands it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Groups of packages.
    pub(crate) groups: String,
    /// Packages that are no more.
    pub(crate) expired_packages: String,
}

impl Default for Kept {
    fn default() -> Self {
        Self { groups: "[]".to_owned(), expired_packages: "[]".to_owned() }
    }
}

impl<'a> Entries<'a> {
    /// Splits the content of `data` or `packagesite.yaml`.
    pub(crate) fn split(content: &'a str, form: Form) -> Result<Self> {
        #[derive(Deserialize)]
        struct Data<'a> {
            #[serde(borrow)]
            packages: Bounded<'a>,
            serial: Option<u64>,
            #[serde(borrow)]
            groups: Option<&'a RawValue>,
            #[serde(borrow)]
            expired_packages: Option<&'a RawValue>,
        }
        let reading = "reading the list of packages";
        match form {
            Form::Data => {
                let data: Data<'_> = serde_json::from_str(content).context(reading)?;
                let text = |value: Option<&RawValue>| value.map_or("[]", RawValue::get).to_owned();
                let kept = Kept { groups: text(data.groups), expired_packages: text(data.expired_packages) };
                Ok(Self { packages: data.packages.0, serial: data.serial, kept })
            }
            Form::Lines => {
                let lines = content.split('\n').filter(|line| !line.trim().is_empty());
                let mut packages = Vec::new();
                for line in lines {
                    push(&mut packages, serde_json::from_str(line).context(reading)?).context(reading)?;
                }
                Ok(Self { packages, serial: None, kept: Kept::default() })
            }
        }
    }
}

/// A list that ends before it has taken all memory.
struct Bounded<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Bounded<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(BoundedVisitor)
    }
}

struct BoundedVisitor;

impl<'de> Visitor<'de> for BoundedVisitor {
    type Value = Bounded<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of packages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bounded<'de>, A::Error> {
        let mut packages = Vec::new();
        while let Some(package) = list.next_element()? {
            push(&mut packages, package).map_err(A::Error::custom)?;
        }
        Ok(Bounded(packages))
    }
}

fn push<'a>(packages: &mut Vec<&'a RawValue>, package: &'a RawValue) -> Result<()> {
    anyhow::ensure!(packages.len() < LIMIT, "it lists more than {LIMIT} packages: {OTHER_PACKAGES}");
    packages.push(package);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(content: &str, form: Form) -> Result<usize, String> {
        Entries::split(content, form)
            .map(|entries| entries.packages.len())
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn both_forms_are_split_up_to_the_limit() {
        for count in [0, 1, LIMIT, LIMIT + 1] {
            let data = format!(r#"{{"serial":3,"packages":[{}]}}"#, vec!["{}"; count].join(","));
            let lines = "{}\n".repeat(count);
            for found in [split(&data, Form::Data), split(&lines, Form::Lines)] {
                match found {
                    Ok(found) => assert!(found == count && count <= LIMIT),
                    Err(error) => assert!(
                        count > LIMIT
                            && error
                                .contains("it lists more than 20000 packages: it seems to be a repository"),
                        "{error}"
                    ),
                }
            }
        }
        assert_eq!(Entries::split(r#"{"serial":3,"packages":[]}"#, Form::Data).unwrap().serial, Some(3));
    }
}

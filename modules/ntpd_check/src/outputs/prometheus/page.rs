// SPDX-License-Identifier: GPL-3.0-or-later

//! Text exposition format: HELP and TYPE once for each family, and no series twice.

use std::fmt::Write;

/// What every name begins with.
pub(super) const PREFIX: &str = "ntpd_check_";

/// The page so far.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
}

/// Labels of one series.
pub(super) type Labels = Vec<(&'static str, String)>;

impl Page {
    /// A family of one series without labels; a value that is not known is absent.
    pub(super) fn single(&mut self, name: &str, help: &str, value: Option<f64>) {
        self.family(name, help, value.map(|value| (&[][..], value)));
    }

    /// A family; without a series it is absent as a whole.
    pub(super) fn family<'a>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (&'a [(&'static str, String)], f64)>,
    ) {
        let mut series = series.into_iter().filter(|(_, value)| value.is_finite()).peekable();
        if series.peek().is_some() {
            // Writing into a String cannot fail.
            let _ = writeln!(self.text, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} gauge");
        }
        for (labels, value) in series {
            let pairs: Vec<_> =
                labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
            let _ = writeln!(self.text, "{PREFIX}{name}{labels} {value}");
        }
    }
}

/// Makes labels differ that would be alike, for one series too many makes the collector refuse the whole file.
pub(super) fn unique(mut all: Vec<Labels>) -> Vec<Labels> {
    for at in 1..all.len() {
        let (before, rest) = all.split_at_mut(at);
        let Some(labels) = rest.first_mut() else { break };
        if before.contains(labels) {
            labels.push(("row", (at + 1).to_string()));
        }
    }
    all
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! What a domain is defined as, and the receipt of it that we keep in its own metadata: the XML that was given, and what
//! libvirt made of it. By the receipt a second run knows that nothing changed, and sees what was edited by hand.

use std::io::{Read, Write};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use roxmltree::{Document, Node};

use crate::definition::{Definition, macs_of};
use crate::document::{self, child, sha256};
use crate::instance::{INSTANCE, Instance};
use crate::turn::TURN;

/// Namespace of the receipt in a domain's metadata.
pub(crate) const RECEIPT: &str = "urn:x-apiary:bhyve:domain:1";

/// Libvirt's form of a domain is some ten kilobytes; far above that a receipt is none of ours.
const LONGEST_FORM: u64 = 4 << 20;

/// What we put into a domain's metadata when we defined it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Digest of what the given XML says.
    pub given_meaning: String,
    /// The XML that was given, without passwords.
    pub given: String,
    /// Digest of what libvirt made of it.
    pub made_digest: String,
    /// What libvirt made of it, without passwords.
    pub made: String,
}

/// A domain as libvirt has it, its receipt kept apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Libvirt's form without passwords and without what we put into its metadata.
    pub shown: String,
    /// Digest of the same with passwords.
    pub digest: String,
    /// What we know of how it came to be.
    pub receipt: Option<Receipt>,
    /// Of a running instance, what we know of its console.
    pub instance: Instance,
    /// MAC addresses of its interfaces, in lower case.
    pub macs: Vec<String>,
}

impl Configuration {
    /// Reads libvirt's XML of a domain.
    ///
    /// # Errors
    /// Where libvirt's own XML cannot be read.
    pub fn read(xml: &str) -> Result<Self> {
        let reading = "reading libvirt's XML of the domain";
        let document = Document::parse(xml).context(reading)?;
        let metadata = child(document.root_element(), "metadata");
        let ours = |uri| {
            metadata.and_then(|node| node.children().find(|child| child.tag_name().namespace() == Some(uri)))
        };
        let form = without(&document, &[ours(RECEIPT), ours(INSTANCE), ours(TURN)]);
        let form_document = Document::parse(&form).context(reading)?;
        Ok(Self {
            digest: sha256(form.as_bytes()),
            shown: document::without_secrets(&form_document),
            receipt: ours(RECEIPT).and_then(Receipt::read),
            instance: ours(INSTANCE).map(Instance::read).unwrap_or_default(),
            macs: macs_of(&document),
        })
    }

    /// Whether this is what libvirt made of it when we defined it.
    pub fn is_untouched(&self) -> bool {
        self.receipt.as_ref().is_some_and(|receipt| receipt.made_digest == self.digest)
    }
}

/// The text without those elements, without a `<metadata>` that would be left empty, and without blank lines.
fn without(document: &Document<'_>, nodes: &[Option<Node<'_, '_>>]) -> String {
    let mut text = document.input_text().to_owned();
    let mut nodes: Vec<_> = nodes.iter().flatten().copied().collect();
    if let Some(metadata) = nodes.first().and_then(Node::parent)
        && metadata.children().filter(Node::is_element).all(|node| nodes.contains(&node))
    {
        nodes = vec![metadata];
    }
    nodes.sort_by_key(|node| std::cmp::Reverse(node.range().start));
    for node in nodes {
        text.replace_range(node.range(), "");
    }
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("{line}\n")).collect()
}

impl Receipt {
    /// The receipt of `definition`, of which libvirt made `configuration`.
    pub fn of(definition: &Definition, configuration: &Configuration) -> Self {
        Self {
            given_meaning: definition.meaning().to_owned(),
            given: definition.shown().to_owned(),
            made_digest: configuration.digest.clone(),
            made: configuration.shown.clone(),
        }
    }

    /// The same receipt for what libvirt has made of it since.
    pub fn renewed(&self, configuration: &Configuration) -> Self {
        Self { made_digest: configuration.digest.clone(), made: configuration.shown.clone(), ..self.clone() }
    }

    /// The receipt of a definition that waits for the next start, of which libvirt does not show yet what it has made of it.
    pub fn waiting(definition: &Definition) -> Self {
        Self {
            given_meaning: definition.meaning().to_owned(),
            given: definition.shown().to_owned(),
            made_digest: String::new(),
            made: String::new(),
        }
    }

    /// Whether it is one of those.
    pub fn is_waiting(&self) -> bool {
        self.made_digest.is_empty()
    }

    /// Reads the element by itself.
    pub(crate) fn parse(element: &str) -> Option<Self> {
        Self::read(Document::parse(element).ok()?.root_element())
    }

    /// A receipt that cannot be read counts as none: the domain is defined anew.
    fn read(node: Node<'_, '_>) -> Option<Self> {
        let part = |name| {
            let node = node.children().find(|child| child.tag_name().name() == name)?;
            let text: String = node.children().filter_map(|child| child.text()).collect();
            Some((node.attribute("sha256")?.to_owned(), text))
        };
        let (given_meaning, given) = part("given")?;
        let (made_digest, made) = part("made")?;
        Some(Self { given_meaning, given, made_digest, made: unpack(&made)? })
    }

    /// The element for libvirt, which puts the namespace in.
    pub(crate) fn element(&self) -> Result<String> {
        Ok(format!(
            "<domain><given sha256='{}'><![CDATA[{}]]></given><made sha256='{}'>{}</made></domain>",
            self.given_meaning,
            self.given.replace("]]>", "]]]]><![CDATA[>"),
            self.made_digest,
            pack(&self.made)?,
        ))
    }
}

/// Packed, so that it does not fill the screen of whoever edits the domain by hand.
fn pack(text: &str) -> Result<String> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(text.as_bytes())
        .and_then(|()| encoder.try_finish())
        .context("packing libvirt's XML")?;
    Ok(STANDARD.encode(encoder.get_ref()))
}

fn unpack(packed: &str) -> Option<String> {
    let bytes = STANDARD.decode(packed.trim()).ok()?;
    let mut text = String::new();
    DeflateDecoder::new(bytes.as_slice()).take(LONGEST_FORM).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether the running instance shows one of the edits that lead from `made` to `found`.
///
/// A line that only the edited form has tells it by being there, a line that only the original has by being gone. Where
/// libvirt writes a line differently for a running domain this says yes too often, never too seldom.
pub(crate) fn runs_an_edit(made: &str, found: &str, live: &str) -> bool {
    let has = |text: &str, line: &str| text.lines().any(|other| other.trim() == line);
    let only_in = |one: &str, other: &str| -> Vec<String> {
        one.lines().map(str::trim).filter(|line| !has(other, line)).map(str::to_owned).collect()
    };
    only_in(found, made).iter().any(|line| has(live, line))
        || only_in(made, found).iter().any(|line| !has(live, line))
}

/// Whether the running instance certainly lacks one of the edits that lead from `made` to `found`: it still shows a line that
/// the edit has taken away, or has fewer elements of the kind that the edit has added.
pub(crate) fn lacks_an_edit(made: &str, found: &str, live: &str) -> bool {
    fn lines(text: &str) -> impl Iterator<Item = &str> {
        text.lines().map(str::trim).filter(|line| !line.is_empty())
    }
    let count = |text: &str, start: &str| lines(text).filter(|line| line.starts_with(start)).count();
    let only_in = |one: &str, other: &str, line: &str| count(one, line) > count(other, line);
    let kind = |line: &str| line.split([' ', '>', '/']).next().unwrap_or_default().to_owned() + " ";
    lines(made).any(|line| only_in(made, found, line) && lines(live).any(|other| other == line))
        || lines(found).any(|line| {
            line.contains(' ')
                && only_in(found, made, line)
                && count(live, &kind(line)) < count(found, &kind(line))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            given_meaning: "11".into(),
            given: "<domain>\n <description>a ]]> b &amp; ä</description>\n</domain>".into(),
            made_digest: "22".into(),
            made: "<domain type='kvm'>\n  <name>web1</name>\n</domain>\n".into(),
        }
    }

    /// As libvirt 11.3 prints it after virDomainSetMetadata.
    fn libvirts(metadata: &str) -> String {
        format!("<domain type='kvm'>\n  <name>web1</name>\n{metadata}</domain>\n")
    }

    fn in_namespace(element: &str) -> String {
        let inner = element.replacen("<domain>", &format!("<a:domain xmlns:a=\"{RECEIPT}\">"), 1);
        let end = inner.rfind("</domain>").unwrap();
        format!("{}</a:domain>", &inner[..end])
            .replace("<given ", "<a:given ")
            .replace("</given>", "</a:given>")
            .replace("<made ", "<a:made ")
            .replace("</made>", "</a:made>")
    }

    #[test]
    fn a_receipt_is_read_back_and_kept_apart() {
        let plain = Configuration::read(&libvirts("")).unwrap();
        let element = in_namespace(&receipt().element().unwrap());
        let kept =
            Configuration::read(&libvirts(&format!("  <metadata>\n    {element}\n  </metadata>\n"))).unwrap();
        assert_eq!(kept.receipt, Some(receipt()));
        assert_eq!((kept.digest, kept.shown), (plain.digest, libvirts("")));
    }

    #[test]
    fn metadata_of_others_counts() {
        let element = in_namespace(&receipt().element().unwrap());
        let others = "    <other:thing xmlns:other=\"urn:other\"/>\n";
        let both =
            Configuration::read(&libvirts(&format!("  <metadata>\n{others}    {element}\n  </metadata>\n")))
                .unwrap();
        assert_eq!(both.shown, libvirts(&format!("  <metadata>\n{others}  </metadata>\n")));
    }

    #[test]
    fn a_damaged_receipt_is_none() {
        for damaged in [
            in_namespace(&receipt().element().unwrap()).replace("sha256='22'", ""),
            in_namespace(&receipt().element().unwrap())
                .replace("<a:made sha256='22'>", "<a:made sha256='22'>!"),
            format!("<a:domain xmlns:a='{RECEIPT}'/>"),
        ] {
            let found = Configuration::read(&libvirts(&format!("<metadata>{damaged}</metadata>"))).unwrap();
            assert_eq!(found.receipt, None, "{damaged}");
        }
    }

    #[test]
    fn an_instance_tells_whether_it_runs_an_edit() {
        let (made, found) = ("<m>64</m>\n<same/>\n", "<m>96</m>\n<same/>\n");
        assert!(runs_an_edit(made, found, " <m>96</m>\n<same/>\n"));
        assert!(!runs_an_edit(made, found, " <m>64</m>\n<same/>\n<more/>\n"));
        assert!(runs_an_edit("<a/>\n<b/>\n", "<a/>\n", "<a/>\n"));
        assert!(!runs_an_edit("<a/>\n", "<a/>\n<b/>\n", "<a/>\n"));
    }

    #[test]
    fn an_instance_tells_whether_it_lacks_an_edit() {
        let (made, found) = ("<m>64</m>\n<same/>\n", "<m>96</m>\n<same/>\n");
        assert!(lacks_an_edit(made, found, " <m>64</m>\n<same/>\n<more/>\n"));
        assert!(!lacks_an_edit(made, found, " <m>96</m>\n<same/>\n"));
        // Nothing but the order, or a password that is not shown.
        assert!(!lacks_an_edit("<a/>\n<b/>\n", "<b/>\n<a/>\n", "<a/>\n<b/>\n"));
        // libvirt writes what it has chosen itself differently into what runs.
        let with = |port: &str| format!("<a/>\n<graphics type='vnc' port='{port}'>\n");
        assert!(lacks_an_edit("<a/>\n", &with("-1"), "<a/>\n"));
        assert!(!lacks_an_edit("<a/>\n", &with("-1"), &with("5900")));
        assert!(!lacks_an_edit(&with("-1"), "<a/>\n", "<a/>\n"));
    }
}

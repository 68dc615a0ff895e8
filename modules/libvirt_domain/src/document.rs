// SPDX-License-Identifier: GPL-3.0-or-later

//! Reading XML documents with limits, and what two documents must have in common to be the same.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, ensure};
use data_encoding::HEXLOWER;
use roxmltree::{Attribute, Document, Node, ParsingOptions};
use sha2::{Digest, Sha256};

/// Largest document taken; a real domain has some kilobytes, and libvirt's receipt of it is kept in its metadata.
const LARGEST: usize = 256 << 10;

/// Most nodes taken.
const MOST_NODES: u32 = 20_000;

/// Reads a document: one element, no document type, no entities of its own.
///
/// # Errors
/// One line that tells the place of the fault.
pub(crate) fn parse(text: &str) -> Result<Document<'_>> {
    ensure!(text.len() <= LARGEST, "expected at most {LARGEST} bytes, found {}", text.len());
    // An empty document type passes the parser; entities cannot be declared without one.
    ensure!(!text.contains("<!DOCTYPE"), "expected no document type, found <!DOCTYPE");
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| anyhow!("expected well-formed XML: {error}"))
}

/// The text without byte-order mark, XML declaration and outer blank space, with plain line ends. What is left means the
/// same whatever encoding the declaration named.
pub(crate) fn plain(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim();
    let text = match text.strip_prefix("<?xml ").and_then(|rest| rest.split_once("?>")) {
        Some((_, rest)) => rest.trim_start(),
        None => text,
    };
    text.replace("\r\n", "\n")
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// A digest of what a document says: not of its comments, its indentation or the order of attributes.
pub(crate) fn meaning(document: &Document<'_>) -> String {
    let mut said = String::new();
    for node in document.descendants() {
        let depth = node.ancestors().count();
        if let Some(text) = node.text().filter(|text| node.is_text() && !text.trim().is_empty()) {
            // Debug form: no text can look like the next entry.
            let _ = writeln!(said, "{depth} text {text:?}");
        } else if node.is_element() {
            let _ = writeln!(said, "{depth} element {:?}", node.tag_name());
            let mut attributes: Vec<String> = node
                .attributes()
                .map(|a| format!("{:?} {:?} {:?}", a.namespace(), a.name(), a.value()))
                .collect();
            attributes.sort_unstable();
            for attribute in attributes {
                let _ = writeln!(said, "{depth} attribute {attribute}");
            }
        }
    }
    sha256(said.as_bytes())
}

/// The text with every password in it replaced by asterisks.
pub(crate) fn without_secrets(document: &Document<'_>) -> String {
    let mut text = document.input_text().to_owned();
    let mut places: Vec<_> = secrets(document).map(|attribute| attribute.range_value()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.start));
    for place in places {
        text.replace_range(place, "********");
    }
    text
}

/// The attributes that hold passwords.
pub(crate) fn secrets<'a, 'input>(
    document: &'a Document<'input>,
) -> impl Iterator<Item = Attribute<'a, 'input>> + use<'a, 'input> {
    document.descendants().flat_map(|node| node.attributes()).filter(|attribute| attribute.name() == "passwd")
}

/// First child element of that name.
pub(crate) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// Child elements of that name, outside any namespace as all of libvirt's own are.
pub(crate) fn children<'a, 'input, 'n>(
    node: Node<'a, 'input>,
    name: &'n str,
) -> impl Iterator<Item = Node<'a, 'input>> + use<'a, 'input, 'n> {
    node.children().filter(move |child| child.has_tag_name(name) && child.tag_name().namespace().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        meaning(&parse(text).unwrap())
    }

    #[test]
    fn layout_is_no_difference_but_content_is() {
        let one = said("<a x='1' y='2'><b/><c>t</c></a>");
        assert_eq!(one, said("<a y=\"2\"\n x=\"1\">\n  <!-- why -->\n  <b></b>\n  <c>t</c>\n</a>"));
        for other in [
            "<a x='1' y='3'><b/><c>t</c></a>",
            "<a x='1' y='2'><b/><c>t </c></a>",
            "<a x='1' y='2'><b><c>t</c></b></a>",
            "<a x='1' y='2'><c>t</c><b/></a>",
            "<a x='1' y='2' xmlns='urn:x'><b/><c>t</c></a>",
        ] {
            assert_ne!(one, said(other), "{other}");
        }
    }

    #[test]
    fn passwords_are_hidden() {
        let text = "<domain><graphics passwd='s3cret'/><graphics passwd=\"\"/></domain>";
        assert_eq!(
            without_secrets(&parse(text).unwrap()),
            "<domain><graphics passwd='********'/><graphics passwd=\"********\"/></domain>"
        );
    }

    #[test]
    fn declaration_and_line_ends_mean_nothing() {
        assert_eq!(plain("\u{feff}<?xml version='1.0' encoding='UTF-7'?>\r\n<a>\r\n</a>\r\n"), "<a>\n</a>");
    }

    #[test]
    fn what_is_no_plain_document_is_refused() {
        let deep = "<a>".repeat(30_000);
        let wide = format!("<a>{}</a>", "<b/>".repeat(30_000));
        let huge = format!("<a>{}</a>", "x".repeat(LARGEST));
        let cases = [
            ("<!DOCTYPE a><a/>", "expected no document type, found <!DOCTYPE"),
            ("<a>&x;</a>", "expected well-formed XML: unknown entity reference 'x' at 1:4"),
            ("<a><b></a>", "expected well-formed XML: expected 'b' tag, not 'a' at 1:7"),
            ("<a/><b/>", "expected well-formed XML: unknown token at 1:5"),
            ("", "expected well-formed XML: the document does not have a root node"),
            (&deep, "expected well-formed XML: nodes limit reached"),
            (&wide, "expected well-formed XML: nodes limit reached"),
            (&huge, "expected at most 262144 bytes, found 262151"),
        ];
        for (text, message) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! The note that we keep in the metadata of a running instance, and of that only: what is known of its console.

use roxmltree::Node;

/// Namespace of the note.
pub(crate) const INSTANCE: &str = "urn:x-apiary:bhyve:instance:1";

/// What is known of the console of a running instance; nothing of one that somebody else started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Digest of the text that it is known to have written.
    pub shown: Option<String>,
    /// Where in its console's log it begins, if the log keeps what earlier instances wrote.
    pub log_from: Option<u64>,
    /// Its processors have not run yet.
    pub fresh: bool,
}

impl Instance {
    pub(crate) fn read(node: Node<'_, '_>) -> Self {
        Self {
            shown: node.attribute("console").filter(|digest| !digest.is_empty()).map(str::to_owned),
            log_from: node.attribute("log").and_then(|offset| offset.parse().ok()),
            fresh: node.attribute("fresh").is_some(),
        }
    }

    /// The element for libvirt, which puts the namespace in; none where there is nothing to tell.
    pub(crate) fn element(&self) -> Option<String> {
        let Self { shown, log_from, fresh } = self;
        let shown = shown.as_ref().map(|digest| format!(" console='{digest}'"));
        let log_from = log_from.map(|offset| format!(" log='{offset}'"));
        let fresh = fresh.then(|| " fresh='yes'".to_owned());
        let attributes: String = [shown, log_from, fresh].into_iter().flatten().collect();
        (!attributes.is_empty()).then(|| format!("<instance{attributes}/>"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use roxmltree::Document;

    #[test]
    fn a_note_is_read_back() {
        let all = Instance { shown: Some("11".into()), log_from: Some(7), fresh: true };
        for note in [
            all.clone(),
            Instance { shown: None, ..all.clone() },
            Instance { fresh: false, ..all.clone() },
            Instance { log_from: None, ..all },
        ] {
            let element = note.element().unwrap();
            assert_eq!(Instance::read(Document::parse(&element).unwrap().root_element()), note);
        }
        assert_eq!(Instance::default().element(), None);
        let damaged = Document::parse("<instance console='' log='-1'/>").unwrap();
        assert_eq!(Instance::read(damaged.root_element()), Instance::default());
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! What a host must have to take its images from this catalogue.

use image_catalog::digest::Sha256Hex;

/// What proves to a host that a catalogue is genuine.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Nothing.
    None,
    /// A public key that the host has; its fingerprint.
    Key(Sha256Hex),
    /// A key that comes along, of which the host has this fingerprint.
    Fingerprint(Sha256Hex),
}

impl Proof {
    /// The fingerprint of the key, if there is one.
    pub fn fingerprint(&self) -> Option<&Sha256Hex> {
        match self {
            Self::None => None,
            Self::Key(fingerprint) | Self::Fingerprint(fingerprint) => Some(fingerprint),
        }
    }

    /// The variables of the role `guest` that go with it.
    fn variables(&self) -> &'static str {
        match self {
            Self::None => "bhyve_catalog_signature_type: none",
            Self::Key(_) => "bhyve_catalog_pubkey: /usr/local/etc/apiary/images.pub",
            Self::Fingerprint(_) => {
                "bhyve_catalog_signature_type: fingerprints\nbhyve_catalog_fingerprints: /usr/local/etc/apiary/fingerprints"
            }
        }
    }

    /// What has to be done for these.
    fn explained(&self) -> String {
        match self {
            Self::None => {
                "<p>Nothing proves that an image is genuine: hosts take whatever is found at that address.</p>".to_owned()
            }
            Self::Key(_) => {
                "<p>The file <code>bhyve_catalog_pubkey</code> is the public key of whoever publishes here. Bring it to each host by a way \
                 that you trust: it is what proves that an image is genuine.</p>"
                    .to_owned()
            }
            Self::Fingerprint(fingerprint) => format!(
                "<p>In the folder <code>bhyve_catalog_fingerprints</code> of each host, the file <code>trusted/images</code> proves that an \
                 image is genuine. Compare the fingerprint in it with that of whoever publishes here, by a way that you trust:</p>\n\
                 <pre><code>function: sha256\nfingerprint: {fingerprint}</code></pre>"
            ),
        }
    }
}

/// How a host is pointed at the catalogue. Where it is served, the page knows its address, and its script fills that in.
pub(super) fn section(proof: &Proof) -> String {
    format!(
        "<details class=\"hosts\"><summary>How a host gets its images from here</summary>\n\
         <p>In <code>group_vars/bhyve_hypervisors.yml</code>, say where this catalogue is and what proves it genuine:</p>\n\
         <pre><code>bhyve_catalog: <span id=\"address\">ssh://images@HOST</span>\n{variables}</code></pre>\n\
         <p>The address is this folder's as hosts reach it: <code>ssh://USER@HOST</code>, <code>https://HOST/PATH</code>, or its path where they \
         have it themselves.</p>\n\
         {explained}\n\
         <p>Then copy the lines of an image into <code>bhyve_guests</code> of a host, under the name of the new guest, and run \
         <code>ansible-playbook -i inventory apiary.bhyve.deploy</code>. On a host with Linux, leave out <code>template</code> and what follows it. \
         What else a guest may have, <code>bridge</code>, <code>disk</code> and <code>seed</code> above all, is told by \
         <code>ansible-doc -t role apiary.bhyve.guest -e guest</code>.</p>\n\
         </details>\n",
        variables = proof.variables(),
        explained = proof.explained()
    )
}

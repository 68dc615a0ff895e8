// SPDX-License-Identifier: GPL-3.0-or-later

//! Signatures that somebody else makes, who has the key.

#![allow(clippy::unwrap_used, reason = "a helper that fails shows where")]

use anyhow::Result;
use image_catalog::digest::Sha256Hex;
use image_catalog::signature::{
    ExternalSignature, ExternalSigner, KeyType, PrivateKey, Signing, parse_answer,
};

/// A command that has the key elsewhere; it prints what pkg expects.
struct Command(PrivateKey, Vec<Vec<u8>>);

impl ExternalSigner for Command {
    fn sign(&self, digest: &Sha256Hex) -> Result<ExternalSignature> {
        let content = self.1.iter().find(|content| Sha256Hex::of(content) == *digest).unwrap();
        let key = PrivateKey::parse(self.0.encode()?.as_bytes())?;
        let signed = Signing::Fingerprints(key).sign("x", content)?.pairs.remove(0);
        let bare = |bytes: &[u8]| bytes.strip_prefix(b"$PKGSIGN:ecdsa$").unwrap().to_vec();
        let (signature, key) = (bare(&signed.signature), bare(&signed.public_key));
        parse_answer(&[b"TYPE\necdsa\nSIGNATURE\n", &signature[..], b"\nCERT\n", &key, b"\nEND\n"].concat())
    }
}

#[test]
fn a_signing_command_signs_and_is_not_believed_blindly() {
    let key = PrivateKey::generate(KeyType::Ecdsa).unwrap();
    let public = key.public_key().encode().unwrap();
    let signing = Signing::External(Box::new(Command(key, vec![b"content".to_vec()])));
    let pair = signing.sign("data", b"content").unwrap().pairs.remove(0);
    assert_eq!(pair.name, "data");
    assert_eq!(pair.public_key, [b"$PKGSIGN:ecdsa$", &public[..]].concat());

    let key = PrivateKey::generate(KeyType::Ecdsa).unwrap();
    struct Wrong(Command);
    impl ExternalSigner for Wrong {
        fn sign(&self, _: &Sha256Hex) -> Result<ExternalSignature> {
            self.0.sign(&Sha256Hex::of(b"other"))
        }
    }
    let signing = Signing::External(Box::new(Wrong(Command(key, vec![b"other".to_vec()]))));
    assert_eq!(
        format!("{:#}", signing.sign("data", b"content").unwrap_err()),
        "verifying what the signing command answered: the catalogue's signature was not made by the trusted key, \
         or the catalogue was changed: verifying an ECDSA signature: signature error"
    );
}

#[test]
fn answers_of_a_signing_command_have_one_form() {
    let key = String::from_utf8(PrivateKey::generate(KeyType::Rsa).unwrap().public_key().encode().unwrap())
        .unwrap();
    let right = format!("SIGNATURE\nx\nCERT\n{key}END\n");
    assert_eq!(parse_answer(right.as_bytes()).unwrap().signature, b"x");
    let expected =
        "expected [TYPE, type,] SIGNATURE, signature, CERT, public key and END, each on lines of its own";
    for (answer, expected) in [
        (String::new(), expected),
        ("SIGNATURE\nx\nCERT\ny\n".to_owned(), expected),
        ("SIGNATURE\nx\nEND\n".to_owned(), expected),
        ("TYPE\ndsa\nSIGNATURE\nx\nCERT\ny\nEND\n".to_owned(), "signatures of type \"dsa\" are not known"),
        (
            "SIGNATURE\nx\nCERT\ny\nEND\n".to_owned(),
            "reading the key after CERT: this is not a public key that can verify: it is none that is known, neither as PEM nor \
             as DER: make one of type rsa, ecdsa (secp256k1) or eddsa (Ed25519) with bhyve_catalog_key or `pkg key --create`",
        ),
        (format!("TYPE\neddsa\n{right}"), "the key after CERT is of type rsa, the answer's TYPE is eddsa"),
    ] {
        assert_eq!(format!("{:#}", parse_answer(answer.as_bytes()).unwrap_err()), expected);
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! What a file is that is no key as it has to be, and the command that makes one of it.

use super::der::{self, RSA_PSS, names};
use super::pem::{Block, blocks};

/// Which half of a key was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Private,
    Public,
}

/// Algorithms and curves that pkg has no signatures for, by their object identifier in DER.
const OTHERS: [(&[u8], &str); 15] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], "an ECDSA key of the curve P-256 (prime256v1)"),
    (&[0x2b, 0x81, 4, 0, 0x22], "an ECDSA key of the curve P-384 (secp384r1)"),
    (&[0x2b, 0x81, 4, 0, 0x23], "an ECDSA key of the curve P-521 (secp521r1)"),
    (&[0x2b, 0x24, 3, 3, 2, 8, 1, 1], "an ECDSA key of a Brainpool curve"),
    (&[0x2b, 0x65, 0x6e], "an X25519 key, which agrees on secrets and does not sign"),
    (&[0x2b, 0x65, 0x6f], "an X448 key, which agrees on secrets and does not sign"),
    (&[0x2b, 0x65, 0x71], "an Ed448 key"),
    (RSA_PSS, "an RSA-PSS key"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], "a DSA key"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1], "a Diffie-Hellman key"),
    (&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d], "an SM2 key"),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3], "a post-quantum key (ML-DSA or SLH-DSA)"),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 1, 1],
        "an ECDSA key that spells out its curve; write its name with -param_enc named_curve",
    ),
    (&[0x2b, 0x81, 4, 0], "an ECDSA key of another curve than secp256k1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3], "an ECDSA key of another curve than secp256k1"),
];
/// PKCS #5's encryption, in a PKCS #8 file that is encrypted.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d];

const MAKE: &str =
    "make one of type rsa, ecdsa (secp256k1) or eddsa (Ed25519) with bhyve_catalog_key or `pkg key --create`";
const DECRYPT: &str = "run `openssl pkey -in FILE -out NEW` and give the new file mode 0600";

/// What a file is, and what to do about it.
pub(super) fn describe(bytes: &[u8], wanted: Wanted) -> String {
    let blocks = blocks(bytes);
    let block = blocks.iter().find(|block| block.label.ends_with("KEY")).or(blocks.first());
    match block {
        Some(block) => of_block(block, wanted),
        None if wanted == Wanted::Private && der::public(bytes).is_some() => {
            "it is a public key: name the private one that belongs to it".to_owned()
        }
        None if wanted == Wanted::Public && der::private(bytes).is_some() => public_of_private(),
        None => of_other(bytes, wanted),
    }
}

fn of_block(block: &Block<'_>, wanted: Wanted) -> String {
    let der = block.der().unwrap_or_default();
    match (block.label, wanted) {
        ("OPENSSH PRIVATE KEY", Wanted::Private) => {
            "it is a private key in OpenSSH's own form: run `ssh-keygen -p -m PKCS8 -N '' -f COPY` on a copy of it (for an \
             Ed25519 key that takes OpenSSH 9.6)"
                .to_owned()
        }
        ("SSH2 PUBLIC KEY", Wanted::Public) => ssh_public(),
        (label, _) if label.starts_with("PGP") => "it is a PGP key, which pkg cannot use: ".to_owned() + MAKE,
        ("CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE", Wanted::Public) => {
            "it is a certificate: run `openssl x509 -in FILE -pubkey -noout` for the key in it".to_owned()
        }
        ("CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE", Wanted::Private) => {
            "it is a certificate, which has the public key alone: name the private one".to_owned()
        }
        ("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST", _) => {
            "it is a certificate request: name the key it was made with".to_owned()
        }
        (label, Wanted::Private) if label.ends_with("PUBLIC KEY") => {
            "it is a public key: name the private one that belongs to it".to_owned()
        }
        (label, Wanted::Public) if label.ends_with("PRIVATE KEY") => public_of_private(),
        (_, Wanted::Private) if block.is_encrypted() => {
            format!("it is a private key that a passphrase protects, for which nobody can be asked: {DECRYPT}")
        }
        (label, _) => of_der(&der).unwrap_or_else(|| format!("it holds the PEM block {label:?}, which cannot be read: {MAKE}")),
    }
}

fn of_other(bytes: &[u8], wanted: Wanted) -> String {
    let text = bytes.trim_ascii_start();
    let begins = |word: &str| text.starts_with(word.as_bytes());
    if begins("PuTTY-User-Key-File") {
        return "it is a key of PuTTY: export it as an OpenSSH key with puttygen, and convert that with `ssh-keygen -p -m PKCS8`"
            .to_owned();
    }
    if ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].into_iter().any(begins) {
        return match wanted {
            Wanted::Public => ssh_public(),
            Wanted::Private => {
                "it is a public key of ssh: name the private one that belongs to it".to_owned()
            }
        };
    }
    if begins("{") {
        return "it is JSON, perhaps a JWK, expected PEM or DER".to_owned();
    }
    if bytes.is_empty() {
        return "the file is empty".to_owned();
    }
    // A sequence that begins with the number 3.
    let inner = if matches!(bytes, [0x30, 0x82, ..]) { bytes.get(4..) } else { bytes.get(2..) };
    if bytes[0] == 0x30 && inner.is_some_and(|inner| inner.starts_with(&[2, 1, 3])) {
        return "it is a PKCS #12 file: run `openssl pkcs12 -in FILE -nocerts -nodes -out NEW`".to_owned();
    }
    if names(bytes, PBES2) {
        return format!(
            "it is a private key that a passphrase protects, for which nobody can be asked: {}",
            DECRYPT.replace("-in", "-inform DER -in")
        );
    }
    of_der(bytes).unwrap_or_else(|| format!("it is none that is known, neither as PEM nor as DER: {MAKE}"))
}

fn of_der(der: &[u8]) -> Option<String> {
    let head = &der[..der.len().min(512)];
    let (_, name) = OTHERS.iter().find(|(oid, _)| names(head, oid))?;
    Some(format!("it is {name}, which pkg cannot use: {MAKE}"))
}

fn ssh_public() -> String {
    "it is a public key of ssh: run `ssh-keygen -e -m PKCS8 -f FILE` for the form that is read here"
        .to_owned()
}

fn public_of_private() -> String {
    "it is a private key, which clients must never get: run `openssl pkey -in FILE -pubout` for the public one".to_owned()
}

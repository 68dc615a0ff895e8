// SPDX-License-Identifier: GPL-3.0-or-later

//! Keys in every form that openssl and ssh-keygen write: taken, or called what they are, with the command that helps.

#![allow(clippy::unwrap_used, reason = "a helper that fails shows where")]
#![expect(clippy::disallowed_methods, reason = "tests run programs as others do")]

use std::path::Path;
use std::process::Command;

use image_catalog::signature::{KeyType, PrivateKey, PublicKey};

/// Runs a line of shell in `folder`, which must succeed.
fn shell(folder: &Path, line: &str) -> Vec<u8> {
    let output = Command::new("sh").arg("-ec").arg(line).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

const RSA: &str = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa";
const EC: &str = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out ec";
const ED: &str = "openssl genpkey -algorithm ed25519 -out ed";

#[test]
fn every_form_of_a_key_is_taken() {
    let lab = tempfile::tempdir().unwrap();
    [RSA, EC, ED].iter().for_each(|line| drop(shell(lab.path(), line)));
    for (line, kind) in [
        ("cat rsa", KeyType::Rsa),
        ("openssl pkey -in rsa -outform DER", KeyType::Rsa),
        ("openssl rsa -in rsa -traditional", KeyType::Rsa),
        ("openssl rsa -in rsa -traditional -outform DER", KeyType::Rsa),
        ("openssl pkey -in rsa -text", KeyType::Rsa),
        (
            "openssl pkcs12 -export -nocerts -inkey rsa -passout pass: | openssl pkcs12 -nodes -passin pass:",
            KeyType::Rsa,
        ),
        ("sed 's/$/\r/' rsa", KeyType::Rsa),
        ("cat ec", KeyType::Ecdsa),
        ("openssl ec -in ec", KeyType::Ecdsa),
        ("openssl ec -in ec -outform DER", KeyType::Ecdsa),
        ("openssl ec -in ec -conv_form compressed", KeyType::Ecdsa),
        ("openssl ecparam -name secp256k1 -genkey", KeyType::Ecdsa),
        ("openssl pkey -in ec -outform DER", KeyType::Ecdsa),
        ("cat ed", KeyType::Eddsa),
        ("openssl pkey -in ed -outform DER", KeyType::Eddsa),
        ("printf 'name: x\n\n'; cat ed", KeyType::Eddsa),
    ] {
        let key = PrivateKey::parse(&shell(lab.path(), line))
            .map_err(|error| format!("{line}: {error:#}"))
            .unwrap();
        assert_eq!(key.public_key().key_type(), kind, "{line}");
    }
    for (line, kind) in [
        ("openssl pkey -in rsa -pubout", KeyType::Rsa),
        ("openssl rsa -in rsa -RSAPublicKey_out", KeyType::Rsa),
        ("openssl rsa -in rsa -RSAPublicKey_out -outform DER", KeyType::Rsa),
        ("openssl pkey -in rsa -pubout -outform DER", KeyType::Rsa),
        ("openssl pkey -in ec -pubout", KeyType::Ecdsa),
        ("openssl pkey -in ec -pubout -outform DER", KeyType::Ecdsa),
        ("openssl pkey -in ed -pubout", KeyType::Eddsa),
        ("openssl pkey -in ed -pubout -text", KeyType::Eddsa),
    ] {
        let key =
            PublicKey::parse(&shell(lab.path(), line)).map_err(|error| format!("{line}: {error:#}")).unwrap();
        assert_eq!(key.key_type(), kind, "{line}");
    }
}

/// SEQUENCE { "pkg", 1, "ecc", curve, not public, BIT STRING 04 || the key }, as `pkg key --create` writes it.
fn by_pkg(curve: &str, secret: &[u8]) -> Vec<u8> {
    let text = |text: &str| [&[0x0c, text.len() as u8], text.as_bytes()].concat();
    let key = [&[3, secret.len() as u8 + 2, 0, 4], secret].concat();
    let parts = [text("pkg"), vec![2, 1, 1], text("ecc"), text(curve), vec![1, 1, 0], key].concat();
    [&[0x30, parts.len() as u8], parts.as_slice()].concat()
}

#[test]
fn keys_that_pkg_makes_are_taken() {
    let lab = tempfile::tempdir().unwrap();
    [EC, ED].iter().for_each(|line| drop(shell(lab.path(), line)));
    // The last 32 bytes of openssl's forms are the seed, and those at 7 the number.
    let ed = shell(lab.path(), "openssl pkey -in ed -outform DER");
    let ec = shell(lab.path(), "openssl ec -in ec -outform DER");
    for (curve, secret, same) in [("WEI25519", &ed[16..48], &ed), ("SECP256K1", &ec[7..39], &ec)] {
        let key = PrivateKey::parse(&by_pkg(curve, secret)).unwrap();
        assert_eq!(key.public_key(), PrivateKey::parse(same).unwrap().public_key(), "{curve}");
        let cut = PrivateKey::parse(&by_pkg(curve, &secret[1..]));
        assert!(cut.is_err(), "{curve}");
    }
    // Its public form is no private key, and that is said.
    let public = PrivateKey::parse(&ed).unwrap().public_key().encode().unwrap();
    let error = PrivateKey::parse(&public).err().unwrap().to_string();
    assert!(error.contains("it is a public key: name the private one"), "{error}");
    let error = PublicKey::parse(&by_pkg("WEI25519", &ed[16..48])).unwrap_err().to_string();
    assert!(error.contains("it is a private key, which clients must never get"), "{error}");
}

#[test]
fn what_is_no_such_key_is_named() {
    let lab = tempfile::tempdir().unwrap();
    [RSA, ED].iter().for_each(|line| drop(shell(lab.path(), line)));
    shell(
        lab.path(),
        "ssh-keygen -q -t ed25519 -N '' -f ssh; openssl req -x509 -key rsa -subj /CN=x -out cert",
    );
    let decrypt = "run `openssl pkey -in FILE -out NEW`";
    for (line, expected) in [
        ("openssl pkey -in rsa -aes256 -passout pass:x", decrypt),
        ("openssl rsa -in rsa -traditional -aes256 -passout pass:x", decrypt),
        (
            "openssl pkcs8 -topk8 -in ed -outform DER -passout pass:x",
            "run `openssl pkey -inform DER -in FILE -out NEW`",
        ),
        ("cat ssh", "run `ssh-keygen -p -m PKCS8 -N '' -f COPY`"),
        ("cat ssh.pub", "a public key of ssh"),
        ("openssl pkey -in rsa -pubout", "a public key: name the private one"),
        ("openssl pkey -in rsa -pubout -outform DER", "a public key: name the private one"),
        ("cat cert", "a certificate, which has the public key alone"),
        ("openssl req -new -key rsa -subj /CN=x", "a certificate request"),
        ("openssl pkcs12 -export -inkey rsa -in cert -passout pass:", "a PKCS #12 file"),
        ("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "the curve P-256"),
        ("openssl ecparam -name secp384r1 -genkey", "the curve P-384"),
        ("openssl ecparam -name brainpoolP256r1 -genkey -outform DER", "a Brainpool curve"),
        ("openssl genpkey -algorithm x25519", "an X25519 key"),
        ("openssl genpkey -algorithm ed448", "an Ed448 key"),
        ("openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "an RSA-PSS key"),
        ("openssl ecparam -name secp256k1 -genkey -param_enc explicit", "that spells out its curve"),
        ("printf 'PuTTY-User-Key-File-3: ssh-ed25519'", "a key of PuTTY"),
        ("printf '{\"kty\":\"RSA\"}'", "perhaps a JWK"),
        (
            "printf -- '-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----\n'",
            "a PGP key",
        ),
        ("printf ''", "the file is empty"),
        ("printf 'secret'", "none that is known"),
        ("head -c 300 rsa", "none that is known"),
    ] {
        let found = PrivateKey::parse(&shell(lab.path(), line));
        let error = found.err().map_or_else(String::new, |error| error.to_string());
        let begins = "this is not a private key that can sign: ";
        assert!(error.starts_with(begins) && error.contains(expected), "{line}: {error}");
    }
    for (line, expected) in [
        ("cat rsa", "run `openssl pkey -in FILE -pubout`"),
        ("openssl rsa -in rsa -traditional -outform DER", "run `openssl pkey -in FILE -pubout`"),
        ("cat ssh.pub", "run `ssh-keygen -e -m PKCS8 -f FILE`"),
        ("cat cert", "run `openssl x509 -in FILE -pubkey -noout`"),
        ("openssl genpkey -algorithm ed448 | openssl pkey -pubout", "an Ed448 key"),
    ] {
        let error = PublicKey::parse(&shell(lab.path(), line)).unwrap_err().to_string();
        let begins = "this is not a public key that can verify: ";
        assert!(error.starts_with(begins) && error.contains(expected), "{line}: {error}");
    }
    let small = shell(lab.path(), "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024");
    let error = PrivateKey::parse(&small).err().unwrap().to_string();
    assert_eq!(error, "this RSA key has 1024 bits, expected at least 2048");
}

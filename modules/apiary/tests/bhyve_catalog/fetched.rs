// SPDX-License-Identifier: GPL-3.0-or-later

//! Images from web servers, with the checksums and signatures of those who hand them out.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use test_support::web::{Request, Stream, WebServer, send_file};
use test_support::with;

use crate::support::Lab;

/// Runs a line of bash in the lab's folder, which must succeed.
fn shell(lab: &Lab, line: &str) -> String {
    let mut bash = Command::new("bash");
    let command = bash.arg("-ec").arg(line).current_dir(lab.folder.path()).env("GNUPGHOME", lab.at("gnupg"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A lab whose folder a server hands out, with the disk published and packed.
fn served() -> (Lab, WebServer) {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    shell(&lab, "mkdir images; xz -c disk.raw >images/disk.raw.xz; cp disk.raw images/disk+1.raw");
    let root = lab.at("images");
    let server = WebServer::start(move |request, stream| send_file(&root, request, stream));
    (lab, server)
}

fn from(lab: &Lab, version: &str, source: &str, more: Value) -> Value {
    with(lab.publish(version), with(json!({"source": source}), more))
}

fn refusal(lab: &Lab, source: &str, more: Value) -> String {
    lab.refusal(&from(lab, "2", source, more))
}

#[test]
fn a_url_is_as_good_as_a_file() {
    let (lab, server) = served();
    for name in ["disk.raw.xz", "disk+1.raw", "disk+1.raw#fragment"] {
        let source = format!("{}/{name}", server.url);
        assert!(!lab.changed(&from(&lab, "1", &source, json!({}))), "{name}");
    }
    let reply = lab.triad(&from(&lab, "2", &format!("{}/disk.raw.xz", server.url), json!({})));
    assert_eq!(reply["image"]["volsize"], 4 << 20);
    assert!(fs::read_dir(lab.at("tmp")).unwrap().next().is_none());
}

/// Sends half of what is left, and ends.
fn half(content: &[u8], request: &Request, stream: &mut dyn Stream) {
    let start = request.range_start().unwrap_or(0);
    let (rest, length) = (&content[start..], content.len());
    let head = match request.range_start() {
        None => "200 OK".to_owned(),
        Some(start) => format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{length}", length - 1),
    };
    let text = format!(
        "HTTP/1.1 {head}\r\nETag: \"x\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        rest.len()
    );
    let _ = stream.write_all(text.as_bytes());
    let _ = stream.write_all(&rest[..rest.len().div_ceil(2)]);
}

#[test]
fn a_broken_transfer_goes_on() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    shell(&lab, "dd if=/dev/urandom of=random bs=1M count=3 status=none; xz -0 random");
    let content = fs::read(lab.at("random.xz")).unwrap();
    let asked = AtomicUsize::new(0);
    let server = WebServer::start(move |request, stream| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => drop(stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        1 | 2 => half(&content, request, stream),
        _ => {
            let rest = &content[request.range_start().unwrap()..];
            let _ = stream.write_all(
                format!(
                    "HTTP/1.1 206 Partial Content\r\nETag: \"x\"\r\nContent-Range: bytes {}-{}/{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    content.len() - rest.len(),
                    content.len() - 1,
                    content.len(),
                    rest.len()
                )
                .as_bytes(),
            );
            let _ = stream.write_all(rest);
        }
    });
    let sum = shell(&lab, "sha256sum <random.xz | cut -c-64");
    let options = from(
        &lab,
        "2",
        &format!("{}/random.xz", server.url),
        json!({"source_checksum": format!("sha256:{sum}")}),
    );
    assert!(lab.changed(&options));
    assert_eq!(server.requests().len(), 4, "{:?}", server.requests());
}

#[test]
fn a_checksum_is_asked_for_before_anything_is_published() {
    let (lab, server) = served();
    let sums: Vec<_> = ["sha256", "sha512"]
        .iter()
        .map(|kind| {
            format!("{kind}:{}", shell(&lab, &format!("{kind}sum <images/disk.raw.xz | cut -d' ' -f1")))
        })
        .collect();
    let wrong = format!("sha256:{}", "0".repeat(64));
    let path = lab.at("images/disk.raw.xz").display().to_string();
    for source in [format!("{}/disk.raw.xz", server.url), path] {
        for sum in &sums {
            assert!(!lab.changed(&from(&lab, "1", &source, json!({"source_checksum": sum}))));
        }
        let message = refusal(&lab, &source, json!({"source_checksum": wrong}));
        assert!(
            message.contains(&format!("disk.raw.xz has checksum {}, expected 0000", &sums[0][7..])),
            "{message}"
        );
    }
    let plain = lab.at("images/disk+1.raw").display().to_string();
    let message = refusal(&lab, &plain, json!({"source_checksum": wrong}));
    assert!(message.contains("the download is damaged or another file than the list is for"), "{message}");
    assert_eq!(lab.images(), ["demo-1"]);
}

/// What was published from a file with this checksum is not fetched again.
#[test]
fn what_is_known_is_not_fetched_again() {
    let (lab, server) = served();
    let sum = format!("sha256:{}", shell(&lab, "sha256sum <images/disk.raw.xz | cut -c-64"));
    let options = from(&lab, "2", &format!("{}/disk.raw.xz", server.url), json!({"source_checksum": sum}));
    assert!(lab.changed(&options));
    assert_eq!(lab.read().find(&"demo-2".parse().unwrap()).unwrap().facts.source, Some(sum));
    let asked = server.requests().len();
    assert!(!lab.changed(&options));
    assert_eq!(lab.check(&options)["changed"], false);
    assert_eq!(server.requests().len(), asked);
    let message = lab.refusal(&with(options.clone(), json!({"os": "other"})));
    assert!(message.contains("with image_os none, this run has other"), "{message}");
    let message = lab.refusal(&with(options, json!({"volblocksize": "16K"})));
    assert!(message.contains("is in the catalogue with other content"), "{message}");
}

#[test]
fn a_vendors_list_is_asked_for() {
    let (lab, server) = served();
    shell(
        &lab,
        "cd images; sha256sum disk.raw.xz >SHA256SUMS; sha512sum --tag disk.raw.xz >CHECKSUM.SHA512; sha256sum disk+1.raw >other
         md5sum disk.raw.xz >MD5SUMS; sed s/./0/9 SHA256SUMS >wrong",
    );
    let source = format!("{}/disk.raw.xz", server.url);
    let list = |name: &str| json!({"source_checksum": format!("{}/{name}", server.url)});
    for name in ["SHA256SUMS", "CHECKSUM.SHA512"] {
        assert!(!lab.changed(&from(&lab, "1", &source, list(name))), "{name}");
        let here = json!({"source_checksum": lab.at("images").join(name)});
        assert!(
            !lab.changed(&from(&lab, "1", lab.at("images/disk.raw.xz").to_str().unwrap(), here)),
            "{name}"
        );
    }
    for (name, expected) in [
        ("other", "it has no checksum for disk.raw.xz, but for disk+1.raw"),
        ("MD5SUMS", "it has only checksums for disk.raw.xz that are too weak, expected SHA-256 or SHA-512"),
        ("absent", "/absent is not there"),
        ("wrong", "fetch it again"),
        ("disk.raw.xz", "is it a list of checksums?"),
    ] {
        let message = refusal(&lab, &source, list(name));
        assert!(message.ends_with(expected), "{message}");
    }
}

#[test]
fn the_signature_of_a_list_is_verified_with_the_key_that_is_named() {
    let (lab, server) = served();
    shell(
        &lab,
        "mkdir -m 700 gnupg; cd images
         gen() { gpg -q --batch --passphrase '' --quick-gen-key $1 ed25519 sign ${2:-never}; }
         gen one@example.org; gen two@example.org
         gpg -q --export one@example.org >../one.gpg; gpg -q --export --armor one@example.org >../one.asc
         gpg -q --export two@example.org >../two.gpg
         sha256sum disk.raw.xz >SHA256SUMS; sed s/./0/9 SHA256SUMS >wrong
         gpg -q -u one@example.org --detach-sign -o SHA256SUMS.gpg SHA256SUMS
         gpg -q -u one@example.org --armor --detach-sign -o SHA256SUMS.asc SHA256SUMS
         gpg -q -u two@example.org -u one@example.org --detach-sign -o both.gpg SHA256SUMS
         gpg -q -u one@example.org --clearsign -o clear SHA256SUMS; (sed s/disk/disc/ clear) >changed
         gpgconf --kill all",
    );
    let source = format!("{}/disk.raw.xz", server.url);
    let options = |list: &str, signature: Option<&str>, key: &str| {
        let place = |name: &str| format!("{}/{name}", server.url);
        json!({"source_checksum": place(list), "source_signature": signature.map(place), "source_keyring": lab.at(key)})
    };
    for (list, signature, key) in [
        ("SHA256SUMS", Some("SHA256SUMS.gpg"), "one.gpg"),
        ("SHA256SUMS", Some("SHA256SUMS.asc"), "one.asc"),
        ("SHA256SUMS", Some("both.gpg"), "one.gpg"),
        ("clear", None, "one.asc"),
    ] {
        assert!(
            !lab.changed(&from(&lab, "1", &source, options(list, signature, key))),
            "{list} {signature:?} {key}"
        );
    }
    for (list, signature, key, expected) in [
        (
            "SHA256SUMS",
            Some("SHA256SUMS.gpg"),
            "two.gpg",
            "it is signed by another key, expected one of LAB/two.gpg",
        ),
        ("wrong", Some("SHA256SUMS.gpg"), "one.gpg", "its signature is wrong: the list was changed"),
        ("changed", None, "one.gpg", "its signature is wrong: the list was changed"),
        (
            "SHA256SUMS",
            None,
            "one.gpg",
            "it has no signature in it: name the file that has it as source_signature",
        ),
        ("SHA256SUMS", Some("SHA256SUMS"), "one.gpg", "gpgv does not take its signature"),
        ("SHA256SUMS", Some("SHA256SUMS.gpg"), "none.gpg", "opening LAB/none.gpg: No such file"),
    ] {
        let message = refusal(&lab, &source, options(list, signature, key));
        assert!(message.contains(expected), "{message}");
    }
    let message = refusal(&lab, &source, json!({"source_keyring": lab.at("one.gpg")}));
    assert!(message.ends_with("are for the list that source_checksum names, which is missing"), "{message}");
}

#[test]
fn what_a_server_sends_instead_is_named() {
    let lab = Lab::new();
    let server = WebServer::start(|request, stream| {
        let (status, body) = match request.path() {
            "/images/login" => ("200 OK", "<!DOCTYPE html><title>Log in</title>"),
            "/images/secret?token=x" => ("403 Forbidden", ""),
            _ => ("404 Not Found", ""),
        };
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let _ = stream.write_all(head.as_bytes());
    });
    for (name, expected) in [
        ("login", "is a web page, expected a disk: give the address of the file itself"),
        ("absent", "/images/absent is not there"),
        ("secret?token=x", "/images/secret?***: the server answered 403 Forbidden"),
    ] {
        let message = refusal(&lab, &format!("{}/{name}", server.url), json!({}));
        assert!(message.ends_with(expected) && !message.contains("token"), "{message}");
    }
    for (source, more) in [
        ("http://user:secret@localhost/x.raw", json!({})),
        ("http://user:se/cret@localhost/x.raw", json!({})),
        ("ftp://user:secret@localhost/x.raw", json!({})),
        ("ftp://user:secret@localhost/x.raw", json!({"format": "snapshot"})),
        ("/x.raw", json!({"source_checksum": "https://user:secret@localhost/SHA256SUMS"})),
    ] {
        let message = refusal(&lab, source, more);
        assert!(message.contains("user:***@localhost/") && !message.contains("cret"), "{message}");
    }
    let message = refusal(&lab, "ftp://localhost/x", json!({}));
    assert!(
        message.ends_with("is neither an absolute path, nor a URL of http or https, nor DATASET@SNAPSHOT"),
        "{message}"
    );
}

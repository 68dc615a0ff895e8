// SPDX-License-Identifier: GPL-3.0-or-later

//! What is refused, with the whole message.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};
use test_support::with;

use crate::support::{Lab, stream};

const ADVICE: &str =
    "a published image never changes: choose another version, or withdraw it first with state=absent";

#[test]
fn a_published_image_never_changes() {
    let lab = Lab::new();
    let published = lab.run(&lab.publish("1"));
    let guid = published["image"]["guid"].as_str().unwrap();
    let files = lab.files();
    let os = with(lab.publish("1"), json!({"os": "freebsd"}));
    assert_eq!(
        lab.refusal(&os),
        format!("image demo-1 is in the catalogue with image_os none, this run has freebsd; {ADVICE}")
    );
    let label = with(lab.publish("1"), json!({"annotations": {"team": "web"}}));
    assert_eq!(
        lab.refusal(&label),
        format!("image demo-1 is in the catalogue with team nothing, this run has web; {ADVICE}")
    );
    let mut content = fs::read(lab.disk()).unwrap();
    content[100_000] ^= 1;
    fs::write(lab.disk(), content).unwrap();
    let message = lab.refusal(&lab.publish("1"));
    let start = format!("image demo-1 is in the catalogue with other content (guid {guid}, this source has ");
    assert!(message.starts_with(&start) && message.ends_with(&format!("); {ADVICE}")), "{message}");
    assert_eq!(lab.files(), files);
}

#[test]
fn options_that_do_not_fit() {
    let lab = Lab::new();
    let publish = || lab.publish("1");
    for (options, expected) in [
        (json!({}), "reading options: missing field `path`"),
        (
            with(publish(), json!({"path": "catalogue"})),
            "option path is catalogue, expected an absolute path",
        ),
        (
            with(publish(), json!({"nmae": "x"})),
            "reading option `nmae`: unknown field `nmae`, expected one of `path`, `name`, `version`, `source`, `source_host`, `format`, \
             `source_checksum`, `source_signature`, `source_keyring`, `ca_path`, `volblocksize`, `os`, `arch`, `comment`, `maintainer`, `www`, `requirements`, `annotations`, `parent`, \
             `compression`, `compression_level`, `compression_threads`, `signature_type`, `signing_key`, \
             `signing_command`, `pubkey`, `lock_timeout`, `keep`, `keep_days`, `keep_images`, `state`",
        ),
        (with(publish(), json!({"source": null})), "option source is needed for state=present"),
        (with(publish(), json!({"version": null})), "option version is needed for this state"),
        (
            with(publish(), json!({"name": "../x"})),
            "reading option `name`: image name \"../x\" is not made of letters, digits, '.', '_' and '-', starting \
             with a letter or digit",
        ),
        (
            with(publish(), json!({"version": "x1"})),
            "reading option `version`: image version \"x1\" is not made of letters, digits, '.' and '_', starting with a digit",
        ),
        (
            with(publish(), json!({"volblocksize": "48K"})),
            "option volblocksize is 48K, expected a power of two from 4K to 1M",
        ),
        (
            with(publish(), json!({"compression_level": 22})),
            "option compression_level is 22, expected 1 to 19",
        ),
        (
            with(publish(), json!({"annotations": {"image_os": "x"}})),
            "option annotations has the key \"image_os\", expected letters, digits, '_', '-' and '.', and no image_ in \
             front: those are made from the other options",
        ),
        (
            with(publish(), json!({"annotations": {"a": ["b"]}})),
            "option annotations has no plain text under \"a\"",
        ),
        (
            with(publish(), json!({"signing_key": null})),
            "option signing_key is needed: make one with bhyve_catalog_key, or set signature_type to none for a \
             catalogue that everybody who can write to it can change unnoticed",
        ),
        (
            with(publish(), json!({"signature_type": "none"})),
            "option signing_key is given, but signature_type is none",
        ),
        (
            with(publish(), json!({"parent": "base"})),
            "option parent is base, expected the NAME-VERSION of an image in the catalogue",
        ),
        (lab.options(json!({"state": "pruned"})), "option keep is needed for state=pruned"),
        (
            lab.options(json!({"state": "pruned", "keep": 0})),
            "option keep is 0, expected at least 1; withdraw single images with state=absent",
        ),
    ] {
        assert_eq!(lab.refusal(&options), expected);
    }
    assert!(lab.files().is_empty());
}

#[test]
fn sources_that_will_not_do() {
    let lab = Lab::new();
    let from = |source: &str| with(lab.publish("1"), json!({"source": source}));
    fs::write(lab.at("empty"), "").unwrap();
    nix::unistd::mkfifo(&lab.at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::write(lab.at("packed"), b"\x1f\x8b\x08\0 packed data").unwrap();
    for format in ["raw", "qcow2", "stream"] {
        let message = lab.refusal(&with(from(lab.at("pipe").to_str().unwrap()), json!({"format": format})));
        assert_eq!(
            message,
            "looking at source LAB/pipe: opening LAB/pipe: it is a named pipe, expected a file or a disk device"
        );
    }
    for (source, expected) in [
        (
            lab.at("absent").display().to_string(),
            "opening LAB/absent: No such file or directory (os error 2)",
        ),
        (
            lab.folder.path().display().to_string(),
            "opening LAB: it is a folder, expected a file or a disk device",
        ),
        (
            lab.at("pipe").display().to_string(),
            "opening LAB/pipe: it is a named pipe, expected a file or a disk device",
        ),
        (lab.at("empty").display().to_string(), "making a stream from the disk: the disk is empty"),
        (
            lab.at("packed").display().to_string(),
            "unpacking the gzip data: they are damaged: corrupt deflate stream",
        ),
        (
            "disk.raw".to_owned(),
            "source \"disk.raw\" is neither an absolute path, nor a URL of http or https, nor DATASET@SNAPSHOT",
        ),
    ] {
        let message = lab.refusal(&from(&source));
        let shown = source.replace(lab.folder.path().to_str().unwrap(), "LAB");
        assert_eq!(message, format!("looking at source {shown}: {expected}"));
    }
    assert!(lab.files().is_empty());
}

/// Streams that ZFS would take and that would harm whoever receives them.
#[test]
fn streams_that_will_not_do() {
    for name in [
        "tiny-truncated.zfs",
        "tiny-trailing.zfs",
        "tiny-bitflip.zfs",
        "tiny-incr.zfs",
        "enc-w.zfs",
        "fs-Lec.zfs",
        "tree-R.zfs",
        "dangerous/evil-blksz12288.zfs",
        "dangerous/evil-noprop.zfs",
        "evil-badgzip.zfs",
    ] {
        let lab = Lab::new();
        let message =
            lab.refusal(&with(lab.publish("1"), json!({"source": stream(name), "format": "stream"})));
        let start = format!(
            "looking at source {}: verifying the stream; one that builds on another image needs the option parent: ",
            stream(name).display()
        );
        assert!(message.starts_with(&start), "{name}: {message}");
        assert!(lab.files().is_empty());
    }
}

/// A disk that fills up while the package is written: nothing of it stays, and with room it works.
#[test]
fn a_full_disk() {
    let lab = Lab::new();
    fs::create_dir(lab.catalogue()).unwrap();
    let random: Vec<u8> =
        (0..200_000u64).flat_map(|i| (i * i).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
    fs::write(lab.disk(), random).unwrap();
    fs::write(lab.at("options"), lab.publish("1").to_string()).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m none {catalogue} && ! {program} {options} && ls -A {catalogue} {catalogue}/All &&
         mount -o remount,size=8m {catalogue} && {program} {options}",
        catalogue = lab.catalogue().display(),
        program = test_support::program!("bhyve_catalog"),
        options = lab.at("options").display(),
    );
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .env("TMPDIR", lab.at("tmp"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap().replace(lab.folder.path().to_str().unwrap(), "LAB");
    let lines: Vec<_> = said.lines().collect();
    let failed: Value = serde_json::from_str(lines[0]).unwrap();
    let msg = failed["msg"].as_str().unwrap();
    assert!(
        msg.starts_with("writing package LAB/catalogue/All/demo-1.pkg: ")
            && msg.ends_with("No space left on device (os error 28)"),
        "{msg}"
    );
    let listed: Vec<_> = lines[1..lines.len() - 1].iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(listed, [&"LAB/catalogue:", &".lock", &"All", &"LAB/catalogue/All:"], "{said}");
    let done: Value = serde_json::from_str(lines[lines.len() - 1]).unwrap();
    assert_eq!(done["changed"], true, "{said}");
}

#[test]
fn keys_that_others_can_read() {
    let lab = Lab::new();
    fs::set_permissions(lab.key(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        lab.refusal(&lab.publish("1")),
        "reading signing key LAB/catalogue.key: its mode is 0644, so others can use it: run chmod 0600 \
         LAB/catalogue.key once you are sure that nobody has"
    );
}

/// Signing what somebody else has put into the folder would make it one's own.
#[test]
fn lists_that_are_not_ones_own() {
    let lab = Lab::new();
    lab.changed(&lab.publish("1"));
    let unsigned = with(lab.publish("1"), json!({"signature_type": "none", "signing_key": null}));
    let other = Lab::new();
    other.changed(&with(unsigned, json!({"path": other.catalogue()})));
    fs::copy(other.catalogue().join("data.pkg"), lab.catalogue().join("data.pkg")).unwrap();
    assert_eq!(
        lab.refusal(&lab.publish("2")),
        "LAB/catalogue/data.pkg is not signed as this run would sign it: if the key was changed, name the old one as \
         pubkey: reading the catalogue data.pkg: the catalogue is not signed"
    );
    assert_eq!(lab.files().len(), 6);
}

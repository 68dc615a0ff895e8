//! Servers that hang, lie or die, and a disk that is full: a clear error in bounded time, and nothing left.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Lab, NEWER, start_with};
use test_support::{reply, stand_in, with};

/// Answers of `pkg ssh` for the catalogue of the fixture, up to the package.
fn answers(lab: &Lab) -> String {
    let file = |name: &str| {
        let path = lab.repository().join(name).display().to_string();
        let size = fs::metadata(&path).unwrap().len();
        format!("printf 'ok: {size}\\n'; cat {path}\n")
    };
    format!(
        "echo 'ok: pkg 2.8.4'; read -r line\n{}read -r line\n{}read -r line\n",
        file("meta.conf"),
        file("data.pkg")
    )
}

/// A stand-in for ssh that runs `script` as the server; the folder it is in.
fn server(lab: &Lab, script: &str) -> String {
    let programs = lab.folder.path().join("bin");
    stand_in(&programs.join("ssh"), script);
    programs.display().to_string()
}

/// Fetches from that server.
fn fetch(lab: &Lab, script: &str) -> Value {
    let programs = server(lab, script);
    let options = with(lab.options(&[NEWER]), json!({"repository": "ssh://repo", "timeout": 0.5}));
    reply(start_with(&options, &[("PATH", &format!("{programs}:/usr/bin:/bin"))]))
}

/// Without the number of bytes that came in time, which is the machine's business.
fn uncounted(text: &str) -> String {
    match text.split_once("the other side sent ") {
        Some((before, rest)) => format!("{before}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => text.to_owned(),
    }
}

#[test]
fn each_way_to_fail_over_ssh_has_its_words() {
    let lab = Lab::new("pubkey-rsa");
    let package = lab.package(NEWER).display().to_string();
    let size = fs::metadata(&package).unwrap().len();
    let catalogue = answers(&lab);
    let slow = "expected at least 4096; it hangs or the link is too slow";
    let greeting = "reading the catalogue of ssh://repo: waiting for the greeting of ssh://repo: ";
    let fetching = format!("fetching {NEWER} from ssh://repo: ");
    let table = [
        ("sleep 600".to_owned(), format!("{greeting}the other side sent 0 bytes in 0.5 s, {slow}")),
        (
            "echo hello".into(),
            format!(
                "{greeting}expected a line that begins with \"ok:\", found \"hello\"; the account there must run \
                 `pkg ssh` or bhyve_catalog_server and nothing else"
            ),
        ),
        (
            "yes | tr -d '\\n'".into(),
            format!("{greeting}expected a line, found 4096 bytes without an end of line"),
        ),
        (
            "while :; do printf o; sleep 0.1; done".into(),
            format!("{greeting}the other side sent 5 bytes in 0.5 s, {slow}"),
        ),
        (
            format!("{catalogue}printf 'ok: {size}\\n'; head -c 1000 {package}; sleep 600"),
            format!("{fetching}the other side sent 1000 bytes in 0.5 s, {slow}"),
        ),
        (
            format!("{catalogue}printf 'ok: {size}\\n'; head -c 1000 {package}"),
            format!("{fetching}the connection ended {} bytes before the end of the file", size - 1000),
        ),
        (
            format!("{catalogue}printf 'ok: 99\\n'; cat {package}"),
            format!("{fetching}All/{NEWER}.pkg has 99 bytes there, the catalogue says {size}"),
        ),
        (
            format!("{catalogue}printf 'ok: {}\\n'; cat {package}; yes", size + 1),
            format!("{fetching}All/{NEWER}.pkg has {} bytes there, the catalogue says {size}", size + 1),
        ),
        (
            format!("{catalogue}echo 'ko: file not found'; cat"),
            format!("{fetching}the catalogue names All/{NEWER}.pkg, which is not there"),
        ),
        (
            format!("{catalogue}echo 'ko: not a file'; cat"),
            format!("{fetching}asking ssh://repo for All/{NEWER}.pkg: it answered \"not a file\""),
        ),
    ];
    for (script, expected) in table {
        let failed = fetch(&lab, &script);
        let found = failed["msg"].as_str().unwrap();
        assert_eq!(uncounted(found), uncounted(&expected), "{script}");
        assert_eq!(lab.images(), [""; 0], "{script}");
    }
    let right = format!("{catalogue}printf 'ok: {size}\\n'; cat {package}; read -r line");
    assert_eq!(fetch(&lab, &right)["changed"], true, "the next run is right");
}

/// Somebody else fills the disk while the package comes.
#[test]
fn a_disk_that_fills_up_meanwhile_is_named() {
    let lab = Lab::new("pubkey-rsa");
    fs::create_dir(lab.store()).unwrap();
    let (package, store) = (lab.package(NEWER).display().to_string(), lab.store().display().to_string());
    let size = fs::metadata(&package).unwrap().len();
    let script = format!(
        "{}printf 'ok: {size}\\n'; head -c 1000 {package}; cat /dev/zero >{store}/filler 2>/dev/null; tail -c +1001 {package}",
        answers(&lab)
    );
    let programs = server(&lab, &script);
    let options = with(lab.options(&[NEWER]), json!({"repository": "ssh://repo"}));
    let run = format!(
        "mount -t tmpfs -o size=1m none {store}; PATH={programs}:/usr/bin:/bin {} - || ls -A {store} >&2",
        env!("CARGO_BIN_EXE_bhyve_image"),
    );
    let output = support::in_namespace(&run, &options);
    let failed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        failed["msg"],
        format!(
            "fetching {NEWER} from ssh://repo: writing {store}/.{NEWER}.pkg.part: No space left on device (os error 28)"
        )
    );
    let left = String::from_utf8(output.stderr).unwrap();
    assert!(left.lines().all(|name| name == "filler" || name.starts_with(".seen-")), "{left}");
}

#[test]
fn a_full_disk_is_known_before_fetching() {
    let lab = Lab::new("pubkey-rsa");
    fs::create_dir(lab.store()).unwrap();
    let options = with(lab.options(&[NEWER]), json!({}));
    let script = format!(
        "mount -t tmpfs -o size=256k none {store} && {program} - && ls -A {store} >&2",
        store = lab.store().display(),
        program = env!("CARGO_BIN_EXE_bhyve_image"),
    );
    let output = support::in_namespace(&format!("{script} || ls -A {} >&2", lab.store().display()), &options);
    let failed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let start = format!("making room in {}: expected 466535 free, found ", lab.store().display());
    assert!(failed["msg"].as_str().unwrap().starts_with(&start), "{failed}");
    let left = String::from_utf8(output.stderr).unwrap();
    assert!(left.lines().all(|name| name.starts_with(".seen-")), "{left}");
}

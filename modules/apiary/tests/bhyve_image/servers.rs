// SPDX-License-Identifier: GPL-3.0-or-later

//! Servers that hang, lie or die, and a disk that is full: a clear error in bounded time, and nothing left.

use std::fs;

use crate::support::{Lab, NEWER, start_with};
use serde_json::{Value, json};
use test_support::{patience, reply, run_out, stand_in, with};

const HANGS: &str = "; it hangs or the link is too slow";

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

/// Fetches from that server, which may keep us waiting for this many seconds.
fn fetch(lab: &Lab, script: &str, timeout: f64) -> Value {
    let programs = server(lab, script);
    let options = with(lab.options(&[NEWER]), json!({"repository": "ssh://repo", "timeout": timeout}));
    reply(start_with(&options, &[("PATH", &format!("{programs}:/usr/bin:/bin"))]))
}

/// What is said when that fails, and leaves nothing.
fn refused(lab: &Lab, script: &str, timeout: f64) -> String {
    let reply = fetch(lab, script, timeout);
    assert_eq!(lab.images(), [""; 0], "{script}");
    test_support::refusal(&reply).to_owned()
}

/// Seconds that only a server which hangs uses up.
fn ample() -> f64 {
    patience(30).as_secs_f64()
}

#[test]
fn each_way_to_fail_over_ssh_has_its_words() {
    let lab = Lab::new("pubkey-rsa");
    let package = lab.package(NEWER).display().to_string();
    let size = fs::metadata(&package).unwrap().len();
    let catalogue = answers(&lab);
    let greeting = "reading the catalogue of ssh://repo: waiting for the greeting of ssh://repo: ";
    let fetching = format!("fetching {NEWER} from ssh://repo: ");
    let table = [
        (
            "echo hello".to_owned(),
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
        assert_eq!(refused(&lab, &script, ample()), expected, "{script}");
    }
    let right = format!("{catalogue}printf 'ok: {size}\\n'; cat {package}; read -r line");
    assert_eq!(fetch(&lab, &right, ample())["changed"], true, "the next run is right");
}

/// A limit runs out early where the server has not come to where it hangs.
fn given_up(lab: &Lab, script: &str, is_expected: impl Fn(&str, f64) -> bool) {
    run_out(script, |limit| {
        let limit = limit.as_secs_f64();
        let found = refused(lab, script, limit);
        if is_expected(&found, limit) {
            return Ok(());
        }
        assert!(found.ends_with(&format!("nothing for {limit} s{HANGS}")), "{script}: {found}");
        Err(found)
    });
}

#[test]
fn servers_that_hang_over_ssh_are_given_up() {
    let lab = Lab::new("pubkey-rsa");
    let greeting = "reading the catalogue of ssh://repo: waiting for the greeting of ssh://repo: ";
    let sent = format!("{greeting}the other side sent ");
    given_up(&lab, "exec sleep 600", |found, limit| found == format!("{sent}nothing for {limit} s{HANGS}"));
    given_up(&lab, "printf hello; exec sleep 600", |found, limit| {
        found == format!("{sent}5 bytes and then nothing for {limit} s{HANGS}")
    });
    // How many bytes that makes is the machine's business.
    given_up(&lab, "while :; do printf o; sleep 0.1; done", |found, limit| {
        let enough = limit * 8192.0;
        found.starts_with(&sent)
            && found.ends_with(&format!(" in {limit} s, expected at least {enough}{HANGS}"))
    });

    // The beginning of the package comes in one piece with the line that announces it.
    let package = fs::read(lab.package(NEWER)).unwrap();
    let piece = lab.folder.path().join("piece");
    fs::write(&piece, [format!("ok: {}\n", package.len()).as_bytes(), &package[..1000]].concat()).unwrap();
    let script = format!("{}cat {}; exec sleep 600", answers(&lab), piece.display());
    given_up(&lab, &script, |found, limit| {
        found
            == format!(
                "fetching {NEWER} from ssh://repo: the other side sent 1000 bytes and then nothing for {limit} s{HANGS}"
            )
    });
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
    let options = with(lab.options(&[NEWER]), json!({"repository": "ssh://repo", "timeout": ample()}));
    let run = format!(
        "mount -t tmpfs -o size=1m none {store}; PATH={programs}:/usr/bin:/bin {} - || ls -A {store} >&2",
        test_support::program!("bhyve_image"),
    );
    let output = crate::support::in_namespace(&run, &options);
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
        program = test_support::program!("bhyve_image"),
    );
    let output =
        crate::support::in_namespace(&format!("{script} || ls -A {} >&2", lab.store().display()), &options);
    let failed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let start = format!("making room in {}: expected 466535 free, found ", lab.store().display());
    assert!(failed["msg"].as_str().unwrap().starts_with(&start), "{failed}");
    let left = String::from_utf8(output.stderr).unwrap();
    assert!(left.lines().all(|name| name.starts_with(".seen-")), "{left}");
}

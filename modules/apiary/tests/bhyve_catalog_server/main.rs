// SPDX-License-Identifier: GPL-3.0-or-later

//! The server behind a real sshd: twenty clients at once, no way out, nothing else to be run.

#![cfg(test)]

mod support;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;

use ansible_module::Task;
use serde_json::{Value, json};
use support::{Sshd, account, fixture};
use test_support::{patience, wait_for};

const IMAGE: &str = "FreeBSD-14.2-RELEASE-ZFS-20G-20250515";

/// sshd's default turns away every third of more than ten clients that have not logged in yet.
const MANY: &str = "MaxStartups 100";

fn options(sshd: &Sshd, store: &Path) -> Value {
    json!({
        "name": IMAGE, "store": store,
        "repository": format!("ssh://{}@127.0.0.1:{}/pubkey-rsa", account(), sshd.port),
        "pubkey": fixture().join("keys/rsa.pub"), "ssh_key": sshd.at("client"),
        "ssh_known_hosts": sshd.at("known_hosts"), "ssh_args": ["-F", "none"],
        "timeout": patience(120).as_secs(),
    })
}

fn fetch(options: Value) -> Result<(), String> {
    let params = serde_json::from_value(options).unwrap();
    bhyve_image::module(params, &mut Task::default()).map(drop).map_err(|error| format!("{error:#}"))
}

fn serve_fixtures(sshd: &Sshd) {
    for name in ["data.pkg", "meta.conf", &format!("All/{IMAGE}.pkg")] {
        let to = sshd.at("served/pubkey-rsa").join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(fixture().join("pubkey-rsa").join(name), to).unwrap();
    }
}

fn package() -> PathBuf {
    fixture().join(format!("pubkey-rsa/All/{IMAGE}.pkg"))
}

#[test]
fn twenty_clients_at_once() {
    let sshd = Sshd::start(MANY);
    serve_fixtures(&sshd);
    let stores: Vec<_> = (0..20).map(|number| sshd.at(&format!("store{number}"))).collect();
    let clients: Vec<_> = stores
        .iter()
        .map(|store| {
            let options = options(&sshd, store);
            thread::spawn(move || fetch(options))
        })
        .collect();
    let ended: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(ended.iter().all(Result::is_ok), "{ended:?}");
    for store in stores {
        let fetched = fs::read(store.join(format!("{IMAGE}.pkg"))).unwrap();
        assert_eq!(fetched, fs::read(package()).unwrap());
    }
}

/// As an sshd with too many clients at its door: the first two are shown out, the next is let in.
#[test]
fn a_client_that_is_turned_away_comes_again() {
    let sshd = Sshd::start("");
    serve_fixtures(&sshd);
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, inner) = (door.local_addr().unwrap().port(), sshd.port);
    let doorkeeper = thread::spawn(move || {
        for _ in 0..2 {
            drop(door.accept().unwrap());
        }
        let (client, server) = (door.accept().unwrap().0, TcpStream::connect(("127.0.0.1", inner)).unwrap());
        let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            // However the client hangs up, sshd hears of it, or it would wait for ever.
            let _ = io::copy(&mut from_client, &mut to_server);
            to_server.shutdown(Shutdown::Write)
        });
        let (mut from_server, mut to_client) = (server, client);
        io::copy(&mut from_server, &mut to_client)
    });
    let known = fs::read_to_string(sshd.at("known_hosts")).unwrap();
    fs::write(sshd.at("known_hosts"), known.replace(&inner.to_string(), &port.to_string())).unwrap();
    let mut options = options(&sshd, &sshd.at("store"));
    options["repository"] = json!(format!("ssh://{}@127.0.0.1:{port}/pubkey-rsa", account()));
    fetch(options).unwrap();
    // How its last connection ended is of no interest.
    let _ = doorkeeper.join().unwrap();
}

/// A connection to sshd that ends after so many of its bytes, when `before_end` has returned, or with it; how many it were.
fn lead_in(door: &TcpListener, sshd: u16, limit: u64, before_end: impl FnOnce()) -> u64 {
    let (client, server) = (door.accept().unwrap().0, TcpStream::connect(("127.0.0.1", sshd)).unwrap());
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        to_server.shutdown(Shutdown::Write)
    });
    let (mut from_server, mut to_client) = (server.take(limit), client);
    let count = io::copy(&mut from_server, &mut to_client).unwrap_or(0);
    before_end();
    let _ = to_client.shutdown(Shutdown::Write);
    let _ = from_server.into_inner().shutdown(Shutdown::Both);
    count
}

/// Whether the files in a folder have so many bytes, and if not, how many they have.
fn enough(folder: &Path, bytes: u64) -> Result<(), u64> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let length = files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum();
    if length < bytes { Err(length) } else { Ok(()) }
}

#[test]
fn a_transfer_that_breaks_goes_on_where_it_was() {
    let sshd = Sshd::start("");
    serve_fixtures(&sshd);
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, inner) = (door.local_addr().unwrap().port(), sshd.port);
    let store = sshd.at("store");
    // ssh throws away what nobody has read yet when its connection breaks, which on a busy machine is nearly all.
    let arrived = {
        let store = store.clone();
        move || wait_for("the beginning of the package", 60, || enough(&store, 200_000))
    };
    let doorkeeper = thread::spawn(move || {
        [lead_in(&door, inner, 430_000, arrived), lead_in(&door, inner, u64::MAX, || {})]
    });
    let known = fs::read_to_string(sshd.at("known_hosts")).unwrap();
    fs::write(sshd.at("known_hosts"), known.replace(&inner.to_string(), &port.to_string())).unwrap();
    let mut options = options(&sshd, &store);
    options["repository"] = json!(format!("ssh://{}@127.0.0.1:{port}/pubkey-rsa", account()));
    fetch(options).unwrap();
    assert_eq!(fs::read(store.join(format!("{IMAGE}.pkg"))).unwrap(), fs::read(package()).unwrap());
    let [first, second] = doorkeeper.join().unwrap();
    // The package has 466535 bytes.
    assert!(first == 430_000 && second < 300_000, "{first} {second}");
}

#[test]
fn what_ssh_complains_about_is_told() {
    let sshd = Sshd::start(MANY);
    serve_fixtures(&sshd);
    let place = format!("ssh://{}@127.0.0.1:{}/pubkey-rsa", account(), sshd.port);
    let with = |key: &str, value: Value| {
        let mut options = options(&sshd, &sshd.at("store"));
        options[key] = value;
        fetch(options).unwrap_err()
    };
    let stranger = with("ssh_key", json!(sshd.at("stranger")));
    assert!(stranger.contains("Permission denied (publickey)"), "{stranger}");
    fs::write(sshd.at("nobody"), "").unwrap();
    let unknown = with("ssh_known_hosts", json!(sshd.at("nobody")));
    assert!(unknown.contains("Host key verification failed"), "{unknown}");
    let closed = with("repository", json!(format!("ssh://{}@127.0.0.1:1/x", account())));
    assert!(closed.contains("Connection refused"), "{closed}");
    let missing = with("repository", json!(format!("{place}-not-there")));
    assert_eq!(
        missing,
        format!(
            "reading the catalogue of {place}-not-there: there is no meta.conf, so this is not a repository of packages"
        )
    );
    fs::remove_dir_all(sshd.at("served")).unwrap();
    let gone = with("name", json!(IMAGE));
    assert!(gone.contains("opening catalogue"), "{gone}");
    assert!(!sshd.at("store").exists());
}

#[test]
fn no_path_leads_out() {
    let sshd = Sshd::start(MANY);
    serve_fixtures(&sshd);
    symlink("../served-evil", sshd.at("served/evil")).unwrap();
    symlink("/etc/passwd", sshd.at("served/passwd")).unwrap();
    let absolute = sshd.at("served-evil/secret").display().to_string();
    let paths = [
        "../served-evil/secret",
        "pubkey-rsa/../../served-evil/secret",
        "evil/secret",
        "passwd",
        "/etc/passwd",
        "//etc/passwd",
        "pubkey-rsa/../../../../../../etc/passwd",
        "/proc/self/environ",
        "../home/secret",
        "..",
        "%2e%2e/served-evil/secret",
        "~/secret",
        "$HOME/secret",
        "`id`",
        ".",
        &absolute,
    ];
    let asked: String = paths.iter().map(|path| format!("get {path} 0\n")).collect();
    let mut child = sshd
        .ssh("client")
        .args([&format!("{}@127.0.0.1", account()), "pkg", "ssh"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(asked.as_bytes()).unwrap();
    stdin.write_all(b"get pubkey-rsa/meta.conf 0\nquit\n").unwrap();
    let mut answers = String::new();
    // The pipe to it stays open: it must end because we say so.
    child.stdout.take().unwrap().read_to_string(&mut answers).unwrap();
    assert!(child.wait().unwrap().success());
    let mut lines = answers.lines();
    assert_eq!(lines.next(), Some(concat!("ok: apiary.bhyve ", env!("CARGO_PKG_VERSION"), " resumes")));
    for path in paths {
        assert_eq!(lines.next(), Some("ko: file not found"), "{path}");
    }
    assert_eq!(lines.next(), Some("ok: 168"));
    assert!(!answers.contains("secret") && !answers.contains("root:"));
}

#[test]
fn nothing_else_can_be_run() {
    let sshd = Sshd::start(MANY);
    serve_fixtures(&sshd);
    let marker = sshd.at("marker");
    let touch = format!("touch {}", marker.display());
    let place = format!("{}@127.0.0.1", account());
    let greeting = concat!("ok: apiary.bhyve ", env!("CARGO_PKG_VERSION"), " resumes\n");
    // Whatever is asked for, the catalogue's server answers.
    for words in
        [vec![touch.as_str()], vec!["pkg", "ssh;", &touch], vec!["sh", "-c", &touch], vec!["scp", "-f", "."]]
    {
        let output = sshd.ssh("client").arg(&place).args(&words).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), greeting, "{words:?}");
    }
    let subsystem = sshd.ssh("client").args(["-s", &place, "sftp"]).output().unwrap();
    assert_eq!(String::from_utf8(subsystem.stdout).unwrap(), greeting);
    let forwarded =
        sshd.ssh("client").args(["-W", &format!("127.0.0.1:{}", sshd.port), &place]).output().unwrap();
    let told = String::from_utf8_lossy(&forwarded.stderr).into_owned();
    assert!(!forwarded.status.success() && told.contains("administratively prohibited"), "{told}");
    let environment = sshd
        .ssh("client")
        .args(["-o", "SetEnv=LD_PRELOAD=/tmp/evil.so", &place, "pkg", "ssh"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(environment.stdout).unwrap(), greeting);
    assert!(!marker.exists());
}

#[test]
fn a_person_is_told_what_this_is() {
    let server = test_support::program!("bhyve_catalog_server");
    for (words, expected) in [
        (
            vec![],
            "usage: bhyve_catalog_server FOLDER, as forced command of an account: command=\"... FOLDER\",restrict",
        ),
        (vec!["images"], "the folder to serve is images, expected an absolute path"),
        (vec!["/nonexistent"], "opening catalogue /nonexistent: No such file or directory (os error 2)"),
    ] {
        #[expect(clippy::disallowed_methods, reason = "the program under test")]
        let output = std::process::Command::new(&server).args(&words).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("bhyve_catalog_server: {expected}\n"));
        assert!(output.stdout.is_empty());
    }
}

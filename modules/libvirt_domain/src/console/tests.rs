// SPDX-License-Identifier: GPL-3.0-or-later

//! Consoles that are found, read in pieces, rotated, and shown.

use super::*;
use nix::pty::openpty;
use std::fs;
use std::io::Write;
use test_support::wait_for;

fn place(devices: &str, uri: &str) -> Place {
    let uri = ConnectUri::try_from(uri.to_owned()).unwrap();
    Place::find(&format!("<domain><devices>{devices}</devices></domain>"), &uri).unwrap()
}

#[test]
fn the_place_is_read_off_the_xml() {
    let log = "<serial type='pty'><log file='/var/log/web1' append='on'/></serial>";
    let plain_log = "<serial type='pty'/><console type='pty'><log file='/var/log/web1'/></console>";
    let modem = "<serial type='nmdm'><source master='/dev/nmdm1A' slave='/dev/nmdm1B'/></serial>";
    assert_eq!(place(log, "qemu:///system"), Place::Log { path: "/var/log/web1".into(), append: true });
    assert_eq!(
        place(plain_log, "qemu:///system"),
        Place::Log { path: "/var/log/web1".into(), append: false }
    );
    assert_eq!(place(modem, "bhyve:///system"), Place::NullModem("/dev/nmdm1B".into()));
    assert_eq!(place("<console type='pty'/>", "qemu:///system"), Place::Stream);
    assert_eq!(place(log, "qemu+ssh://hv1.example.org/system"), Place::Stream);
}

fn log(append: bool) -> (tempfile::TempDir, PathBuf, Place) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.log");
    (folder, path.clone(), Place::Log { path, append })
}

#[test]
fn a_text_in_two_pieces_is_found() {
    let (_folder, path, place) = log(false);
    let mut console = Console::from_start(place).unwrap().unwrap();
    assert!(!console.has_shown("login:").unwrap(), "there is no log yet");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"booting\r\n\x1b[1mlog").unwrap();
    assert!(!console.has_shown("login:").unwrap());
    file.write_all(b"in: ").unwrap();
    assert!(console.has_shown("login:").unwrap());
    assert_eq!(console.last_lines(), "booting | [1mlogin: ");
}

#[test]
fn what_an_earlier_start_wrote_does_not_count() {
    let (_folder, path, place) = log(true);
    fs::write(&path, "login: ").unwrap();
    let mut console = Console::from_start(place).unwrap().unwrap();
    assert!(!console.has_shown("login:").unwrap());
    let place = || Place::Log { path: path.clone(), append: true };
    assert!(Console::with_history(place(), None).is_none(), "nobody knows where this start begins");
    let mut later = Console::with_history(place(), Console::log_from(&place())).unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"again login: ").unwrap();
    assert!(console.has_shown("login:").unwrap());
    assert!(later.has_shown("login:").unwrap());
}

#[test]
fn a_log_that_begins_anew_is_followed() {
    let (_folder, path, place) = log(false);
    fs::write(&path, "x".repeat(200_000)).unwrap();
    let mut console = Console::with_history(place, None).unwrap();
    assert!(!console.has_shown("login:").unwrap());
    fs::write(&path, "login:").unwrap();
    assert!(console.has_shown("login:").unwrap());
}

/// A pseudo-terminal stands for the null modem: same terminal layer, same calls.
#[test]
fn a_terminal_is_read_raw_and_echoes_nothing() {
    let pty = openpty(None, None).unwrap();
    let slave = nix::unistd::ttyname(&pty.slave).unwrap();
    let mut console = Console::from_start(Place::NullModem(slave)).unwrap().unwrap();
    assert!(!console.has_shown("login:").unwrap());
    let mut master = File::from(pty.master);
    master.write_all(b"web1 login: ").unwrap();
    wait_for("the text to come through the terminal", 30, || match console.has_shown("login:").unwrap() {
        true => Ok(()),
        false => Err(console.last_lines()),
    });
    nix::fcntl::fcntl(&master, nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    let echoed = master.read(&mut [0; 64]).unwrap_err();
    assert_eq!(echoed.kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_missing_device_is_named() {
    let error = Console::from_start(Place::NullModem("/nowhere/nmdm0B".into())).map(drop).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "opening console /nowhere/nmdm0B: No such file or directory (os error 2)"
    );
}

#[test]
fn only_the_last_lines_are_shown() {
    let (_folder, path, place) = log(false);
    let text: String = (1..=40).map(|line| format!("line {line}\r\n\r\n")).collect();
    fs::write(&path, text).unwrap();
    let mut console = Console::with_history(place, None).unwrap();
    assert!(!console.has_shown("login:").unwrap());
    let lines: Vec<String> = (29..=40).map(|line| format!("line {line}")).collect();
    assert_eq!(console.last_lines(), lines.join(" | "));
}

#[test]
fn a_guest_that_never_stops_talking_holds_nobody_up() {
    let mut console =
        Console { source: Source::Log { path: "/dev/zero".into(), offset: 0 }, tail: Vec::new() };
    assert!(!console.has_shown("login:").unwrap());
    console.catch_up().unwrap();
    assert!(console.tail.len() <= TAIL);
}

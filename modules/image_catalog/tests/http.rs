// SPDX-License-Identifier: GPL-3.0-or-later

//! Fetching from web servers that behave, misbehave and die.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::io::Read;
use std::time::Duration;

use image_catalog::path::RelativePath;
use image_catalog::transport::{Http, HttpOptions, Pace, Transport};
use test_support::web::{Request, Stream, WebServer};
use test_support::{patience, run_out};

const FILE: &[u8] = b"0123456789";

/// A client of a server that may keep it waiting for so long.
fn http(server: &WebServer, limit: Duration) -> Http {
    let pace = Pace { patience: limit };
    let options = HttpOptions { ca_path: None, pace, pause: Duration::from_millis(1) };
    Http::new(server.url.clone(), options).unwrap()
}

fn fetch(server: &WebServer, from: u64) -> Result<(u64, Vec<u8>), String> {
    fetch_within(patience(30), server, from)
}

fn fetch_within(limit: Duration, server: &WebServer, from: u64) -> Result<(u64, Vec<u8>), String> {
    let mut http = http(server, limit);
    let opened = http.open(&"All/a+b.pkg".parse::<RelativePath>().unwrap(), from);
    let mut opened = opened.map_err(|error| format!("{error:#}"))?.ok_or("missing")?;
    let mut contents = Vec::new();
    opened.body.read_to_end(&mut contents).map_err(|error| error.to_string())?;
    Ok((opened.start, contents))
}

fn say(stream: &mut dyn Stream, head: &str, body: &[u8]) {
    // The client may have gone; that is not the test's business.
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(body);
}

/// A server that knows ranges, and sends at most `most` bytes per connection.
fn send_range(request: &Request, stream: &mut dyn Stream, most: usize) {
    let tag = "ETag: \"one\"\r\n";
    match request.range_start() {
        None => say(
            stream,
            &format!("200 OK\r\n{tag}Content-Length: {}", FILE.len()),
            &FILE[..most.min(FILE.len())],
        ),
        Some(start) if start >= FILE.len() => {
            say(stream, "416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0", b"")
        }
        Some(start) => {
            let rest = &FILE[start..];
            let head = format!(
                "206 Partial Content\r\n{tag}Content-Range: bytes {start}-9/10\r\nContent-Length: {}",
                rest.len()
            );
            say(stream, &head, &rest[..most.min(rest.len())]);
        }
    }
}

#[test]
fn a_file_comes_whole() {
    let server = WebServer::start(|request, stream| {
        assert_eq!(request.path(), "/images/All/a+b.pkg");
        send_range(request, stream, 100);
    });
    assert_eq!(fetch(&server, 0).unwrap(), (0, FILE.to_vec()));
}

#[test]
fn the_rest_of_a_file_comes_where_the_server_can() {
    let server = WebServer::start(|request, stream| send_range(request, stream, 100));
    assert_eq!(fetch(&server, 4).unwrap(), (4, FILE[4..].to_vec()));
    assert_eq!(fetch(&server, 10).unwrap(), (0, FILE.to_vec()), "nothing is left: from the start");
    let plain = WebServer::start(|_, stream| say(stream, "200 OK\r\nContent-Length: 10", FILE));
    assert_eq!(fetch(&plain, 4).unwrap(), (0, FILE.to_vec()));
}

#[test]
fn a_broken_transfer_is_taken_up() {
    let server = WebServer::start(|request, stream| send_range(request, stream, 4));
    assert_eq!(fetch(&server, 0).unwrap(), (0, FILE.to_vec()));
    assert_eq!(server.requests(), ["-", "4 \"one\"", "8 \"one\""]);
}

#[test]
fn a_transfer_that_never_gets_on_is_given_up() {
    let server = WebServer::start(|request, stream| send_range(request, stream, 1));
    assert_eq!(fetch(&server, 0).unwrap_err(), "the connection ended 6 bytes before the end of the file");
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn another_file_is_not_appended() {
    let changed = WebServer::start(|request, stream| match request.range_start() {
        None => send_range(request, stream, 4),
        Some(_) => say(stream, "200 OK\r\nETag: \"two\"\r\nContent-Length: 10", b"abcdefghij"),
    });
    let error = fetch(&changed, 0).unwrap_err();
    assert_eq!(
        error,
        "the connection broke at byte 4, and the server has another file there now or cannot resume"
    );
    let unnamed = WebServer::start(|_, stream| say(stream, "200 OK\r\nContent-Length: 10", &FILE[..4]));
    assert!(fetch(&unnamed, 0).is_err());
    assert_eq!(unnamed.requests(), ["-"], "without a validator nothing says that it is the same file");
}

#[test]
fn what_a_server_says_is_judged() {
    type Case = (&'static str, &'static [u8], &'static str);
    let table: [Case; 6] = [
        ("404 Not Found\r\nContent-Length: 0", b"", "missing"),
        ("410 Gone\r\nContent-Length: 0", b"", "missing"),
        ("403 Forbidden\r\nContent-Length: 0", b"", "asking for URL: the server answered 403 Forbidden"),
        (
            "500 Oops\r\nContent-Length: 0",
            b"",
            "asking for URL: the server answered 500 Internal Server Error",
        ),
        ("206 Partial Content\r\nContent-Length: 3", b"abc", "asking for URL: its Content-Range is \"\""),
        (
            "206 Partial Content\r\nContent-Range: bytes 3-5/6\r\nContent-Length: 3",
            b"abc",
            "asking for URL: asked for byte 0 on, it sends from byte 3",
        ),
    ];
    for (head, body, expected) in table {
        let server = WebServer::start(move |_, stream| say(stream, head, body));
        let expected = expected.replace("URL", &format!("{}/All/a+b.pkg", server.url));
        assert_eq!(fetch(&server, 0).unwrap_err(), expected);
    }
}

#[test]
fn a_busy_server_is_asked_again() {
    for busy in ["503 Service Unavailable", "429 Too Many Requests", "502 Bad Gateway"] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let server = WebServer::start(move |request, stream| {
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0..3 => say(stream, &format!("{busy}\r\nContent-Length: 0"), b""),
                _ => send_range(request, stream, 100),
            }
        });
        assert_eq!(fetch(&server, 0).unwrap(), (0, FILE.to_vec()), "{busy}");
    }
    let server = WebServer::start(|_, stream| say(stream, "503 Busy\r\nContent-Length: 0", b""));
    let expected = format!(
        "asking for {}/All/a+b.pkg: the server answered 503 Service Unavailable, 4 times",
        server.url
    );
    assert_eq!(fetch(&server, 0).unwrap_err(), expected);
}

#[test]
fn a_file_of_any_url_comes_whole_without_showing_what_may_be_a_secret() {
    let server = WebServer::start(|request, stream| match request.path() {
        "/x?token=secret" => send_range(request, stream, 4),
        _ => say(stream, "403 Forbidden\r\nContent-Length: 0", b""),
    });
    let http = http(&server, patience(30));
    let mut contents = Vec::new();
    let url = format!("{}/x?token=secret", server.url.trim_end_matches("/images"));
    http.open_url(&url).unwrap().unwrap().body.read_to_end(&mut contents).unwrap();
    assert_eq!(contents, FILE);
    let error = format!("{:#}", http.open_url(&format!("{url}s")).unwrap_err());
    assert!(error.ends_with("/x?***: the server answered 403 Forbidden"), "{error}");
}

#[test]
fn silence_and_dribble_end() {
    let hangs = "; it hangs or the link is too slow";
    // The beginning of an answer, then silence; nothing at all; a byte from time to time.
    let silent = WebServer::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
        let _ = stream.read(&mut [0; 1]);
    });
    given_up(&silent, |error, limit| {
        error == format!("the other side sent 4 bytes and then nothing for {limit} s{hangs}")
    });
    let dead = WebServer::start(|_, stream| {
        let _ = stream.read(&mut [0; 1]);
    });
    given_up(&dead, no_answer);
    let dribble = WebServer::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    given_up(&dribble, |error, limit| {
        error.ends_with(&format!(" in {limit} s, expected at least {}{hangs}", limit * 8192.0))
    });
}

/// Fetches from a server that hangs: nothing that it has sent may come too late, so a slow machine takes a longer limit.
fn given_up(server: &WebServer, is_expected: impl Fn(&str, f64) -> bool) {
    run_out("a server to be given up", |limit| {
        let error = fetch_within(limit, server, 0).unwrap_err();
        let limit = limit.as_secs_f64();
        if is_expected(&error, limit) {
            return Ok(());
        }
        assert!(no_answer(&error, limit) || error.contains(&format!("nothing for {limit} s;")), "{error}");
        Err(error)
    });
}

fn no_answer(error: &str, _: f64) -> bool {
    error.starts_with("asking for http://localhost:") && error.contains("timeout")
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pace = Pace { patience: patience(30) };
    let options = HttpOptions { ca_path: None, pace, pause: Duration::ZERO };
    let mut http = Http::new(format!("http://{address}"), options).unwrap();
    let error = http.open(&"data.pkg".parse::<RelativePath>().unwrap(), 0).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.starts_with(&format!("asking for http://{address}/data.pkg: ")), "{error}");
    assert!(error.contains("refused"), "{error}");
}

#[test]
fn an_authority_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let make = |file: &std::path::Path| {
        let pace = Pace { patience: patience(30) };
        let options = HttpOptions { ca_path: Some(file.to_owned()), pace, pause: Duration::ZERO };
        format!("{:#}", Http::new("https://localhost".into(), options).unwrap_err())
    };
    assert!(make(&file).starts_with(&format!("reading certificates from {}: ", file.display())));
    std::fs::write(&file, "no certificate").unwrap();
    assert_eq!(make(&file), format!("reading certificates from {}: found none", file.display()));
}

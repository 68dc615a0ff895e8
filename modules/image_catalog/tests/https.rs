// SPDX-License-Identifier: GPL-3.0-or-later

//! Fetching over TLS: from authorities that are named, and from no others.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod tls;

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use image_catalog::path::RelativePath;
use image_catalog::transport::{Http, HttpOptions, Pace, Transport};
use test_support::patience;
use test_support::web::{Request, Stream, WebServer};
use tls::Authority;

const FILE: &[u8] = b"0123456789";

fn fetch(server: &WebServer, ca_path: Option<PathBuf>) -> Result<Vec<u8>, String> {
    let pace = Pace { patience: patience(30) };
    let options = HttpOptions { ca_path, pace, pause: Duration::from_millis(1) };
    let mut http = Http::new(server.url.clone(), options).unwrap();
    let opened = http.open(&"data.pkg".parse::<RelativePath>().unwrap(), 0);
    let mut opened = opened.map_err(|error| format!("{error:#}"))?.unwrap();
    let mut contents = Vec::new();
    opened.body.read_to_end(&mut contents).map_err(|error| error.to_string())?;
    Ok(contents)
}

/// Sends four bytes and hangs up, without the farewell of TLS.
fn send_some(request: &Request, stream: &mut dyn Stream) {
    let start = request.range_start().unwrap_or(0);
    let range = match start {
        0 => "200 OK\r\n".to_owned(),
        _ => format!("206 Partial Content\r\nContent-Range: bytes {start}-9/10\r\n"),
    };
    let rest = &FILE[start..];
    let head = format!(
        "HTTP/1.1 {range}ETag: \"one\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        rest.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&rest[..rest.len().min(4)]).unwrap();
    stream.flush().unwrap();
}

#[test]
fn a_broken_transfer_is_taken_up() {
    let authority = Authority::new("localhost");
    let server = authority.serve(send_some);
    assert_eq!(fetch(&server, Some(authority.certificate())).unwrap(), FILE);
    assert_eq!(server.requests(), ["-", "4 \"one\"", "8 \"one\""]);
}

#[test]
fn only_the_authority_that_is_named_is_trusted() {
    let (ours, other) = (Authority::new("localhost"), Authority::new("localhost"));
    let server = ours.serve(send_some);
    let error = fetch(&server, Some(other.certificate())).unwrap_err();
    let asking = format!("asking for {}/data.pkg: ", server.url);
    assert!(error.starts_with(&asking) && error.contains("invalid peer certificate"), "{error}");
    assert_eq!(server.requests(), [""; 0]);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("elsewhere.example.org");
    let server = authority.serve(send_some);
    let error = fetch(&server, Some(authority.certificate())).unwrap_err();
    assert!(error.contains("certificate not valid for name \"localhost\""), "{error}");
}

#[test]
fn a_server_that_sends_us_on_to_a_place_without_tls_is_refused() {
    let authority = Authority::new("localhost");
    let server = authority.serve(|_, stream| {
        let head = "HTTP/1.1 302 Found\r\nLocation: http://localhost:9/data.pkg?token=secret\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.flush().unwrap();
    });
    assert_eq!(
        fetch(&server, Some(authority.certificate())).unwrap_err(),
        format!(
            "asking for {}/data.pkg: the server sends us on to a place without https; let it answer itself, or by https",
            server.url
        )
    );
}

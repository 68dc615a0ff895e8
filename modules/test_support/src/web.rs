// SPDX-License-Identifier: GPL-3.0-or-later

//! A web server that answers each request as a test says.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// A server on loopback, in threads that end with the test program.
pub struct WebServer {
    /// Where its catalogue is.
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

/// A connection, encrypted or not.
pub trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

/// The lines of a request up to the empty one.
pub struct Request(Vec<String>);

impl Request {
    /// The path asked for.
    pub fn path(&self) -> &str {
        self.0[0].split(' ').nth(1).unwrap()
    }

    /// First byte asked for.
    pub fn range_start(&self) -> Option<usize> {
        let range = self.header("range")?;
        Some(range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().unwrap())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }
}

impl WebServer {
    /// Starts a server that lets `answer` write each answer.
    pub fn start(answer: impl Fn(&Request, &mut dyn Stream) + Send + Sync + 'static) -> Self {
        Self::start_with("http", |stream| Box::new(stream), answer)
    }

    /// The same behind what `accept` makes of each connection.
    pub fn start_with(
        scheme: &str,
        accept: impl Fn(TcpStream) -> Box<dyn Stream> + Send + Sync + 'static,
        answer: impl Fn(&Request, &mut dyn Stream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://localhost:{}/images", listener.local_addr().unwrap().port());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (handlers, record) = (Arc::new((accept, answer)), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, handlers, record) =
                    (stream.unwrap(), Arc::clone(&handlers), Arc::clone(&record));
                thread::spawn(move || {
                    let (accept, answer) = &*handlers;
                    let mut stream = accept(stream);
                    let request = read_request(&mut stream);
                    if request.0.is_empty() {
                        return;
                    }
                    let validator = request.header("if-range").map(|tag| format!(" {tag}"));
                    let range = request.range_start().map_or("-".to_owned(), |start| start.to_string());
                    record.lock().unwrap().push(range + &validator.unwrap_or_default());
                    answer(&request, &mut *stream);
                });
            }
        });
        Self { url, seen }
    }

    /// For each request so far: where its range began and what guarded it.
    pub fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut dyn Stream) -> Request {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    Request(lines.take_while(|line| !line.is_empty()).collect())
}

/// The contents of the file that a request for `/images/...` means below `root`.
pub fn file_of(root: &Path, request: &Request) -> Option<Vec<u8>> {
    fs::read(root.join(request.path().strip_prefix("/images/")?)).ok()
}

/// Answers as an ordinary web server does that knows ranges.
pub fn send_file(root: &Path, request: &Request, stream: &mut dyn Stream) {
    let (head, body) = match (file_of(root, request), request.range_start()) {
        (None, _) => ("404 Not Found".to_owned(), Vec::new()),
        (Some(file), Some(start)) if start < file.len() => {
            let range = format!("Content-Range: bytes {start}-{}/{}", file.len() - 1, file.len());
            (format!("206 Partial Content\r\n{range}"), file[start..].to_vec())
        }
        (Some(file), _) => ("200 OK".to_owned(), file),
    };
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // A client that has seen enough may have gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

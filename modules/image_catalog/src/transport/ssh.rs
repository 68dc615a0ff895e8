// SPDX-License-Identifier: GPL-3.0-or-later

//! The client's side of pkg's line protocol (`pkg ssh`): one connection, one file at a time.
//! The connection itself is made by the caller, who alone may start ssh.

use std::io::{self, BufRead, BufReader, Read, Write};

use anyhow::{Context, Result, bail, ensure};

use super::{Opened, Pace, Paced, SshAddress, Transport, cut_short};
use crate::path::RelativePath;
use crate::serve::RESUMES;

/// The longest line a server may send; real ones stay below 100 characters.
const LINE_LIMIT: u64 = 4096;

/// An open session with a server. Reads and writes of its two ends must end by themselves when the other side
/// hangs.
pub struct PkgSsh<R: Read, W: Write> {
    reader: BufReader<Paced<R>>,
    writer: W,
    place: String,
    folder: Option<RelativePath>,
    /// Whether the server can begin within a file.
    resumes: bool,
    /// Bytes of the last file that nobody has read yet.
    unread: u64,
}

impl<R: Read, W: Write> PkgSsh<R, W> {
    /// Waits for the server's greeting on `reader` and `writer`.
    ///
    /// # Errors
    /// Where something else than pkg's greeting comes, such as a login's banner.
    pub fn start(reader: R, writer: W, server: &SshAddress, pace: Pace) -> Result<Self> {
        let reader = BufReader::new(Paced::new(reader, pace));
        let (place, folder) = (server.to_string(), server.folder.clone());
        let mut session = Self { reader, writer, place, folder, resumes: false, unread: 0 };
        let doing = || format!("waiting for the greeting of {}", session.place);
        let greeting = read_line(&mut session.reader).with_context(doing)?;
        ensure!(
            greeting.starts_with("ok:"),
            "{}: expected a line that begins with \"ok:\", found {greeting:?}; \
             the account there must run `pkg ssh` or bhyve_catalog_server and nothing else",
            doing()
        );
        session.resumes = greeting.split_whitespace().any(|word| word == RESUMES);
        Ok(session)
    }

    /// Says good-bye and waits until the server has hung up, unless a file is still on its way.
    ///
    /// # Errors
    /// Where the connection is gone already.
    pub fn quit(&mut self) -> Result<()> {
        self.writer
            .write_all(b"quit\n")
            .and_then(|()| self.writer.flush())
            .with_context(|| format!("ending the session with {}", self.place))?;
        if self.unread == 0 {
            // However it hangs up, it is gone.
            let _ = self.reader.read(&mut [0; 1]);
        }
        Ok(())
    }

    fn ask(&mut self, wanted: &str, from: u64) -> Result<String> {
        let from = if from > 0 { format!(" {from}") } else { String::new() };
        // Age 0 asks for the file however old it is.
        self.writer.write_all(format!("get {wanted} 0{from}\n").as_bytes())?;
        self.writer.flush()?;
        self.begin();
        Ok(read_line(&mut self.reader)?)
    }

    /// Begins another answer: what came in one read with the line before it belongs to it already.
    fn begin(&mut self) {
        let here = self.reader.buffer().len() as u64;
        self.reader.get_mut().begin(here);
    }
}

impl<R: Read + Send, W: Write> Transport for PkgSsh<R, W> {
    fn open(&mut self, path: &RelativePath, from: u64) -> Result<Option<Opened<'_>>> {
        let wanted = match &self.folder {
            Some(folder) => format!("{folder}/{path}"),
            None => path.to_string(),
        };
        let doing = format!("asking {} for {path}", self.place);
        ensure!(self.unread == 0, "{doing}: {} bytes of the file before are still unread", self.unread);
        let start = if self.resumes { from } else { 0 };
        let answer = self.ask(&wanted, start).with_context(|| doing.clone())?;
        match answer.split_once(':').map(|(word, rest)| (word, rest.trim())) {
            Some(("ok", size)) => {
                let rest: u64 =
                    size.parse().ok().with_context(|| format!("{doing}: {size:?} is not a size"))?;
                self.unread = rest;
                self.begin();
                let body = Box::new(Body { reader: &mut self.reader, unread: &mut self.unread });
                Ok(Some(Opened { body, start, size: Some(start.saturating_add(rest)) }))
            }
            Some(("ko", "file not found")) => Ok(None),
            Some(("ko", why)) => bail!("{doing}: it answered {why:?}"),
            _ => bail!("{doing}: expected an answer that begins with \"ok:\" or \"ko:\", found {answer:?}"),
        }
    }

    fn place(&self) -> String {
        self.place.clone()
    }
}

/// What is left of one file.
struct Body<'a, R> {
    reader: &'a mut BufReader<Paced<R>>,
    unread: &'a mut u64,
}

impl<R: Read> Read for Body<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(*self.unread).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.reader.read(&mut buffer[..wanted])? {
            0 => Err(cut_short(*self.unread)),
            received => {
                *self.unread -= received as u64;
                Ok(received)
            }
        }
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.take(LINE_LIMIT).read_until(b'\n', &mut line)?;
    let text = String::from_utf8_lossy(&line);
    match text.strip_suffix('\n') {
        Some(text) => Ok(text.trim_end_matches('\r').to_owned()),
        None if line.is_empty() => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended before an answer came"))
        }
        None => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("expected a line, found {} bytes without an end of line", line.len()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn path(text: &str) -> RelativePath {
        text.parse::<RelativePath>().unwrap()
    }

    fn session<R: Read>(said: R, sent: &mut Vec<u8>) -> Result<PkgSsh<R, &mut Vec<u8>>> {
        let folder = Some(path("images"));
        let server = SshAddress { user: None, host: "repo".into(), port: None, folder };
        PkgSsh::start(said, sent, &server, Pace { patience: Duration::from_secs(3600) })
    }

    /// A socket that gives one of these pieces with each read, and then runs into its time limit.
    struct Pieces(&'static [&'static str]);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (piece, rest) = self.0.split_first().ok_or(io::ErrorKind::WouldBlock)?;
            self.0 = rest;
            buffer[..piece.len()].copy_from_slice(piece.as_bytes());
            Ok(piece.len())
        }
    }

    #[test]
    fn a_session_as_captured_from_pkg() {
        let mut sent = Vec::new();
        let said = "ok: pkg 2.8.99.1\nok: 5\nhelloko: file not found\nok: 0\nok: 2\nhi";
        let mut server = session(said.as_bytes(), &mut sent).unwrap();
        assert_eq!(server.read_all(&path("meta.conf"), 10).unwrap().unwrap(), b"hello");
        assert_eq!(server.read_all(&path("files.pkg"), 10).unwrap(), None);
        assert_eq!(server.read_all(&path("empty"), 10).unwrap().unwrap(), b"");
        assert_eq!(server.read_all(&path("a"), 10).unwrap().unwrap(), b"hi");
        server.quit().unwrap();
        let expected =
            "get images/meta.conf 0\nget images/files.pkg 0\nget images/empty 0\nget images/a 0\nquit\n";
        assert_eq!(String::from_utf8(sent).unwrap(), expected);
    }

    #[test]
    fn a_server_of_ours_begins_where_it_is_asked_to() {
        for (greeting, asked, start) in [
            ("ok: pkg 2.8.99.1", "get images/a 0\n", 0),
            ("ok: apiary.bhyve 0.1.0 resumes", "get images/a 0 7\n", 7),
        ] {
            let mut sent = Vec::new();
            let said = format!("{greeting}\nok: 3\nabc");
            let mut server = session(said.as_bytes(), &mut sent).unwrap();
            let opened = server.open(&path("a"), 7).unwrap().unwrap();
            assert_eq!((opened.start, opened.size), (start, Some(start + 3)));
            drop(opened);
            drop(server);
            assert_eq!(String::from_utf8(sent).unwrap(), asked);
        }
    }

    #[test]
    fn wrong_answers_are_named() {
        let long = "o".repeat(5000);
        let table = [
            ("", "waiting for the greeting of ssh://repo/images: the connection ended before an answer came"),
            (
                "Welcome to FreeBSD!\n",
                "waiting for the greeting of ssh://repo/images: expected a line that begins with \"ok:\", found \
                 \"Welcome to FreeBSD!\"; the account there must run `pkg ssh` or bhyve_catalog_server and \
                 nothing else",
            ),
            (
                long.as_str(),
                "waiting for the greeting of ssh://repo/images: expected a line, found 4096 bytes without an \
                 end of line",
            ),
            ("ok: x\n", "asking ssh://repo/images for a: the connection ended before an answer came"),
            ("ok: x\nok: -1\n", "asking ssh://repo/images for a: \"-1\" is not a size"),
            ("ok: x\nko: not a file\n", "asking ssh://repo/images for a: it answered \"not a file\""),
            (
                "ok: x\nwhat?\n",
                "asking ssh://repo/images for a: expected an answer that begins with \"ok:\" or \"ko:\", found \
                 \"what?\"",
            ),
            (
                "ok: x\nok: 10\nhello",
                "reading a of ssh://repo/images: the connection ended 5 bytes before the end of the file",
            ),
            (
                "ok: x\nok: 11\nhello world",
                "reading a of ssh://repo/images: it has 11 bytes, expected at most 10: it seems to be a repository of other \
                 packages; give images one of their own",
            ),
        ];
        for (said, expected) in table {
            let mut sent = Vec::new();
            let read =
                session(said.as_bytes(), &mut sent).and_then(|mut server| server.read_all(&path("a"), 10));
            assert_eq!(format!("{:#}", read.unwrap_err()), expected);
        }
    }

    #[test]
    fn what_came_before_a_silence_is_counted_however_it_came() {
        let words = "it hangs or the link is too slow";
        let table: [(&[&str], _); 5] = [
            (&[], "waiting for the greeting of ssh://repo/images: the other side sent nothing for 3600 s"),
            (&["ok: x\n"], "asking ssh://repo/images for a: the other side sent nothing for 3600 s"),
            (
                &["ok: x\n", "ok: 9\n"],
                "reading a of ssh://repo/images: the other side sent nothing for 3600 s",
            ),
            (
                &["ok: x\n", "ok: 9\nhello"],
                "reading a of ssh://repo/images: the other side sent 5 bytes and then nothing for 3600 s",
            ),
            (
                &["ok: x\n", "ok: 9\nhello", "!"],
                "reading a of ssh://repo/images: the other side sent 6 bytes and then nothing for 3600 s",
            ),
        ];
        for (pieces, expected) in table {
            let mut sent = Vec::new();
            let read =
                session(Pieces(pieces), &mut sent).and_then(|mut server| server.read_all(&path("a"), 10));
            assert_eq!(format!("{:#}", read.unwrap_err()), format!("{expected}; {words}"));
        }
    }

    #[test]
    fn a_half_read_file_does_not_pass_for_an_answer() {
        let mut sent = Vec::new();
        let mut server = session(&b"ok: x\nok: 6\nok: 1\nx"[..], &mut sent).unwrap();
        drop(server.open(&path("a"), 0).unwrap());
        let error = server.open(&path("b"), 0).unwrap_err().to_string();
        assert_eq!(error, "asking ssh://repo/images for b: 6 bytes of the file before are still unread");
    }
}

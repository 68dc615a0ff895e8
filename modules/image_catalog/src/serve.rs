// SPDX-License-Identifier: GPL-3.0-or-later

//! The server's side of pkg's line protocol (`pkg ssh`): hands out the files below one folder, and nothing else.

use std::fs::File;
use std::io::{BufRead, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, ensure};
use cap_fs_ext::OpenOptionsSyncExt;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::path::RelativePath;
use crate::request::Wanted;

/// The longest request: room for the longest path and a number.
const LINE_LIMIT: u64 = 4096;

/// The word of our greeting that says that a request may name the byte to begin at. pkg's server cannot do that.
pub(crate) const RESUMES: &str = "resumes";

/// Bytes copied at a time.
const BLOCK: usize = 256 * 1024;

/// The folder that is served. Every path is resolved below it by the kernel, links included.
#[derive(Debug)]
pub struct Root(Dir);

impl Root {
    /// Opens the folder to serve.
    ///
    /// # Errors
    /// Where it is not a folder or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Dir::open_ambient_dir(path, ambient_authority());
        Ok(Self(folder.with_context(|| format!("opening catalogue {}", path.display()))?))
    }

    /// Opens one file for a client. The error is what the client is told.
    fn file(&self, path: &str) -> Result<File, &'static str> {
        const NOT_FOUND: &str = "file not found";
        let path = path.strip_prefix('/').unwrap_or(path).parse::<RelativePath>().map_err(|_| NOT_FOUND)?;
        // What begins with a dot is a publisher's lock or unfinished file.
        if path.as_str().split('/').any(|part| part.starts_with('.')) {
            return Err(NOT_FOUND);
        }
        // Non-blocking: a pipe without a writer would hold the session for ever.
        let file = self.0.open_with(path.as_str(), OpenOptions::new().read(true).nonblock(true));
        let file = file.map_err(|_| NOT_FOUND)?.into_std();
        match file.metadata() {
            Ok(found) if found.is_file() => Ok(file),
            Ok(_) => Err("not a file"),
            Err(_) => Err(NOT_FOUND),
        }
    }
}

/// Greets, and answers requests until the client says `quit` or goes away.
///
/// # Errors
/// Where the connection breaks, a request has no end, or a file turns out shorter than was announced; the session
/// must end then.
pub fn serve(root: &Root, mut reader: impl BufRead, mut writer: impl Write) -> Result<()> {
    send(&mut writer, &format!(concat!("ok: apiary.bhyve ", env!("CARGO_PKG_VERSION"), " {}"), RESUMES))?;
    loop {
        let mut line = Vec::new();
        match reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error).context("waiting for a request"),
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LINE_LIMIT {
            send(&mut writer, "ko: line too long")?;
            ensure!(false, "reading a request: it is longer than {LINE_LIMIT} bytes");
        }
        let line = String::from_utf8_lossy(&line);
        match line.trim_end_matches(['\n', '\r']) {
            "quit" => return Ok(()),
            request => answer(root, request, &mut writer)?,
        }
    }
}

fn answer(root: &Root, request: &str, writer: &mut impl Write) -> Result<()> {
    let wanted = match Wanted::parse(request) {
        Ok(wanted) => wanted,
        Err(refusal) => return send(writer, &format!("ko: {refusal}")),
    };
    let mut file = match root.file(wanted.path) {
        Ok(file) => file,
        Err(refusal) => return send(writer, &format!("ko: {refusal}")),
    };
    let doing = || format!("sending {}", wanted.path);
    let found = file.metadata().with_context(doing)?;
    let modified = found.modified().with_context(doing)?.duration_since(UNIX_EPOCH);
    if modified.map_or(0, |age| age.as_secs()) <= wanted.age {
        return send(writer, "ok: 0");
    }
    let rest = found.len().saturating_sub(wanted.from);
    file.seek(SeekFrom::Start(wanted.from)).with_context(doing)?;
    send(writer, &format!("ok: {rest}"))?;
    let sent = copy(file.take(rest), writer).with_context(doing)?;
    ensure!(sent == rest, "{}: {rest} bytes were announced, {sent} are left", doing());
    Ok(())
}

fn send(writer: &mut impl Write, line: &str) -> Result<()> {
    writer
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| writer.flush())
        .context("answering the client")
}

fn copy(mut from: impl Read, to: &mut impl Write) -> std::io::Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut copied = 0;
    loop {
        match from.read(&mut block) {
            Ok(0) => break,
            Ok(length) => {
                to.write_all(&block[..length])?;
                copied += length as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    to.flush()?;
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::{Duration, SystemTime};
    use tempfile::TempDir;

    const GREETING: &str = concat!("ok: apiary.bhyve ", env!("CARGO_PKG_VERSION"), " resumes\n");

    fn catalogue() -> TempDir {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        fs::create_dir_all(at("root/All")).unwrap();
        fs::create_dir(at("root-evil")).unwrap();
        for name in ["root/data.pkg", "root/All/a~b+c.pkg", "root-evil/x", "root/.new-abc-data.pkg"] {
            fs::write(at(name), name).unwrap();
        }
        for (link, to) in [
            ("root/inside", "All/a~b+c.pkg"),
            ("root/around", "All/../data.pkg"),
            ("root/outside", "../root-evil/x"),
            ("root/absolute", "/etc/passwd"),
            ("root/folder", "../root-evil"),
            ("root/loop", "loop"),
        ] {
            symlink(to, at(link)).unwrap();
        }
        nix::unistd::mkfifo(&at("root/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        File::options().write(true).open(at("root/data.pkg")).unwrap().set_modified(old).unwrap();
        top
    }

    fn session(top: &TempDir, said: &str) -> (String, Result<()>) {
        let root = Root::open(&top.path().join("root")).unwrap();
        let mut answers = Vec::new();
        let ended = serve(&root, said.as_bytes(), &mut answers);
        let answers = String::from_utf8(answers).unwrap();
        (answers.strip_prefix(GREETING).unwrap().to_owned(), ended)
    }

    #[test]
    fn requests_and_answers() {
        let top = catalogue();
        let table = [
            ("get data.pkg 0", "ok: 13\nroot/data.pkg"),
            ("get /data.pkg 999", "ok: 13\nroot/data.pkg"),
            ("get data.pkg 1000", "ok: 0\n"),
            ("get data.pkg 9223372036854775807", "ok: 0\n"),
            ("get All/a~b+c.pkg 0", "ok: 18\nroot/All/a~b+c.pkg"),
            ("get inside 0", "ok: 18\nroot/All/a~b+c.pkg"),
            ("get around 0", "ok: 13\nroot/data.pkg"),
            ("get nothing 0", "ko: file not found\n"),
            ("get All 0", "ko: not a file\n"),
            ("get pipe 0", "ko: not a file\n"),
            ("", "ko: unknown command ''\n"),
            ("QUIT", "ko: unknown command 'QUIT'\n"),
            ("get", "ko: unknown command 'get'\n"),
            ("get data.pkg", "ko: bad command get, expecting 'get file age'\n"),
            ("get data.pkg ", "ko: bad number : invalid\n"),
            ("get data.pkg x", "ko: bad number x: invalid\n"),
            ("get data.pkg -1", "ko: bad number -1: too small\n"),
            ("get data.pkg 9223372036854775808", "ko: bad number 9223372036854775808: too large\n"),
            ("get data pkg 0", "ko: bad number pkg: invalid\n"),
            ("get data.pkg 0 0", "ok: 13\nroot/data.pkg"),
            ("get data.pkg 0 5", "ok: 8\ndata.pkg"),
            ("get data.pkg 0 13", "ok: 0\n"),
            ("get data.pkg 0 99", "ok: 0\n"),
            ("get data.pkg 0 -1", "ko: bad number -1: too small\n"),
            ("get data.pkg 0 1 2", "ko: bad number 1 2: invalid\n"),
        ];
        for (request, expected) in table {
            let (answers, ended) = session(&top, &format!("{request}\nquit\nget data.pkg 0\n"));
            ended.unwrap();
            assert_eq!(answers, expected, "{request}");
        }
    }

    #[test]
    fn no_path_leads_out() {
        let top = catalogue();
        let evil = format!("{}/root-evil/x", top.path().display());
        let out = [
            "../root-evil/x",
            "..",
            ".",
            "",
            "/",
            "//etc/passwd",
            "/etc/passwd",
            "All/../../root-evil/x",
            "All/../data.pkg",
            "./data.pkg",
            "outside",
            "absolute",
            "folder/x",
            "loop",
            ".new-abc-data.pkg",
            "data.pkg/",
            "data.pkg/..",
            "%2e%2e/root-evil/x",
            "..\\root-evil\\x",
            "data.pkg\0",
            "/proc/self/environ",
            evil.as_str(),
        ];
        for path in out {
            let (answers, ended) = session(&top, &format!("get {path} 0\nquit\n"));
            ended.unwrap();
            assert_eq!(answers, "ko: file not found\n", "{path:?}");
        }
    }

    #[test]
    fn a_client_may_ask_ahead_and_leave() {
        let top = catalogue();
        let (answers, ended) = session(&top, "get data.pkg 0\r\nget nothing 0\nget inside 0");
        ended.unwrap();
        assert_eq!(answers, "ok: 13\nroot/data.pkgko: file not found\nok: 18\nroot/All/a~b+c.pkg");
    }

    #[test]
    fn a_request_without_end_ends_the_session() {
        let top = catalogue();
        let (answers, ended) = session(&top, &"get ".repeat(100_000));
        assert_eq!(answers, "ko: line too long\n");
        assert_eq!(ended.unwrap_err().to_string(), "reading a request: it is longer than 4096 bytes");
    }

    #[test]
    fn a_missing_folder_is_no_session() {
        let top = catalogue();
        let path = top.path().join("root/data.pkg");
        let error = Root::open(&path).unwrap_err().to_string();
        assert_eq!(error, format!("opening catalogue {}", path.display()));
    }
}

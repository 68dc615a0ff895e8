// SPDX-License-Identifier: GPL-3.0-or-later

//! What a guest writes on its console: from the log that libvirt keeps, from a bhyve null-modem device, or from a stream.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow};
use nix::fcntl::OFlag;
use nix::sys::termios::{FlushArg, SetArg, cfmakeraw, tcflush, tcgetattr, tcsetattr};
use roxmltree::Document;
use virt::stream::Stream;

use crate::document::{child, children};
use crate::errors::explained;
use crate::hypervisor::Hypervisor;
use crate::last_lines::{TAIL, last_lines};
use crate::names::{ConnectUri, DomainName};

/// Most pieces read in one look, and kept of a stream; a guest that never stops talking must not hold up the time limit.
const PIECES: usize = 256;

/// Where a domain's console can be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A file that libvirt writes; it is emptied at each start unless `append`.
    Log {
        /// Its name.
        path: PathBuf,
        /// Whether it keeps what earlier starts wrote.
        append: bool,
    },
    /// The guest's end of a null-modem device.
    NullModem(PathBuf),
    /// A stream through libvirt, without history.
    Stream,
}

impl Place {
    /// Reads it off the domain's XML.
    pub(crate) fn find(xml: &str, uri: &ConnectUri) -> Result<Self> {
        let document = Document::parse(xml).context("reading libvirt's XML of the domain")?;
        let devices = child(document.root_element(), "devices");
        let ports = devices.into_iter().flat_map(|devices| {
            children(devices, "serial").chain(children(devices, "console")).collect::<Vec<_>>()
        });
        for port in ports.filter(|_| uri.is_this_machine()) {
            // bhyve's driver takes a log in the definition, and writes none.
            let log = child(port, "log").filter(|_| uri.driver() != "bhyve");
            if let Some((log, file)) = log.and_then(|log| Some((log, log.attribute("file")?))) {
                return Ok(Place::Log { path: file.into(), append: log.attribute("append") == Some("on") });
            }
            let source = child(port, "source");
            if let Some(slave) =
                source.filter(|_| port.attribute("type") == Some("nmdm")).and_then(|s| s.attribute("slave"))
            {
                return Ok(Place::NullModem(slave.into()));
            }
        }
        Ok(Place::Stream)
    }
}

/// A console being read.
pub(crate) struct Console {
    source: Source,
    tail: Vec<u8>,
}

enum Source {
    Log { path: PathBuf, offset: u64 },
    Terminal(File),
    Stream(Receiver<Result<Vec<u8>>>),
}

impl Console {
    /// The console of a domain that is about to start. A stream is opened once the domain is there, by
    /// [`Console::stream`].
    pub(crate) fn from_start(place: Place) -> Result<Option<Self>> {
        let log_from = Self::log_from(&place);
        let source = match place {
            // It is emptied by the start, or begins where it ends now.
            Place::Log { path, .. } => Source::Log { path, offset: log_from.unwrap_or(0) },
            Place::NullModem(path) => Source::Terminal(open_emptied(&path)?),
            Place::Stream => return Ok(None),
        };
        Ok(Some(Self { source, tail: Vec::new() }))
    }

    /// The console of a domain that runs already, with what it wrote since it was started, where that can still be read.
    /// In a log that keeps what earlier starts wrote, that begins at `log_from`.
    pub(crate) fn with_history(place: Place, log_from: Option<u64>) -> Option<Self> {
        match place {
            Place::Log { path, append } => {
                let offset = if append { log_from? } else { 0 };
                Some(Self { source: Source::Log { path, offset }, tail: Vec::new() })
            }
            Place::NullModem(_) | Place::Stream => None,
        }
    }

    /// Whether it tells everything, whoever else has read it.
    pub(crate) fn keeps_history(&self) -> bool {
        matches!(self.source, Source::Log { .. })
    }

    /// Where the instance about to start begins, in a log that keeps what earlier ones wrote.
    pub(crate) fn log_from(place: &Place) -> Option<u64> {
        match place {
            Place::Log { path, append: true } => Some(path.metadata().map_or(0, |metadata| metadata.len())),
            _ => None,
        }
    }

    /// The console as a stream, on a connection of its own so that its blocking calls hold nobody up.
    pub(crate) fn stream(uri: &ConnectUri, name: &DomainName) -> Result<Self> {
        let (sender, receiver) = sync_channel(PIECES);
        let (uri, name) = (uri.clone(), name.clone());
        // It ends with the process at the latest: libvirt has no way to wait for a stream with a time limit.
        thread::spawn(move || {
            if let Err(error) = pass_on(&uri, &name, &sender) {
                // Nobody listens any more when the wait is over.
                let _ = sender.send(Err(error));
            }
        });
        // The first message tells that the stream is open.
        receiver.recv().context("opening the console")?.context("opening the console")?;
        Ok(Self { source: Source::Stream(receiver), tail: Vec::new() })
    }

    /// Reads what has come since the last call; tells whether `text` has been on the console.
    pub(crate) fn has_shown(&mut self, text: &str) -> Result<bool> {
        for _ in 0..PIECES {
            let news = self.source.read()?;
            if news.is_empty() {
                break;
            }
            // A text may come in two pieces.
            let overlap = self.tail.len().saturating_sub(text.len());
            self.tail.extend_from_slice(&news);
            let found = self.tail[overlap..].windows(text.len()).any(|window| window == text.as_bytes());
            if found {
                return Ok(true);
            }
            self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        }
        Ok(false)
    }

    /// Reads what has come, for [`Console::last_lines`].
    pub(crate) fn catch_up(&mut self) -> Result<()> {
        for _ in 0..PIECES {
            let news = self.source.read()?;
            if news.is_empty() {
                break;
            }
            self.tail.extend_from_slice(&news);
            self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        }
        Ok(())
    }

    /// The last lines, on one line and without control characters.
    pub(crate) fn last_lines(&self) -> String {
        last_lines(String::from_utf8_lossy(&self.tail).lines())
    }
}

/// The last lines of a console, or why there are none, in the words of an error.
pub(crate) fn quoted(console: Option<&mut Console>) -> String {
    let Some(console) = console else { return "its console keeps no history".to_owned() };
    let trouble = console.catch_up().err().map(|error| format!(" ({error:#})"));
    format!("last lines of its console: {}{}", console.last_lines(), trouble.unwrap_or_default())
}

impl Source {
    /// What has come; nothing where nothing has.
    fn read(&mut self) -> Result<Vec<u8>> {
        match self {
            Source::Log { path, offset } => {
                read_log(path, offset).with_context(|| format!("reading console log {}", path.display()))
            }
            Source::Terminal(terminal) => {
                let mut buffer = [0; TAIL];
                match terminal.read(&mut buffer) {
                    Ok(length) => Ok(buffer[..length].to_vec()),
                    // The hypervisor does not have its end open yet, or no longer.
                    Err(error) if error.raw_os_error() == Some(nix::libc::EIO) => Ok(Vec::new()),
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                        Ok(Vec::new())
                    }
                    Err(error) => Err(error).context("reading the console device"),
                }
            }
            Source::Stream(receiver) => match receiver.try_recv() {
                Ok(news) => news.context("reading the console"),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => Ok(Vec::new()),
            },
        }
    }
}

fn read_log(path: &Path, offset: &mut u64) -> Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    // virtlogd begins a new file when one is full.
    if file.metadata()?.len() < *offset {
        *offset = 0;
    }
    file.seek(SeekFrom::Start(*offset))?;
    let mut news = Vec::new();
    *offset += file.take(64 << 10).read_to_end(&mut news)? as u64;
    Ok(news)
}

/// Opens a terminal and throws away what an earlier instance wrote and nobody has read.
fn open_emptied(path: &Path) -> Result<File> {
    let terminal = open_terminal(path)?;
    tcflush(&terminal, FlushArg::TCIFLUSH).with_context(|| format!("emptying console {}", path.display()))?;
    Ok(terminal)
}

/// Opens a terminal for reading, without becoming its session's and without echoing the guest's words back to it.
fn open_terminal(path: &Path) -> Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let doing = || format!("opening console {}", path.display());
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags.bits())
        .open(path)
        .with_context(doing)?;
    let mut settings = tcgetattr(&terminal).with_context(doing)?;
    cfmakeraw(&mut settings);
    tcsetattr(&terminal, SetArg::TCSANOW, &settings).with_context(doing)?;
    Ok(terminal)
}

/// Opens the console's stream, says so with an empty message, and passes on what comes.
fn pass_on(uri: &ConnectUri, name: &DomainName, to: &SyncSender<Result<Vec<u8>>>) -> Result<()> {
    let hypervisor = Hypervisor::open(uri)?;
    let guest = hypervisor.guest(name)?.ok_or_else(|| anyhow!("domain {name} is gone"))?;
    let stream =
        Stream::new(hypervisor.connection(), 0).map_err(|error| explained(&error, "making a stream"))?;
    guest.open_console(&stream)?;
    let mut buffer = vec![0; TAIL];
    let mut length = 0;
    while to.send(Ok(buffer[..length].to_vec())).is_ok() {
        let received = stream.recv(&mut buffer).map_err(|error| explained(&error, "receiving"))?;
        match usize::try_from(received) {
            Ok(received) if received > 0 => length = received,
            _ => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

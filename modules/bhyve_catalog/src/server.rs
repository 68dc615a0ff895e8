// SPDX-License-Identifier: GPL-3.0-or-later

//! `bhyve_catalog_server FOLDER`: what an account of catalogue clients runs instead of a shell. Speaks the protocol of
//! `pkg ssh` on standard input and output, shows the files below FOLDER and does nothing else, whatever was asked for.

use std::ffi::OsString;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use image_catalog::serve::{Root, serve};
use nix::unistd::alarm;

/// Seconds after which a session in which nothing moves is ended, by the kernel.
const IDLE: u32 = 600;

/// The program, with the words of this process's command line.
pub fn server() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard output belongs to the protocol. Nobody may be left to read this.
            let _ = writeln!(io::stderr(), "bhyve_catalog_server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: Vec<OsString>) -> Result<()> {
    let [folder] = words.as_slice() else {
        bail!(
            "usage: bhyve_catalog_server FOLDER, as forced command of an account: command=\"... FOLDER\",restrict"
        );
    };
    let folder = Path::new(folder);
    if !folder.is_absolute() {
        bail!("the folder to serve is {}, expected an absolute path", folder.display());
    }
    if io::stdin().is_terminal() {
        bail!("this account serves a catalogue to programs: there is nothing to type here");
    }
    serve(&Root::open(folder)?, BufReader::new(Hurried(io::stdin().lock())), Hurried(io::stdout().lock()))
}

/// One end of the session: each step has [`IDLE`] seconds.
struct Hurried<T>(T);

impl<T: Read> Read for Hurried<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        alarm::set(IDLE);
        self.0.read(buffer)
    }
}

impl<T: Write> Write for Hurried<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        alarm::set(IDLE);
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

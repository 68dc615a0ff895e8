// SPDX-License-Identifier: GPL-3.0-or-later

//! A catalogue on a web server.

mod answer;
mod body;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{Opened, Pace, Transport, shown};
use crate::path::RelativePath;
use answer::{Answer, Range};
use body::Body;

/// How far a server may send us on.
const REDIRECTS: u32 = 5;

/// How often a server that is busy is asked again.
const BUSY: u32 = 3;

/// How a web server is talked to.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// A PEM file with the authorities to trust instead of the host's own.
    pub ca_path: Option<PathBuf>,
    /// How slow the server may be.
    pub pace: Pace,
    /// How long to wait before a broken transfer is taken up again.
    pub pause: Duration,
}

/// A catalogue below one URL. Proxies are taken from the environment, as usual (`https_proxy`, `no_proxy`).
#[derive(Debug)]
pub struct Http {
    agent: ureq::Agent,
    base: String,
    options: HttpOptions,
}

impl Http {
    /// The catalogue below `base`, which has no `/` at its end.
    ///
    /// # Errors
    /// Where `https` is asked for and no authority to trust is found.
    pub fn new(base: String, options: HttpOptions) -> Result<Self> {
        let roots = trusted_roots(options.ca_path.as_deref())?;
        ensure!(
            !roots.is_empty() || !base.starts_with("https:"),
            "connecting to {}: this host trusts no certificate authority; \
             install its bundle (ca-certificates, ca_root_nss) or set ca_path",
            shown(&base)
        );
        let patience = Some(options.pace.patience);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(REDIRECTS)
            // Where https was asked for, nobody sends us on to something else.
            .https_only(base.starts_with("https:"))
            .accept_encoding("identity")
            .user_agent("apiary.bhyve")
            .timeout_resolve(patience)
            .timeout_connect(patience)
            .timeout_send_request(patience)
            .timeout_recv_response(patience)
            .timeout_per_read(patience)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build());
        Ok(Self { agent: config.build().into(), base, options })
    }

    /// Opens the file at `url`, which need not be below the base, from its start.
    ///
    /// # Errors
    /// As [`Transport::open`].
    pub fn open_url(&self, url: &str) -> Result<Option<Opened<'_>>> {
        self.open_from(url, 0)
    }

    fn open_from(&self, url: &str, from: u64) -> Result<Option<Opened<'_>>> {
        let range = (from > 0).then_some(Range { from, validator: None });
        let mut answer = self.get(url, range.as_ref())?;
        if from > 0 && matches!(answer, Answer::Beyond) {
            answer = self.get(url, None)?;
        }
        match answer {
            Answer::Missing => Ok(None),
            Answer::Beyond => bail!("asking for {}: it refuses to send any part of it", shown(url)),
            Answer::Bytes(bytes) => {
                ensure!(
                    bytes.start == 0 || bytes.start == from,
                    "asking for {}: asked for byte {from} on, it sends from byte {}",
                    shown(url),
                    bytes.start
                );
                let (start, size) = (bytes.start, bytes.size);
                let body = Box::new(Body::new(self, url.to_owned(), bytes));
                Ok(Some(Opened { body, start, size }))
            }
        }
    }

    /// Asks for a file: all of it, or the rest from where `range` begins. A server that is busy is asked again.
    fn get(&self, url: &str, range: Option<&Range>) -> Result<Answer> {
        let asking = || format!("asking for {}", shown(url));
        for _ in 0..BUSY {
            if let Some(answer) =
                Answer::judge(self.ask(url, range).with_context(asking)?).with_context(asking)?
            {
                return Ok(answer);
            }
            thread::sleep(self.options.pause);
        }
        let response = self.ask(url, range).with_context(asking)?;
        let status = response.status();
        match Answer::judge(response).with_context(asking)? {
            Some(answer) => Ok(answer),
            None => bail!("{}: the server answered {status}, {} times", asking(), BUSY + 1),
        }
    }

    fn ask(&self, url: &str, range: Option<&Range>) -> Result<Response<ureq::Body>> {
        let mut request = self.agent.get(url);
        if let Some(range) = range {
            request = request.header("Range", format!("bytes={}-", range.from));
            if let Some(validator) = &range.validator {
                request = request.header("If-Range", validator);
            }
        }
        request.call().map_err(explained)
    }
}

impl Transport for Http {
    fn open(&mut self, path: &RelativePath, from: u64) -> Result<Option<Opened<'_>>> {
        self.open_from(&format!("{}/{path}", self.base), from)
    }

    fn place(&self) -> String {
        self.base.clone()
    }
}

/// The place that we were sent on to stays unnamed: it may hold a secret.
fn explained(error: ureq::Error) -> anyhow::Error {
    match error {
        ureq::Error::RequireHttpsOnly(_) => {
            anyhow!("the server sends us on to a place without https; let it answer itself, or by https")
        }
        error => error.into(),
    }
}

/// The authorities of `file`, or those of the host.
fn trusted_roots(file: Option<&Path>) -> Result<Vec<Certificate<'static>>> {
    let found = match file {
        Some(file) => {
            let found = rustls_native_certs::load_certs_from_paths(Some(file), None);
            if let Some(error) = found.errors.into_iter().next() {
                return Err(error).with_context(|| format!("reading certificates from {}", file.display()));
            }
            ensure!(!found.certs.is_empty(), "reading certificates from {}: found none", file.display());
            found.certs
        }
        // One unreadable file among the host's many is not a reason to stop.
        None => rustls_native_certs::load_native_certs().certs,
    };
    Ok(found.iter().map(|der| Certificate::from_der(der).to_owned()).collect())
}

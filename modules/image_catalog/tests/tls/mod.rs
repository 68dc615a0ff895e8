// SPDX-License-Identifier: GPL-3.0-or-later

//! A web server with a certificate of its own making.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use test_support::web::{Request, Stream, WebServer};

/// A certificate that vouches for itself, in files that openssl has made.
pub struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    /// An authority for `name`.
    pub fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "openssl, whose output nobody reads")]
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args([
                "-days",
                "2",
                "-subj",
                &format!("/CN={name}"),
                "-addext",
                &format!("subjectAltName=DNS:{name}"),
            ])
            .args(["-addext", "basicConstraints=critical,CA:false", "-keyout"])
            .arg(folder.path().join("key"))
            .arg("-out")
            .arg(folder.path().join("certificate"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder }
    }

    /// The certificate.
    pub fn certificate(&self) -> PathBuf {
        self.at("certificate").to_owned()
    }

    fn at(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    /// Starts a server that shows this certificate.
    pub fn serve(&self, answer: impl Fn(&Request, &mut dyn Stream) + Send + Sync + 'static) -> WebServer {
        let certificate = CertificateDer::from_pem_file(self.certificate()).unwrap();
        let key = PrivateKeyDer::from_pem_file(self.at("key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let accept = move |stream: TcpStream| -> Box<dyn Stream> {
            Box::new(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream))
        };
        WebServer::start_with("https", accept, answer)
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! A real sshd on loopback whose one account may run nothing but our server.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use test_support::wait_for;

/// The repository of the fixtures that is served.
pub fn fixture() -> PathBuf {
    test_support::fixture("pkg-repos")
}

/// An sshd that ends with this value.
pub struct Sshd {
    /// Keys, the folder that is served, and a neighbour that is not.
    pub folder: TempDir,
    /// Where it listens.
    pub port: u16,
    daemon: Child,
}

impl Sshd {
    /// Starts it; `more` are further lines of its configuration.
    pub fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for key in ["host", "client", "stranger"] {
            let key = at(key).display().to_string();
            let made = program("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status();
            assert!(made.unwrap().success());
        }
        fs::create_dir(at("served")).unwrap();
        for neighbour in ["served-evil", "home"] {
            fs::create_dir(at(neighbour)).unwrap();
            fs::write(at(neighbour).join("secret"), "secret").unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let client = fs::read_to_string(at("client.pub")).unwrap();
        let server = test_support::program!("bhyve_catalog_server");
        let keys = format!("command=\"{server} {}\",restrict {client}", at("served").display());
        fs::write(at("authorized_keys"), keys).unwrap();
        let host = fs::read_to_string(at("host.pub")).unwrap();
        fs::write(at("known_hosts"), format!("[127.0.0.1]:{port} {host}")).unwrap();
        let home = folder.path().display();
        let configuration = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {home}/authorized_keys\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin forced-commands-only\nSubsystem sftp internal-sftp\n\
             {more}\n"
        );
        fs::write(at("sshd_config"), configuration).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Where root's sshd locks its unprivileged half in; usually the system's service manager makes it.
        let _ = fs::create_dir_all("/run/sshd");
        let daemon = program("sshd")
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stderr(fs::File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let mut sshd = Self { folder, port, daemon };
        wait_for("sshd to listen", 30, || {
            let log = fs::read_to_string(sshd.at("log")).unwrap();
            let ended = sshd.daemon.try_wait().unwrap();
            assert!(ended.is_none(), "sshd has ended: {log}");
            TcpStream::connect(("127.0.0.1", port)).map_err(|error| (error, log))
        });
        sshd
    }

    /// A path in its folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// ssh to the account with one of the keys, before any words of a command.
    pub fn ssh(&self, key: &str) -> Command {
        let mut ssh = program("ssh");
        ssh.args(["-F", "none", "-e", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"])
            .args(["-p", &self.port.to_string()])
            .arg("-i")
            .arg(self.at(key))
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", self.at("known_hosts").display()))
            .stdin(Stdio::null());
        ssh
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A program of the host by its absolute path, which sshd insists on.
pub fn program(name: &str) -> Command {
    let path = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"]
        .map(|folder| Path::new(folder).join(name));
    let path = path.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("{name} is not installed"));
    #[expect(clippy::disallowed_methods, reason = "a test starts real programs with plain pipes")]
    Command::new(path)
}

/// The account that the tests run as.
pub fn account() -> String {
    String::from_utf8(program("id").arg("-un").output().unwrap().stdout).unwrap().trim().to_owned()
}

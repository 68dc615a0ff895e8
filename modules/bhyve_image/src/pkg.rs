// SPDX-License-Identifier: GPL-3.0-or-later

//! pkg(8): which repositories a host is configured for. Fetching is left to our own reader, because pkg takes a wrong
//! signature, a corrupt cached package and an older date with exit status 0, and waits for ever for an oversized file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ansible_module::Tool;
use anyhow::{Context, Result, bail, ensure};
use image_catalog::signature::SignatureType;
use image_catalog::transport::Location;

use crate::access::{Access, TrustOptions};

/// pkg reads a few files.
const LIMIT: Duration = Duration::from_secs(60);

/// The words of a repository's configuration, as pkg shows them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Configuration {
    values: BTreeMap<String, String>,
    ssh_args: Vec<String>,
}

/// Completes `access` for the repository called `name` from pkg's own configuration.
///
/// # Errors
/// Where pkg is missing or fails, does not know the repository, or describes one that cannot be used.
pub fn configured(name: &str, access: &Access) -> Result<Access> {
    let doing = || format!("reading the configuration of pkg(8) for repository {name}");
    let finished = Tool::find("pkg")
        .and_then(|pkg| pkg.command().env("ASSUME_ALWAYS_YES", "no").arg("-vv").time_limit(LIMIT).run())
        .with_context(doing)?;
    let configuration = parse(&finished.stdout, name).with_context(doing)?;
    complete(configuration, access).with_context(doing)
}

fn complete(configuration: Configuration, access: &Access) -> Result<Access> {
    let value = |key: &str| configuration.values.get(key).map(String::as_str);
    ensure!(value("enabled") != Some("no"), "it is disabled there");
    let mirrors = value("mirror_type").unwrap_or("NONE");
    ensure!(
        mirrors.eq_ignore_ascii_case("none"),
        "it has mirror_type {mirrors}, expected NONE; name the URL of one server instead"
    );
    let url = value("url").context("pkg shows no url for it")?;
    let location = Location::try_from(url.strip_prefix("pkg+").unwrap_or(url).to_owned())?;
    ensure!(!matches!(location, Location::Configured(_)), "its url is {url:?}");
    let signature_type = match value("signature_type").unwrap_or("NONE").to_ascii_uppercase().as_str() {
        "PUBKEY" => SignatureType::Pubkey,
        "FINGERPRINTS" => SignatureType::Fingerprints,
        "NONE" if access.trust.signature_type == SignatureType::None => SignatureType::None,
        "NONE" => bail!("it is not signed there; signature_type none takes it even so"),
        other => bail!("it has the unknown signature_type {other}"),
    };
    let mut ssh = access.ssh.clone();
    ssh.args.extend(configuration.ssh_args.iter().cloned());
    let trust = TrustOptions {
        signature_type,
        pubkey: value("pubkey").map(PathBuf::from),
        fingerprints: value("fingerprints").map(PathBuf::from),
    };
    Ok(Access { location, trust, ssh, ..access.clone() })
}

/// Reads the output of `pkg -vv`: `KEY = "VALUE";` for each option, then, after `Repositories:`, one block of
/// `KEY : "VALUE",` lines for each repository (pkg 1.17 to 2.8, by its source).
fn parse(output: &str, name: &str) -> Result<Configuration> {
    let mut configuration = Configuration::default();
    let (options, repositories) =
        output.split_once("\nRepositories:").context("pkg -vv shows no repositories")?;
    let args = options.lines().find_map(|line| line.strip_prefix("PKG_SSH_ARGS = "));
    configuration.ssh_args =
        args.map(unquoted).unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let mut names = Vec::new();
    let mut lines = repositories.lines().map(str::trim).filter(|line| !line.is_empty());
    while let Some(line) = lines.next() {
        let found = line.strip_suffix('{').and_then(|line| line.trim_end().strip_suffix(':'));
        let found = found.with_context(|| format!("expected a repository, found the line {line:?}"))?;
        names.push(found);
        for line in lines.by_ref().take_while(|line| *line != "}") {
            let (key, value) =
                line.split_once(':').with_context(|| format!("expected key and value, found {line:?}"))?;
            if found == name {
                configuration.values.insert(key.trim().to_owned(), unquoted(value).to_owned());
            }
        }
    }
    ensure!(
        names.contains(&name),
        "it knows {}",
        if names.is_empty() { "none".into() } else { names.join(", ") }
    );
    Ok(configuration)
}

fn unquoted(value: &str) -> &str {
    let value = value.trim().trim_end_matches([',', ';']);
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Composed after `show_config` and `print_repository` of pkg's source, not captured.
    const OUTPUT: &str = "\
Version                 : 2.8.4
PKG_DBDIR = \"/var/db/pkg\";
PKG_SSH_ARGS = \"-i /root/.ssh/images\";
PKG_ENV {
}

Repositories:
  FreeBSD: { 
    url             : \"pkg+https://pkg.FreeBSD.org/FreeBSD:14:amd64/quarterly\",
    enabled         : yes,
    priority        : 0,
    mirror_type     : \"SRV\",
    signature_type  : \"FINGERPRINTS\",
    fingerprints    : \"/usr/share/keys/pkg\"
  }
  images: { 
    url             : \"ssh://images@repo.example.org/images\",
    enabled         : yes,
    priority        : 0,
    signature_type  : \"PUBKEY\",
    pubkey          : \"/usr/local/etc/apiary/images.pub\"
  }
";

    #[test]
    fn a_repository_is_found_in_the_output() {
        let images = parse(OUTPUT, "images").unwrap();
        assert_eq!(images.values["url"], "ssh://images@repo.example.org/images");
        assert_eq!(images.values["pubkey"], "/usr/local/etc/apiary/images.pub");
        assert_eq!(images.values.get("fingerprints"), None);
        assert_eq!(images.ssh_args, ["-i", "/root/.ssh/images"]);
        for (output, why) in [
            (OUTPUT, "it knows FreeBSD, images"),
            ("PKG = 1;\n\nRepositories:\n", "it knows none"),
            ("pkg: no", "pkg -vv shows no repositories"),
            ("\nRepositories:\n x\n", "expected a repository, found the line \"x\""),
            ("\nRepositories:\n x: {\n y\n }", "expected key and value, found \"y\""),
        ] {
            assert_eq!(parse(output, "other").unwrap_err().to_string(), why);
        }
    }
}

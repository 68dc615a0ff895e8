// SPDX-License-Identifier: GPL-3.0-or-later

//! The page for people, `index.html`: every image with what one needs to choose and deploy it. It stands alone, asks
//! nothing of other servers, and is the same for the same catalogue.

mod guest;
mod hosts;

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use image_catalog::facts::ImageFacts;
use image_catalog::manifest::Manifest;
use image_catalog::name::ImageId;

pub use hosts::Proof;

use crate::dates::date_of;

/// The page's file.
pub const PAGE: &str = "index.html";

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

struct Image<'a> {
    id: ImageId,
    manifest: &'a Manifest,
    facts: ImageFacts,
}

/// Renders the page of a catalogue that lists these images, with what proves it genuine.
pub fn render(manifests: &[&Manifest], proof: &Proof) -> Result<String> {
    let mut by_name: BTreeMap<String, Vec<Image<'_>>> = BTreeMap::new();
    for manifest in manifests {
        let (id, facts) = (manifest.id()?, ImageFacts::from_annotations(&manifest.annotations)?);
        by_name.entry(id.name.to_string()).or_default().push(Image { id, manifest, facts });
    }
    let bytes: u64 = manifests.iter().filter_map(|manifest| manifest.pkgsize).sum();
    let mut cards = String::new();
    for versions in by_name.values_mut() {
        versions.sort_by(|a, b| b.id.version.compare(&a.id.version));
        card(&mut cards, versions)?;
    }
    if manifests.is_empty() {
        cards.push_str("<p class=\"empty\">No image has been published yet.</p>\n");
    }
    let signed = match proof.fingerprint() {
        Some(fingerprint) => format!("signed by <code>{}</code>", &fingerprint.as_str()[..16]),
        None => "<strong>not signed</strong>".to_owned(),
    };
    let count = match manifests.len() {
        1 => "1 image".to_owned(),
        count => format!("{count} images"),
    };
    Ok(format!(
        r##"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>Image catalogue</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>Image catalogue</h1>
<p>{count}, {size}, {signed}</p>
{hosts}<input id="filter" type="search" placeholder="Filter by name, system, label" aria-label="Filter images" hidden>
</header>
<main>
{cards}</main>
<script>
{SCRIPT}</script>
</body>
</html>
"##,
        size = human(bytes),
        hosts = hosts::section(proof)
    ))
}

/// All versions of one image: the newest in full, older ones to unfold.
fn card(page: &mut String, versions: &[Image<'_>]) -> Result<()> {
    let Some((newest, older)) = versions.split_first() else { return Ok(()) };
    writeln!(page, "<article data-words=\"{}\">", escape(&words(versions)))?;
    writeln!(page, "<h2>{}</h2>", escape(newest.id.name.as_str()))?;
    details(page, newest)?;
    if !older.is_empty() {
        let title = if older.len() == 1 {
            "1 older version".to_owned()
        } else {
            format!("{} older versions", older.len())
        };
        writeln!(page, "<details class=\"older\"><summary>{title}</summary>")?;
        for image in older {
            writeln!(page, "<section>")?;
            details(page, image)?;
            writeln!(page, "</section>")?;
        }
        writeln!(page, "</details>")?;
    }
    writeln!(page, "</article>")?;
    Ok(())
}

fn details(page: &mut String, image: &Image<'_>) -> Result<()> {
    let Image { id, manifest, facts } = image;
    let date =
        date_of(&id.version).map(|date| format!("<span class=\"date\">{date}</span>")).unwrap_or_default();
    writeln!(page, "<p class=\"version\"><strong>{}</strong>{date}</p>", escape(id.version.as_str()))?;
    writeln!(page, "<p class=\"comment\">{}</p>", escape(&manifest.comment))?;
    writeln!(page, "<dl>")?;
    let mut row = |name: &str, value: Option<String>| match value {
        Some(value) => writeln!(page, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value)),
        None => Ok(()),
    };
    row("System", facts.os.clone())?;
    row("Machines", facts.arch.map(|arch| arch.to_string()))?;
    row("Disk", Some(human(facts.volsize)))?;
    row("Package", manifest.pkgsize.map(human))?;
    row("Memory, at least", facts.min_memory.map(human))?;
    row("Loader", facts.loader.clone())?;
    row("Disk driver", facts.disk_driver.clone())?;
    row("Network driver", facts.network_driver.clone())?;
    row("Builds on", facts.parent.as_ref().map(ToString::to_string))?;
    for (key, value) in manifest.annotations.iter().filter(|(key, _)| !key.starts_with("image_")) {
        row(&escape(key), Some(value.clone()))?;
    }
    writeln!(page, "</dl>")?;
    writeln!(page, "<pre><code>{}</code></pre>", escape(&guest::entry(id, facts)))?;
    identity(page, image)
}

/// What one compares, and seldom reads.
fn identity(page: &mut String, image: &Image<'_>) -> Result<()> {
    let Image { manifest, facts, .. } = image;
    writeln!(page, "<details class=\"identity\"><summary>Checksum and identity</summary>\n<dl>")?;
    let path = manifest.path.as_ref().map(|path| format!("<a href=\"{0}\">{0}</a>", escape(path.as_str())));
    let rows = [
        ("Package", path),
        ("SHA-256 of the package", manifest.sum.as_ref().map(|sum| escape(&sum.to_string()))),
        ("SHA-256 of the stream", facts.sha256.as_ref().map(ToString::to_string)),
        ("Guid of the snapshot", Some(facts.guid.to_string())),
        ("Volume block size", Some(human(facts.volblocksize))),
    ];
    for (name, value) in rows {
        if let Some(value) = value {
            writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>")?;
        }
    }
    writeln!(page, "</dl>\n</details>")?;
    Ok(())
}

/// What the filter looks at.
fn words(versions: &[Image<'_>]) -> String {
    let mut words = Vec::new();
    for Image { id, manifest, .. } in versions {
        words.extend([id.to_string(), manifest.comment.clone()]);
        words.extend(
            manifest.annotations.iter().filter(|(key, _)| is_searched(key)).map(|(_, value)| value.clone()),
        );
    }
    words.sort();
    words.dedup();
    words.join(" ").to_lowercase()
}

fn is_searched(key: &str) -> bool {
    matches!(key, "image_os" | "image_arch" | "image_loader" | "image_disk_driver" | "image_network_driver")
        || !key.starts_with("image_")
}

fn human(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut unit = 0;
    let mut size = bytes as f64;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(size < 100.0 && size.fract() != 0.0);
    format!("{size:.digits$} {}", UNITS[unit])
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use image_catalog::digest::Sha256Hex;

    use super::*;

    fn manifest(name: &str, version: &str, comment: &str) -> Manifest {
        let json = format!(
            r#"{{"name":"{name}","origin":"o","version":"{version}","comment":{comment:?},"pkgsize":1536,"annotations":
            {{"image_format":"zfs-stream","image_guid":"7","image_volsize":"1073741824","image_volblocksize":"65536",
            "image_os":"<b>os</b>","te\"am":"a&b"}}}}"#
        );
        Manifest::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn everything_is_escaped() {
        let page = render(&[&manifest("demo", "1", "<script>alert(1)</script>")], &Proof::None).unwrap();
        assert_eq!(page.matches("<script>").count(), 1);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(
            page.contains("<dd>&lt;b&gt;os&lt;/b&gt;</dd>")
                && page.contains("<dt>te&quot;am</dt><dd>a&amp;b</dd>")
        );
    }

    #[test]
    fn the_newest_version_comes_first() {
        let manifests =
            [manifest("demo", "9", "nine"), manifest("demo", "10", "ten"), manifest("other", "1", "one")];
        let page = render(&manifests.each_ref(), &Proof::Key(Sha256Hex::of(b""))).unwrap();
        let place = |text: &str| page.find(text).unwrap();
        assert!(
            place("image: demo-10") < place("1 older version")
                && place("1 older version") < place("image: demo-9")
        );
        assert!(place("image: demo-9") < place("<h2>other</h2>"));
        assert!(page.contains("<p>3 images, 4.5 KiB, signed by <code>e3b0c44298fc1c14</code></p>"));
    }

    #[test]
    fn nothing_is_asked_of_other_servers() {
        let page = render(&[&manifest("demo", "1", "x")], &Proof::None).unwrap();
        // The ways to reach a catalogue are text.
        let rest =
            page.replace("<code>ssh://", "").replace("<code>https://", "").replace(">ssh://images@HOST<", "");
        assert!(!rest.contains("//"), "{rest}");
    }

    #[test]
    fn a_host_is_told_what_to_have() {
        let key = Sha256Hex::of(b"");
        let trusted = format!("function: sha256\nfingerprint: {key}");
        let cases = [
            (Proof::None, vec!["\nbhyve_catalog_signature_type: none<", "Nothing proves"]),
            (
                Proof::Key(key.clone()),
                vec!["\nbhyve_catalog_pubkey: /usr/local/etc/apiary/images.pub<", "public key"],
            ),
            (
                Proof::Fingerprint(key),
                vec![
                    "\nbhyve_catalog_signature_type: fingerprints\n",
                    "\nbhyve_catalog_fingerprints: /usr/local/etc/apiary/fingerprints<",
                    &trusted,
                ],
            ),
        ];
        for (proof, expected) in cases {
            let page = render(&[], &proof).unwrap();
            assert!(page.contains("bhyve_catalog: <span id=\"address\">"), "{page}");
            expected.iter().for_each(|part| assert!(page.contains(part), "{part}: {page}"));
        }
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (64 << 20, "64 MiB"),
            (20 << 30, "20 GiB"),
            (612_368_384, "584 MiB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}

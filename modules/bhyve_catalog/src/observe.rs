//! Reads the catalogue that is there, and the source of the image that is wanted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::time::UNIX_EPOCH;

use ansible_module::Task;
use anyhow::{Context, Result, bail, ensure};
use image_catalog::catalogue::Catalogue;
use image_catalog::catalogue_write::{PACKAGE_FOLDER, package_path};
use image_catalog::meta::{META_LIMIT, Meta, Source as CatalogueSource};
use image_catalog::name::ImageId;

use crate::look::{Seen, look};
use crate::page::{self, PAGE};
use crate::params::{Params, Wanted};
use crate::signing::Signer;

/// The largest page for people that is compared, in bytes.
const PAGE_LIMIT: u64 = 64 << 20;

/// What is there.
pub struct Observed {
    /// The catalogue; `None` where there is none yet.
    pub catalogue: Option<Catalogue>,
    /// Why the catalogue has to be written again even if its list stays the same.
    pub stale: Option<String>,
    /// The source of the image.
    pub source: Option<Seen>,
    /// Package files by their path in the catalogue, with their time in seconds since 1970.
    pub packages: BTreeMap<String, u64>,
}

/// Looks.
pub fn observe(params: &Params, wanted: &Wanted, signer: &Signer, task: &mut Task) -> Result<Observed> {
    let (catalogue, stale) = read_catalogue(&params.path, signer)?;
    let source = match wanted {
        Wanted::Present { id, source, .. } => Some(
            look(params, id, source, catalogue.as_ref(), task)
                .with_context(|| format!("looking at source {source}"))?,
        ),
        Wanted::Absent(_) | Wanted::Pruned(_) => None,
    };
    Ok(Observed { catalogue, stale, source, packages: package_files(&params.path)? })
}

fn read_catalogue(folder: &Path, signer: &Signer) -> Result<(Option<Catalogue>, Option<String>)> {
    let Some(text) = read_optional(&folder.join(Meta::path()), META_LIMIT)? else { return Ok((None, None)) };
    let [data, lines] = Meta::parse(&text)?.sources()?;
    if !folder.join(&data.path).exists() {
        // Publishing for the first time was cut short: nobody has seen an image of it.
        return Ok((None, None));
    }
    let (catalogue, mut stale) = read_signed(folder, &data, signer)?;
    match read_signed(folder, &lines, signer) {
        Ok((same, _)) if same.lists_the_same_as(&catalogue) => {}
        Ok(_) => stale = Some(format!("{} lists other packages than {}", lines.path, data.path)),
        Err(error) => stale = Some(format!("{error:#}")),
    }
    if read_optional(&folder.join("meta"), META_LIMIT)?.as_deref() != Some(&text) {
        stale = Some("meta differs from meta.conf".to_owned());
    }
    let manifests: Vec<_> = catalogue.images.iter().map(|image| &image.manifest).collect();
    let page = page::render(&manifests, signer.fingerprint()?.as_ref())?;
    if read_optional(&folder.join(PAGE), PAGE_LIMIT)?.as_deref() != Some(page.as_bytes()) {
        stale = stale.or_else(|| Some(format!("{PAGE} shows something else than what is listed")));
    }
    Ok((Some(catalogue), stale))
}

/// What is signed again has to be one's own, or that of the key used before.
fn read_signed(
    folder: &Path,
    source: &CatalogueSource,
    signer: &Signer,
) -> Result<(Catalogue, Option<String>)> {
    let path = folder.join(&source.path);
    let read = |trust| {
        let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        Catalogue::read(file, source, trust)
    };
    match (read(&signer.own), &signer.previous) {
        (Ok(catalogue), _) => Ok((catalogue, None)),
        (Err(_), Some(previous)) => Ok((read(previous)?, Some("it is signed with another key".to_owned()))),
        (Err(error), None) => Err(error).with_context(|| {
            format!(
                "{} is not signed as this run would sign it: if the key was changed, name the old one as pubkey",
                path.display()
            )
        }),
    }
}

fn read_optional(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let reading = || format!("reading {}", path.display());
    match fs::metadata(path) {
        Ok(found) => {
            ensure!(
                found.len() <= limit,
                "{}: it has {} bytes, expected at most {limit}",
                reading(),
                found.len()
            );
            Ok(Some(fs::read(path).with_context(reading)?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(reading),
    }
}

/// The files of the folder that this program writes packages to.
fn package_files(folder: &Path) -> Result<BTreeMap<String, u64>> {
    let all = folder.join(PACKAGE_FOLDER);
    let reading = || format!("reading folder {}", all.display());
    let entries = match fs::read_dir(&all) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error).with_context(reading),
    };
    let mut packages = BTreeMap::new();
    for entry in entries {
        let entry = entry.with_context(reading)?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("{}: a name in it is no UTF-8", reading())
        };
        let time = entry.metadata().and_then(|found| found.modified()).with_context(reading)?;
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        packages.insert(format!("{PACKAGE_FOLDER}/{name}"), seconds);
    }
    Ok(packages)
}

impl Observed {
    /// The package file that an image of this name would have.
    pub fn has_package_of(&self, id: &ImageId) -> bool {
        self.packages.contains_key(package_path(id).as_str())
    }
}

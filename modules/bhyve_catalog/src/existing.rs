// SPDX-License-Identifier: GPL-3.0-or-later

//! Reads the catalogue that is there: both its lists, and whether they, and the page for people, have to be written again.

use std::collections::HashSet;
use std::io::{Read, Seek};
use std::path::Path;

use ansible_module::open::open_file;
use anyhow::{Context, Result, ensure};
use image_catalog::catalogue::Catalogue;
use image_catalog::meta::{META_LIMIT, Meta, Source};
use image_catalog::signature::Trust;
use image_catalog::signs::{is_there, signs};

use crate::page::{self, PAGE};
use crate::signing::Signer;

/// The largest page for people that is compared, in bytes.
const PAGE_LIMIT: u64 = 64 << 20;

/// The catalogue that is there. Whatever says that there is one is read or refused: what was not read would be forgotten.
pub fn read_catalogue(folder: &Path, signer: &Signer) -> Result<(Option<Catalogue>, Option<String>)> {
    let signs = signs(folder)?;
    let refused = || {
        format!(
            "{} holds {}, and no catalogue can be read from that: restore what is missing, have `pkg repo` write it \
             anew, or take these files away to begin with an empty one",
            folder.display(),
            signs.join(", ")
        )
    };
    let Some(text) = read_optional(&folder.join(Meta::path()), META_LIMIT)? else {
        ensure!(signs.is_empty(), refused());
        return Ok((None, None));
    };
    let [data, lines] = Meta::parse(&text)?.sources()?;
    if !is_there(&folder.join(&data.path))? {
        if is_there(&folder.join(&lines.path))? {
            let (catalogue, _) = read_signed(folder, &lines, signer)?;
            return Ok((Some(catalogue), Some(format!("there is no {}", data.path))));
        }
        // Publishing for the first time was cut short: nobody has seen an image of it.
        ensure!(signs.iter().all(|sign| sign.starts_with("meta")), refused());
        return Ok((None, None));
    }
    let (mut catalogue, mut stale) = read_signed(folder, &data, signer)?;
    if let Some(reason) = join_second(&mut catalogue, folder, &lines, signer)? {
        stale = Some(reason);
    }
    if read_optional(&folder.join("meta"), META_LIMIT)?.as_deref() != Some(&text) {
        stale = Some("meta differs from meta.conf".to_owned());
    }
    let manifests: Vec<_> = catalogue.images.iter().map(|image| &image.manifest).collect();
    let page = page::render(&manifests, &signer.proof()?)?;
    if read_optional(&folder.join(PAGE), PAGE_LIMIT)?.as_deref() != Some(page.as_bytes()) {
        stale = stale.or_else(|| Some(format!("{PAGE} shows something else than what is listed")));
    }
    Ok((Some(catalogue), stale))
}

/// Why the second list, which older clients read, has to be written again. What it alone lists is listed in both from now on, as
/// after a run that was killed between them; one that is not ours, and lists more, is not ours to replace.
fn join_second(
    catalogue: &mut Catalogue,
    folder: &Path,
    lines: &Source,
    signer: &Signer,
) -> Result<Option<String>> {
    let path = folder.join(&lines.path);
    if !is_there(&path)? {
        return Ok(Some(format!("there is no {}", lines.path)));
    }
    open_file(&path)?;
    let error = match read_signed(folder, lines, signer) {
        Ok((second, _)) if second.lists_the_same_as(catalogue) => return Ok(None),
        Ok((second, _)) => {
            take_over(catalogue, second, folder)?;
            return Ok(Some(format!("{} lists other packages than the first list", lines.path)));
        }
        Err(error) => error,
    };
    match Catalogue::read(open_file(&path)?, lines, &Trust::Anyone) {
        Ok(second) if second.lists_more_than(catalogue) => Err(error),
        Err(_) if !Catalogue::is_damaged(open_file(&path)?, lines)? => Err(error),
        _ => Ok(Some(format!("{error:#}"))),
    }
}

/// Images that only the second list has, and whose packages are there: one without was withdrawn.
fn take_over(catalogue: &mut Catalogue, second: Catalogue, folder: &Path) -> Result<()> {
    let known: HashSet<_> = catalogue.images.iter().map(|image| image.id.clone()).collect();
    for image in second.images {
        if !known.contains(&image.id) && is_there(&folder.join(&image.path))? {
            catalogue.images.push(image);
        }
    }
    Ok(())
}

/// What is signed again has to be one's own, or that of the key used before.
fn read_signed(folder: &Path, source: &Source, signer: &Signer) -> Result<(Catalogue, Option<String>)> {
    let path = folder.join(&source.path);
    let mut file = open_file(&path)?;
    let mut read = |trust| {
        file.rewind().with_context(|| format!("reading {}", path.display()))?;
        Catalogue::read(&file, source, trust)
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
    if !is_there(path)? {
        return Ok(None);
    }
    let file = open_file(path)?;
    let size = file.metadata().with_context(reading)?.len();
    ensure!(size <= limit, "{}: it has {size} bytes, expected at most {limit}", reading());
    let mut content = Vec::new();
    file.take(limit).read_to_end(&mut content).with_context(reading)?;
    Ok(Some(content))
}

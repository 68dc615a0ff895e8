// SPDX-License-Identifier: GPL-3.0-or-later

//! A seed as a FAT image in memory: one mebibyte, the same bytes for the same documents.

use std::io::{Cursor, Read, Write};

use anyhow::{Context, Result, anyhow, bail, ensure};
use data_encoding::HEXLOWER;
use fatfs::{Date, DateTime, Dir, FatType, FileSystem, FormatVolumeOptions, FsOptions, Time, TimeProvider};
use sha2::{Digest, Sha256};

use crate::documents::{Documents, ROOM};

/// Size of every seed in bytes.
pub const SIZE: usize = 1 << 20;

/// The label by which first-boot programs find a seed; nuageinit takes lower case only.
const LABEL: [u8; 11] = *b"cidata     ";

/// The first second that FAT can say.
const BEGINNING: DateTime = DateTime {
    date: Date { year: 1980, month: 1, day: 1 },
    time: Time { hour: 0, min: 0, sec: 0, millis: 0 },
};

#[derive(Debug)]
struct AlwaysTheBeginning;

impl TimeProvider for AlwaysTheBeginning {
    fn get_current_date(&self) -> Date {
        BEGINNING.date
    }

    fn get_current_date_time(&self) -> DateTime {
        BEGINNING
    }
}

/// Makes the image that holds `documents`.
///
/// # Errors
/// Where the documents are larger than [`ROOM`].
pub fn write(documents: &Documents) -> Result<Vec<u8>> {
    let mut image = Cursor::new(vec![0; SIZE]);
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat12)
        .bytes_per_cluster(512)
        .volume_id(volume_id(documents))
        .volume_label(LABEL);
    fatfs::format_volume(&mut image, options).context("formatting the seed")?;
    {
        let volume = FileSystem::new(&mut image, FsOptions::new().time_provider(&AlwaysTheBeginning))?;
        let root = volume.root_dir();
        for (name, text) in documents.all() {
            let doing = || format!("writing {name} into the seed");
            let mut file = root.create_file(name).with_context(doing)?;
            file.write_all(text.as_bytes()).with_context(doing)?;
            file.flush().with_context(doing)?;
        }
    }
    Ok(image.into_inner())
}

fn volume_id(documents: &Documents) -> u32 {
    let mut hash = Sha256::new();
    for (name, text) in documents.all() {
        hash.update(name);
        hash.update([0]);
        hash.update(text);
        hash.update([0]);
    }
    let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
    u32::from_le_bytes([a, b, c, d])
}

/// Reads the documents back from `image`.
///
/// # Errors
/// Where it is not a seed as [`write`] makes them.
pub fn read(image: &[u8]) -> Result<Documents> {
    ensure!(image.len() == SIZE, "expected {SIZE} bytes, found {}", image.len());
    // fatfs trusts what a boot sector says: anything but our own one never gets there.
    let ours =
        write(&Documents { meta_data: String::new(), user_data: String::new(), network_config: None })?;
    let parameters = |image: &[u8]| [&image[..39], &image[43..512]].concat();
    ensure!(parameters(image) == parameters(&ours), "expected the boot sector of a seed, found another");

    let volume = FileSystem::new(Cursor::new(image.to_vec()), FsOptions::new())?;
    let label = volume.read_volume_label_from_root_dir_as_bytes()?;
    ensure!(label == Some(LABEL), "expected the label cidata, found another");
    documents_in(&volume.root_dir())
}

fn documents_in(root: &Dir<'_, Cursor<Vec<u8>>>) -> Result<Documents> {
    let (mut meta_data, mut user_data, mut network_config) = (None, None, None);
    for entry in root.iter() {
        let entry = entry?;
        let name = entry.file_name();
        let place = match name.as_str() {
            "meta-data" => &mut meta_data,
            "user-data" => &mut user_data,
            "network-config" => &mut network_config,
            _ => bail!("expected meta-data, user-data and network-config, found {name:?}"),
        };
        ensure!(
            entry.is_file() && entry.len() <= ROOM as u64,
            "expected {name} to be a file of at most {ROOM} bytes"
        );
        let mut text = String::new();
        entry.to_file().read_to_string(&mut text).with_context(|| format!("reading {name}"))?;
        *place = Some(text);
    }
    Ok(Documents {
        meta_data: meta_data.ok_or_else(|| anyhow!("expected a file meta-data, found none"))?,
        user_data: user_data.ok_or_else(|| anyhow!("expected a file user-data, found none"))?,
        network_config,
    })
}

/// SHA-256 of `bytes` in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;

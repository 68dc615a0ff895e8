// SPDX-License-Identifier: GPL-3.0-or-later

//! Does what was planned.

use ansible_module::Task;
use anyhow::Result;
use image_catalog::name::ImageName;

use crate::fetch::{Order, fetch};
use crate::image::Image;
use crate::observe::{Observed, Offer};
use crate::plan::Plan;
use crate::store::Store;
use crate::stored::{Record, Stored};
use crate::vouched::Vouched;

/// Fetches and removes; returns the images that were fetched, whose SHA-256 is known now. The caller holds the locks of all images
/// that the plan touches.
///
/// # Errors
/// Where an image cannot be fetched or removed; what was done before stays.
pub fn apply(plan: &Plan, observed: Observed, task: &mut Task) -> Result<Vec<Image>> {
    let Observed { store, offer, stored, .. } = observed;
    let mut fetched = Vec::new();
    for name in &plan.remove {
        store.remove(name)?;
    }
    if let Some(offer) = offer {
        let vouched = offer.vouched();
        let Offer { mut repository, memories, edition, .. } = offer;
        store.make()?;
        memories.remember(&edition)?;
        vouch(&plan.vouch, &stored, &vouched, &store)?;
        for package in &plan.fetch {
            let progress = task.progress(&format!("fetching {}", package.id), Some(package.size));
            let order = Order { package, vouched: &vouched };
            let record = fetch(order, &mut repository, &store, &progress)?;
            repository.remarks().into_iter().for_each(|remark| task.warn(remark));
            task.record_bytes("apply", package.size);
            fetched.push(record.image);
        }
    }
    if let Err(error) = store.sweep() {
        task.warn(format!("{error:#}"));
    }
    Ok(fetched)
}

/// Remembers who vouched now for images that are the very ones of the catalogue.
fn vouch(names: &[ImageName], stored: &[Stored], vouched: &Vouched, store: &Store) -> Result<()> {
    for Stored { name, record } in stored.iter().filter(|stored| names.contains(&stored.name)) {
        if let Some(record) = record {
            store.write_record(name, &Record { vouched: Some(vouched.clone()), ..record.clone() })?;
        }
    }
    Ok(())
}

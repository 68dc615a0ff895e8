// SPDX-License-Identifier: GPL-3.0-or-later

//! How large a domain is, by its XML.

use anyhow::{Result, bail};
use roxmltree::Node;

use crate::document::child;

/// Its virtual processors, where it says so in a number that can be.
pub(crate) fn vcpus(domain: Node<'_, '_>) -> Option<u32> {
    child(domain, "vcpu")?.text()?.trim().parse().ok()
}

/// Those of them that are online: more can be plugged in.
pub(crate) fn online_vcpus(domain: Node<'_, '_>) -> Option<u32> {
    let current = child(domain, "vcpu")?.attribute("current").and_then(|number| number.parse().ok());
    current.or_else(|| vcpus(domain))
}

/// Its memory in bytes, where it says so.
///
/// # Errors
/// Where what it says is not an amount.
pub(crate) fn memory(domain: Node<'_, '_>) -> Result<Option<u64>> {
    let Some(node) = child(domain, "memory") else { return Ok(None) };
    let text = node.text().unwrap_or_default().trim();
    let unit = node.attribute("unit").unwrap_or("KiB");
    let scale: u64 = match unit {
        "b" | "bytes" => 1,
        "KB" => 1_000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        other => bail!("expected a unit of memory such as MiB, found {other:?}"),
    };
    let number: Option<u64> = text.parse().ok();
    match number.and_then(|number| number.checked_mul(scale)) {
        Some(bytes) if bytes > 0 => Ok(Some(bytes)),
        _ => bail!("expected <memory> to be a number, found {text:?}"),
    }
}

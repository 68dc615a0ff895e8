// SPDX-License-Identifier: GPL-3.0-or-later

//! Who vouched for an image in the store, and who has to have done so: an image that was once taken from anyone is not trusted
//! for ever, and neither is one whose key was revoked since.

use anyhow::Result;
use image_catalog::signature::{SignatureType, SignedBy, Trust};
use serde::{Deserialize, Serialize};

use crate::access::TrustOptions;
use crate::repository::Repository;

/// The catalogue that listed an image, and whose signature it was believed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The place of the catalogue.
    pub repository: String,
    #[serde(flatten)]
    pub signed_by: SignedBy,
}

/// Who has to have vouched for an image that is in the store.
#[derive(Debug)]
pub struct Demand {
    /// The places of the catalogue; any one where none is named.
    repository: Option<Vec<String>>,
    /// What makes it believable; any signature where no key is named.
    trust: Option<Trust>,
}

impl Demand {
    /// This catalogue, signed as it has to be.
    pub fn of(repository: &Repository) -> Self {
        let places = repository.locations().map(ToString::to_string).collect();
        Self { repository: Some(places), trust: Some(repository.trust().clone()) }
    }

    /// Any catalogue that was signed as the options say.
    ///
    /// # Errors
    /// Where a key that is named cannot be read.
    pub fn of_any(options: &TrustOptions) -> Result<Self> {
        let named = match options.signature_type {
            SignatureType::None => true,
            SignatureType::Pubkey => options.pubkey.is_some(),
            SignatureType::Fingerprints => options.fingerprints.is_some(),
        };
        Ok(Self { repository: None, trust: named.then(|| options.load()).transpose()? })
    }

    /// Whether that was so.
    pub fn is_met_by(&self, vouched: Option<&Vouched>) -> bool {
        let Some(vouched) = vouched else { return false };
        let signed = match &self.trust {
            Some(trust) => trust.believes(&vouched.signed_by),
            None => vouched.signed_by != SignedBy::None,
        };
        signed && self.repository.as_ref().is_none_or(|places| places.contains(&vouched.repository))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image_catalog::digest::Sha256Hex;

    #[test]
    fn place_and_signature_both_count() {
        let vouched = |repository: &str, signed_by| Vouched { repository: repository.to_owned(), signed_by };
        let meets = |demand: Demand, vouched| demand.is_met_by(Some(&vouched));
        let by_key = SignedBy::Pubkey { key: Sha256Hex::of(b"key") };
        let demand = |places: Option<&[&str]>, trust| {
            let repository = places.map(|places| places.iter().copied().map(str::to_owned).collect());
            Demand { repository, trust }
        };
        assert!(meets(demand(Some(&["/b", "/a"]), Some(Trust::Anyone)), vouched("/a", SignedBy::None)));
        assert!(!meets(demand(Some(&["/b"]), Some(Trust::Anyone)), vouched("/a", SignedBy::None)));
        assert!(meets(demand(None, None), vouched("/a", by_key)));
        assert!(!meets(demand(None, None), vouched("/a", SignedBy::None)));
        assert!(!demand(None, Some(Trust::Anyone)).is_met_by(None));
    }
}

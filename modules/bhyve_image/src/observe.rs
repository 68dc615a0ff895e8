// SPDX-License-Identifier: GPL-3.0-or-later

//! What is in the store, and in the catalogue where the store cannot answer.

use ansible_module::Task;
use anyhow::{Context, Result};
use image_catalog::catalogue::Catalogue;

use crate::memory::{Edition, Memory};
use crate::params::{Params, State};
use crate::plan::{Plan, Situation, needs_catalogue, plan};
use crate::repository::Repository;
use crate::store::{Store, Stored};
use crate::vouched::{Demand, Vouched};

/// What was found.
pub struct Observed {
    /// The store.
    pub store: Store,
    /// What is in it.
    pub stored: Vec<Stored>,
    /// Who has to have vouched for it.
    pub demand: Demand,
    /// The catalogue, where it had to be read.
    pub offer: Option<Offer>,
}

/// A catalogue that was read.
pub struct Offer {
    /// Where it came from.
    pub repository: Repository,
    /// What it lists.
    pub catalogue: Catalogue,
    /// What was seen there before.
    pub memory: Memory,
    /// What tells this catalogue from others.
    pub edition: Edition,
}

/// Looks at the store and, where that is not enough, at the catalogue.
///
/// # Errors
/// Where the store cannot be read, or the catalogue cannot be reached or believed.
pub fn observe(params: &Params, task: &mut Task) -> Result<Observed> {
    let store = Store::new(params.store.clone())?;
    let stored = task.phase("observe", |_| store.look())?;
    // To be rid of an image, nobody has to be believed.
    let access = params.access().filter(|_| params.state != State::Absent);
    let repository = access.map(Repository::new).transpose()?;
    let demand = match &repository {
        Some(repository) => Demand::of(repository),
        None => Demand::of_any(&params.trust())?,
    };
    let offer = match needs_catalogue(params.state, &params.name.0, &stored, &demand) {
        true => {
            let repository = repository.context("option `repository` is needed to fetch an image")?;
            Some(task.phase("catalogue", |_| Offer::read(repository, &store))?)
        }
        false => None,
    };
    Ok(Observed { store, stored, demand, offer })
}

impl Observed {
    /// Looks at the store again, which another run may have changed.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn refresh(&mut self) -> Result<()> {
        self.stored = self.store.look()?;
        Ok(())
    }

    /// Decides what is to be done.
    ///
    /// # Errors
    /// Where the catalogue has no such image.
    pub fn plan(&self, params: &Params) -> Result<Plan> {
        plan(Situation {
            names: &params.name.0,
            state: params.state,
            store: &self.store,
            stored: &self.stored,
            demand: &self.demand,
            catalogue: self.offer.as_ref().map(|offer| &offer.catalogue),
        })
    }
}

impl Offer {
    /// Who vouches for what is taken from it.
    pub fn vouched(&self) -> Vouched {
        Vouched {
            repository: self.repository.location().to_string(),
            signed_by: self.catalogue.signed_by.clone(),
        }
    }

    /// Reads the catalogue of a repository and compares it with what `store` remembers of it.
    ///
    /// # Errors
    /// Where it cannot be reached or believed.
    pub fn read(mut repository: Repository, store: &Store) -> Result<Self> {
        let memory = Memory::load(store.folder(), repository.location())?;
        let catalogue = repository.catalogue()?;
        let edition = Edition::from(&catalogue);
        memory.judge(&edition)?;
        Ok(Self { repository, catalogue, memory, edition })
    }
}

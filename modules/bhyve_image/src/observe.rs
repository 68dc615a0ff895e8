// SPDX-License-Identifier: GPL-3.0-or-later

//! What is in the store, and in the catalogue where the store cannot answer.

use ansible_module::Task;
use anyhow::{Context, Result};
use image_catalog::catalogue::Catalogue;
use image_catalog::name::ImageName;

use crate::memory::{Edition, Memories};
use crate::params::{Params, State};
use crate::repository::Repository;
use crate::store::Store;
use crate::stored::{Stored, standing};
use crate::vouched::{Demand, Vouched};

pub struct Observed {
    pub store: Store,
    /// What is in it.
    pub stored: Vec<Stored>,
    /// What is wanted.
    pub state: State,
    /// Who has to have vouched for it.
    pub demand: Demand,
    /// The catalogue, where it had to be read.
    pub offer: Option<Offer>,
}

/// A catalogue that was read.
pub struct Offer {
    /// Where it came from.
    pub repository: Repository,
    pub catalogue: Catalogue,
    /// What was seen there before.
    pub memories: Memories,
    /// What tells this catalogue from others.
    pub edition: Edition,
}

impl Params {
    /// The state that is wanted, now that the store is known. For a new guest a name without a version means the newest of the
    /// catalogue, whatever the store has; what the store has under the very name needs no catalogue.
    fn wanted(&self, stored: &[Stored]) -> State {
        let exact = |name: &ImageName| stored.iter().any(|stored| stored.name == *name);
        match self.state {
            State::Present
                if self.new_guest && self.repository.is_some() && !self.name.0.iter().all(exact) =>
            {
                State::Latest
            }
            state => state,
        }
    }
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
    let state = params.wanted(&stored);
    let needed = match state {
        State::Absent => false,
        State::Latest => true,
        State::Present => params.name.0.iter().any(|name| standing(&stored, name, &demand, None).is_none()),
    };
    let offer = match needed {
        true => {
            let repository = repository.context("option `repository` is needed to fetch an image")?;
            Some(task.phase("catalogue", |task| Offer::read(repository, &store, params.allow_older, task))?)
        }
        false => None,
    };
    Ok(Observed { store, stored, state, demand, offer })
}

impl Observed {
    /// Looks at the store again, which another run may have changed. The catalogue that was read still counts.
    ///
    /// # Errors
    /// As [`observe`].
    pub fn again(self, params: &Params, task: &mut Task) -> Result<Self> {
        match self.offer {
            None => observe(params, task),
            Some(_) => Ok(Self { stored: task.phase("observe", |_| self.store.look())?, ..self }),
        }
    }

    /// The catalogue, where it had to be read.
    pub fn catalogue(&self) -> Option<&Catalogue> {
        self.offer.as_ref().map(|offer| &offer.catalogue)
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

    /// Reads the catalogue of a repository and compares it with what `store` remembers of it. A place where it cannot be read, or
    /// is an old one, is left for the next, and the user told.
    ///
    /// # Errors
    /// Where it cannot be reached or believed.
    pub fn read(
        mut repository: Repository,
        store: &Store,
        allow_older: bool,
        task: &mut Task,
    ) -> Result<Self> {
        let memories = Memories::load(store.folder(), repository.locations())?;
        let (catalogue, edition) = repository.anywhere(|repository| {
            let catalogue = repository.catalogue()?;
            let edition = Edition::from(&catalogue);
            if !allow_older {
                memories.judge(&edition)?;
            }
            Ok((catalogue, edition))
        })?;
        repository.remarks().into_iter().for_each(|remark| task.warn(remark));
        Ok(Self { repository, catalogue, memories, edition })
    }
}

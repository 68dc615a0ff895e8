// SPDX-License-Identifier: GPL-3.0-or-later

//! Images for guests. What a guest that is there was made from is told by its volume, and any version of its name will do; a new
//! guest takes the catalogue's newest.

use std::collections::BTreeMap;
use std::iter;

use ansible_module::{Answer, Reply, Task, alike, side_by_side};
use anyhow::{Context, Result, anyhow};
use image_catalog::name::ImageName;
use zfs_receive::{MadeFrom, made_from};

use crate::kept::Kept;
use crate::params::{Names, Params};

/// Catalogues that are read, and images that are fetched, side by side.
const AT_ONCE: usize = 2;

/// The image of each guest, by the guests' names.
pub fn guests(guests: BTreeMap<String, Params>, task: &Task) -> BTreeMap<String, Answer> {
    let (mut new, mut kept, mut answers) = (Vec::new(), Vec::new(), BTreeMap::new());
    let found = volumes(&guests);
    for (guest, params) in guests {
        let refused = |error| Answer { reply: Err(error), task: task.of_guest() };
        match found.get(&guest) {
            Some(Err(reason)) => drop(answers.insert(guest, refused(anyhow!("{reason}")))),
            Some(Ok(made_from)) => kept.push((guest, params, made_from.clone())),
            None => new.push((guest, params)),
        }
    }
    answers.extend(of_kept_guests(kept, task));
    answers.extend(of_new_guests(new, task));
    answers
}

/// The image of one guest.
pub fn guest(params: Params, task: &mut Task) -> Result<Reply> {
    let answers = guests(BTreeMap::from([(String::new(), params)]), task);
    let answer =
        answers.into_values().next().context("looking for the image of a guest: none was asked for")?;
    *task = answer.task;
    answer.reply
}

/// The images of volumes that are there, or why that cannot be told; guests without a volume are not among them.
fn volumes(guests: &BTreeMap<String, Params>) -> BTreeMap<String, Result<MadeFrom, String>> {
    let (mut found, mut names, mut places) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (guest, params) in guests {
        match params.place() {
            Ok(Some(place)) => {
                names.push(guest.clone());
                places.push(place);
            }
            Ok(None) => {}
            Err(error) => drop(found.insert(guest.clone(), Err(error.to_string()))),
        }
    }
    match made_from(&places) {
        Ok(images) => {
            let there = names.into_iter().zip(images).filter_map(|(guest, image)| Some((guest, Ok(image?))));
            found.extend(there);
        }
        Err(error) => found.extend(names.into_iter().map(|guest| (guest, Err(format!("{error:#}"))))),
    }
    found
}

/// Guests that ask for the same are answered by one run, under the name of the first.
fn of_new_guests(guests: Vec<(String, Params)>, task: &Task) -> BTreeMap<String, Answer> {
    let asking = guests
        .into_iter()
        .map(|(guest, params)| (guest, Params { dataset: None, path: None, new_guest: true, ..params }, ()));
    let (mut runs, mut whose) = (BTreeMap::new(), BTreeMap::new());
    for (wanted, guests) in alike(asking) {
        let mut guests = guests.into_keys();
        let Some(first) = guests.next() else { continue };
        whose.insert(first.clone(), guests.collect::<Vec<_>>());
        runs.insert(first, wanted);
    }
    let answers = side_by_side(runs, task, AT_ONCE, crate::bring);
    let shared = answers.into_iter().flat_map(|(first, answer)| {
        let others = shared(&answer, whose.remove(&first).unwrap_or_default(), task);
        iter::once((first, answer)).chain(others)
    });
    shared.collect()
}

/// The same answer for other guests that asked for the same; what it took is told with the first.
fn shared(answer: &Answer, others: Vec<String>, task: &Task) -> Vec<(String, Answer)> {
    let copy = || match &answer.reply {
        Ok(reply) => Ok(reply.clone().again()),
        Err(error) => Err(anyhow!("{error:#}")),
    };
    others.into_iter().map(|guest| (guest, Answer { reply: copy(), task: task.of_guest() })).collect()
}

/// Store and catalogue are looked at once for all guests that name them.
fn of_kept_guests(guests: Vec<(String, Params, MadeFrom)>, task: &Task) -> BTreeMap<String, Answer> {
    let asking = guests.into_iter().map(|(guest, params, made_from)| {
        let sources = (params.store.clone(), params.access());
        (guest, sources, (params, made_from))
    });
    let mut answers = BTreeMap::new();
    for ((store, access), guests) in alike(asking) {
        let mut kept = Kept::of(store, access);
        for (guest, (params, made_from)) in guests {
            let mut task = task.of_guest();
            let reply = kept.reply(&params, &made_from, &mut task);
            answers.insert(guest, Answer { reply, task });
        }
    }
    answers
}

impl Params {
    /// The one name that is asked for.
    ///
    /// # Errors
    /// Where there are several: a guest is made from one image.
    pub(crate) fn one_name(&self) -> Result<&ImageName> {
        match &self.name {
            Names(names) if names.len() == 1 => Ok(&names[0]),
            Names(names) => Err(anyhow!(
                "reading option `name`: expected one image, because a guest is made from one, found {}",
                names.len()
            )),
        }
    }
}

//! From what was asked for and what is there to the steps in between. Pure.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

use ansible_module::Size;

use super::describe;
use super::name::DatasetName;
use super::observe::Observed;
use super::properties::{Properties, satisfied};
use super::request::{Image, Present, Wanted};
use super::zfs::{Kind, Row};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Destroy what a dead run has left under this name.
    Sweep(String),
    /// Receive the image, give it its name.
    Receive(Receive),
    /// Make a clone.
    Clone(Clone),
    /// Change properties of a volume that is there.
    Set {
        /// The volume.
        name: DatasetName,
        /// Names and values.
        properties: Vec<(String, String)>,
    },
    /// Give a volume its device back, which a dead run has withheld.
    Show(DatasetName),
    /// Destroy a volume with its own snapshots.
    Destroy(DatasetName),
}

/// A volume to receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receive {
    /// Its name in the end.
    pub name: DatasetName,
    /// The name under which what stands there now is kept.
    pub kept: Option<String>,
    /// What an incremental image is received onto.
    pub base: Option<BaseImage>,
    /// Properties set before the data arrive.
    pub properties: Vec<(String, String)>,
    /// `volmode` once it has its name; `None` for a golden volume, which needs no device.
    pub volmode: Option<String>,
    /// Properties set one by one before it gets its name.
    pub later: Vec<(String, String)>,
    /// Sizes that volumes made of the image are to have: not smaller than the image, and of whole blocks.
    pub sizes: Vec<u64>,
}

/// The snapshot that an incremental image applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseImage {
    /// Name of the snapshot.
    pub snapshot: String,
    /// Its guid.
    pub guid: u64,
    /// Bytes of the volume.
    pub volsize: u64,
    /// Its block size in bytes.
    pub volblocksize: u64,
}

/// A clone to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clone {
    /// Its name.
    pub name: DatasetName,
    /// The snapshot it is a clone of.
    pub origin: String,
    /// The name under which what stands there now is kept.
    pub kept: Option<String>,
    /// Properties from the beginning.
    pub properties: Vec<(String, String)>,
    /// Properties set one by one afterwards.
    pub later: Vec<(String, String)>,
}

/// All changes, and both sides of the difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is there, for a person.
    pub before: String,
    /// What will be there.
    pub after: String,
    /// The snapshot that the guests are clones of.
    pub golden: Option<String>,
    /// Bytes of the image, where known.
    pub image_size: Option<u64>,
    /// Block size of the image in bytes, where known.
    pub volblocksize: Option<u64>,
}

impl Plan {
    /// Whether anything that a user sees changes: leftovers do not count.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step, Step::Sweep(_)))
    }

    /// Volumes to be received.
    pub fn receives(&self) -> impl Iterator<Item = &Receive> {
        self.steps.iter().filter_map(|step| match step {
            Step::Receive(receive) => Some(receive),
            _ => None,
        })
    }

    /// Volumes put aside, with the names they are kept under.
    pub fn kept(&self) -> Vec<(&DatasetName, &str)> {
        let kept = self.steps.iter().filter_map(|step| match step {
            Step::Receive(Receive { name, kept: Some(kept), .. })
            | Step::Clone(Clone { name, kept: Some(kept), .. }) => Some((name, kept.as_str())),
            _ => None,
        });
        kept.collect()
    }
}

/// Plans for volumes to be there.
///
/// # Errors
/// Where something else stands in the way, or something needed is not there.
pub fn present(request: &Present, observed: &Observed) -> Result<Plan> {
    check_names(request)?;
    let mut plan = Plan {
        image_size: request.image.volsize,
        volblocksize: request.image.volblocksize,
        ..Plan::default()
    };
    for name in request.names() {
        check_parent(name, observed)?;
        sweep(name, observed, &mut plan);
    }
    if let Some(golden) = &request.golden {
        plan_golden(golden, request, observed, &mut plan)?;
    }
    for wanted in &request.volumes {
        plan_volume(wanted, request, observed, &mut plan)?;
    }
    check_space(&plan, request, observed)?;
    Ok(plan)
}

fn check_names(request: &Present) -> Result<()> {
    let mut names = request.names();
    ensure!(!names.is_empty(), "nothing to do: expected `dataset`, `volumes` or `golden`");
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("volume {} is asked for twice: every volume needs a name of its own", pair[0]);
    }
    ensure!(
        request.image.fromguid == 0 || request.golden.is_some(),
        "image {} is an increment onto {} (snapshot guid {}): it needs `golden`, the folder of golden volumes that has that one",
        request.image.name,
        request.image.parent.as_deref().unwrap_or("another image"),
        request.image.fromguid
    );
    Ok(())
}

fn check_parent(name: &DatasetName, observed: &Observed) -> Result<()> {
    let Some(parent) = name.parent() else {
        bail!("{name} is a pool: expected the name of a volume in it, {name}/NAME");
    };
    match observed.rows.get(parent.as_str()).map(|row| row.kind) {
        Some(Kind::Filesystem) => Ok(()),
        Some(_) => bail!("{parent} is a volume: expected a file system to put {name} into"),
        None => bail!(
            "{parent} does not exist, so {name} cannot be made in it: create it with `zfs create -p {parent}`"
        ),
    }
}

fn sweep(name: &DatasetName, observed: &Observed, plan: &mut Plan) {
    if observed.rows.contains_key(&name.unfinished()) {
        plan.steps.push(Step::Sweep(name.unfinished()));
    }
}

/// The volume of this name, if there is one; refuses anything else.
fn volume<'a>(name: &DatasetName, observed: &'a Observed) -> Result<Option<&'a Row>> {
    match observed.rows.get(name.as_str()) {
        Some(row) if row.kind != Kind::Volume => {
            bail!(
                "{name} is a file system: expected a volume or nothing; choose another name or remove it yourself"
            )
        }
        found => Ok(found),
    }
}

/// The name under which a volume of another image is kept, or the refusal to touch it.
fn put_aside(found: &Row, request: &Present, observed: &Observed) -> Result<String> {
    let name = DatasetName::try_from(found.name.clone()).map_err(anyhow::Error::msg)?;
    ensure!(
        request.replace,
        "{name} is there already and is not of image {} (snapshot guid {}): it {}; set `replace: true` to put it aside, or choose another name",
        request.image.name,
        request.image.guid,
        describe::identity(found, observed)
    );
    if let Some(user) = observed.users.get(&found.name) {
        bail!("{name} cannot be replaced while {user} has it open: stop the guest first");
    }
    Ok(name.kept(&observed.moment))
}

fn plan_golden(golden: &DatasetName, request: &Present, observed: &Observed, plan: &mut Plan) -> Result<()> {
    let found = volume(golden, observed)?;
    plan.before += &describe::found_golden(golden, found, observed);
    if let Some(snapshot) = found.and_then(|found| observed.snapshot_of(found, request.image.guid)) {
        plan.after += &describe::found_golden(golden, found, observed);
        plan.golden = Some(snapshot.name.clone());
        plan.image_size = snapshot.volsize;
        plan.volblocksize = found.and_then(|found| found.volblocksize);
        return Ok(());
    }
    let kept = found.map(|found| put_aside(found, request, observed)).transpose()?;
    plan.after += &describe::new_golden(golden, kept.as_deref(), &request.image);
    plan.golden = Some(golden.image());
    plan.steps.push(Step::Receive(Receive {
        name: golden.clone(),
        kept,
        base: base(golden, request, observed)?,
        properties: pairs(&[("refreservation", "none")]),
        volmode: None,
        later: Vec::new(),
        sizes: request.volumes.iter().filter_map(|wanted| wanted.volsize).collect(),
    }));
    Ok(())
}

fn base(golden: &DatasetName, request: &Present, observed: &Observed) -> Result<Option<BaseImage>> {
    let Image { name, fromguid, parent, .. } = &request.image;
    if *fromguid == 0 {
        return Ok(None);
    }
    let folder = golden.parent().map(String::from).unwrap_or_default() + "/";
    let snapshots =
        observed.rows.values().filter(|row| row.kind == Kind::Snapshot && row.name.starts_with(&folder));
    let found = snapshots.filter(|row| row.guid == *fromguid).find_map(|row| {
        let volume = observed.rows.get(row.name.split('@').next()?)?;
        Some(BaseImage {
            snapshot: row.name.clone(),
            guid: row.guid,
            volsize: row.volsize?,
            volblocksize: volume.volblocksize?,
        })
    });
    match found {
        Some(base) => Ok(Some(base)),
        None => bail!(
            "image {name} is an increment onto {} (snapshot guid {fromguid}), which no golden volume in {} has: receive that image first",
            parent.as_deref().unwrap_or("another image"),
            folder.trim_end_matches('/')
        ),
    }
}

fn plan_volume(wanted: &Wanted, request: &Present, observed: &Observed, plan: &mut Plan) -> Result<()> {
    if let (Some(volsize), Some(image)) = (wanted.volsize, plan.image_size) {
        check_size(volsize, image, plan.volblocksize)?;
    }
    let found = volume(&wanted.name, observed)?;
    plan.before += &describe::found(&wanted.name, found, wanted, observed);
    let of_the_image = found.filter(|found| observed.snapshot_of(found, request.image.guid).is_some());
    if let Some(found) = of_the_image {
        return adjust(wanted, found, request, observed, plan);
    }
    let kept = found.map(|found| put_aside(found, request, observed)).transpose()?;
    plan.after += &describe::new(wanted, kept.as_deref(), request, plan);
    plan.steps.push(make(wanted, kept, request, plan));
    Ok(())
}

/// Whether a volume of an image can have `volsize` bytes: ZFS itself would cut off the end of the image (2.3.9).
///
/// # Errors
/// Where it cannot.
pub fn check_size(volsize: u64, image: u64, block: Option<u64>) -> Result<()> {
    let size = Size(volsize);
    ensure!(
        volsize >= image,
        "volsize {size} is smaller than the image, which has {}: its end would be cut off",
        Size(image)
    );
    let block = block.unwrap_or(1);
    ensure!(
        volsize.is_multiple_of(block),
        "volsize {size} is no multiple of the image's block size {}; the next ones are {} and {}",
        Size(block),
        Size(volsize - volsize % block),
        Size(volsize.next_multiple_of(block))
    );
    Ok(())
}

fn make(wanted: &Wanted, kept: Option<String>, request: &Present, plan: &Plan) -> Step {
    let volmode = wanted.properties.get("volmode").unwrap_or(request.volmode).to_owned();
    // A reservation depends on the size, which is the image's at first. And ZFS refuses to make a clone of another size while
    // udev looks at it: "dataset is busy" (OpenZFS 2.3.2).
    let mut later = Vec::new();
    later.extend(wanted.volsize.filter(|volsize| Some(*volsize) != plan.image_size).map(volsize_property));
    let reserved = wanted.properties.get("refreservation").filter(|value| *value != "none");
    later.extend(reserved.map(|value| ("refreservation".to_owned(), value.to_owned())));
    let properties = wanted.properties.clone().with("refreservation", "none");
    match &plan.golden {
        None => Step::Receive(Receive {
            name: wanted.name.clone(),
            kept,
            base: None,
            properties: owned(&properties.without("volmode")),
            volmode: Some(volmode),
            later,
            sizes: wanted.volsize.into_iter().collect(),
        }),
        Some(origin) => Step::Clone(Clone {
            name: wanted.name.clone(),
            origin: origin.clone(),
            kept,
            properties: owned(&properties.with("volmode", &volmode)),
            later,
        }),
    }
}

fn volsize_property(volsize: u64) -> (String, String) {
    ("volsize".to_owned(), volsize.to_string())
}

fn adjust(
    wanted: &Wanted,
    found: &Row,
    request: &Present,
    observed: &Observed,
    plan: &mut Plan,
) -> Result<()> {
    let mut properties: Vec<(String, String)> = Vec::new();
    let size = found.volsize.unwrap_or(0);
    if let Some(volsize) = wanted.volsize.filter(|volsize| *volsize != size) {
        ensure!(
            volsize > size,
            "{} has {}, expected {}: a volume is only ever grown, shrinking would cut off data",
            wanted.name,
            Size(size),
            Size(volsize)
        );
        properties.push(volsize_property(volsize));
    }
    for (name, value) in wanted.properties.iter() {
        let found = observed.property(found.name.as_str(), name).map_or("-", |found| found.value.as_str());
        if !satisfied(name, value, found) {
            properties.push((name.to_owned(), value.to_owned()));
        }
    }
    if !properties.is_empty() {
        plan.steps.push(Step::Set { name: wanted.name.clone(), properties });
    }
    let hidden =
        observed.property(&found.name, "volmode").is_some_and(|mode| mode.local && mode.value == "none");
    if hidden && wanted.properties.get("volmode").is_none() {
        plan.steps.push(Step::Show(wanted.name.clone()));
    }
    plan.after += &describe::adjusted(wanted, found, request, observed);
    Ok(())
}

/// The stream's bytes are an upper bound of what it takes: ZFS stores them compressed, and its own overhead is far smaller.
fn check_space(plan: &Plan, request: &Present, observed: &Observed) -> Result<()> {
    let Some(bytes) = request.image.bytes else { return Ok(()) };
    let mut needed = BTreeMap::new();
    for parent in plan.receives().filter_map(|receive| receive.name.parent()) {
        *needed.entry(parent).or_insert(0) += bytes;
    }
    for (parent, bytes) in needed {
        if let Some(available) = observed.rows.get(parent.as_str()).and_then(|row| row.available) {
            ensure!(
                bytes <= available,
                "image {} needs up to {bytes} bytes in {parent}, which has {available} available: free some space first",
                request.image.name
            );
        }
    }
    Ok(())
}

/// Plans for volumes to be gone.
///
/// # Errors
/// Where others depend on them or use them.
pub fn absent(volumes: &[DatasetName], observed: &Observed) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut left = Vec::new();
    for name in volumes {
        sweep(name, observed, &mut plan);
        match volume(name, observed)? {
            Some(found) => left.push((name, found)),
            None => {
                plan.before += &describe::absent(name);
                plan.after += &describe::absent(name);
            }
        }
    }
    while !left.is_empty() {
        let others: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        // Clones before what they are clones of.
        let free = left
            .iter()
            .position(|(name, _)| !dependants(name, observed).iter().any(|name| others.contains(name)));
        let (name, found) = left.remove(free.unwrap_or(0));
        destroyable(name, volumes, observed)?;
        plan.before += &describe::plain(name, found, observed);
        plan.after += &describe::absent(name);
        plan.steps.push(Step::Destroy(name.clone()));
    }
    Ok(plan)
}

fn destroyable(name: &DatasetName, going: &[DatasetName], observed: &Observed) -> Result<()> {
    let mut staying = dependants(name, observed);
    staying.retain(|dependant| !going.iter().any(|going| going.as_str() == *dependant));
    ensure!(
        staying.is_empty(),
        "{name} cannot be destroyed: {} of it: {}; remove those first",
        if staying.len() == 1 {
            "a clone is made".to_owned()
        } else {
            format!("{} clones are made", staying.len())
        },
        staying.join(", ")
    );
    if let Some(held) = observed.snapshots(name.as_str()).find(|snapshot| snapshot.holds > 0) {
        bail!("{name} cannot be destroyed: its snapshot {0} is held; see `zfs holds {0}`", held.name);
    }
    if let Some(user) = observed.users.get(name.as_str()) {
        bail!("{name} cannot be destroyed while {user} has it open: stop the guest first");
    }
    Ok(())
}

fn dependants<'a>(name: &DatasetName, observed: &'a Observed) -> Vec<&'a str> {
    observed
        .snapshots(name.as_str())
        .flat_map(|snapshot| snapshot.clones.iter().map(String::as_str))
        .collect()
}

fn pairs(properties: &[(&str, &str)]) -> Vec<(String, String)> {
    properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn owned(properties: &Properties) -> Vec<(String, String)> {
    properties.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! Several guests in one call: the option `guests` has the options of each by its name. What goes wrong with one guest is its
//! own affair; the others are done, and the task fails at the end.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, mpsc};
use std::thread;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::arguments::{self, Arguments};
use crate::reply::Reply;
use crate::task::Task;

/// Option that holds the options of several guests by their names.
const GUESTS: &str = "guests";

/// What became of one guest, and what was recorded on the way.
#[derive(Debug)]
pub struct Answer {
    /// What its caller is told.
    pub reply: Result<Reply>,
    /// Its warnings and timings.
    pub task: Task,
}

/// Runs `module` for one guest, or for each of the option `guests`, at most `width` at a time, and prints the one JSON reply.
/// Exit status as of [`crate::run`].
pub fn answer_each<P, F>(arguments: Result<Arguments>, width: usize, module: F) -> ExitCode
where
    P: DeserializeOwned + Send,
    F: Fn(P, &mut Task) -> Result<Reply> + Sync,
{
    answer_guests(arguments, &module, |guests, task| side_by_side(guests, task, width, &module))
}

/// Runs `one` for one guest, or `all` for those of the option `guests` whose options can be read, and prints the one JSON reply.
/// Exit status as of [`crate::run`].
pub fn answer_guests<P, One, All>(arguments: Result<Arguments>, one: One, all: All) -> ExitCode
where
    P: DeserializeOwned,
    One: FnOnce(P, &mut Task) -> Result<Reply>,
    All: FnOnce(BTreeMap<String, P>, &Task) -> BTreeMap<String, Answer>,
{
    crate::reply_with(arguments, |options, task| one_or_all(options, task, one, all))
}

/// The same for a look that is one of several in a task, as of [`crate::look`].
pub fn look_guests<P, One, All>(options: Map<String, Value>, one: One, all: All) -> Map<String, Value>
where
    P: DeserializeOwned,
    One: FnOnce(P, &mut Task) -> Result<Reply>,
    All: FnOnce(BTreeMap<String, P>, &Task) -> BTreeMap<String, Answer>,
{
    crate::look_with(options, |options, task| one_or_all(options, task, one, all))
}

fn one_or_all<P: DeserializeOwned>(
    mut options: Map<String, Value>,
    task: &mut Task,
    one: impl FnOnce(P, &mut Task) -> Result<Reply>,
    all: impl FnOnce(BTreeMap<String, P>, &Task) -> BTreeMap<String, Answer>,
) -> Result<Reply> {
    match options.remove(GUESTS) {
        None | Some(Value::Null) => one(arguments::options_from(options)?, task),
        Some(guests) => {
            let (guests, mut answers) = readable(guests, options, task)?;
            answers.extend(all(guests, task));
            Ok(Reply::of_guests(answers, task))
        }
    }
}

/// Does `work` for each of `items`, at most `width` at a time; the answers by the items' names.
pub fn side_by_side<P, F>(
    items: BTreeMap<String, P>,
    task: &Task,
    width: usize,
    work: F,
) -> BTreeMap<String, Answer>
where
    P: Send,
    F: Fn(P, &mut Task) -> Result<Reply> + Sync,
{
    let threads = width.min(items.len());
    let queue = Mutex::new(items.into_iter());
    let (sender, answers) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((name, item)) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let mut task = task.of_guest();
                    let reply = task.busy(|task| work(item, task));
                    // The receiver lives as long as this scope.
                    let _ = sender.send((name, Answer { reply, task }));
                }
            });
        }
    });
    drop(sender);
    answers.iter().collect()
}

/// Puts together the guests that have the same in common, so that it is dealt with once: each comes with its name, what is compared,
/// and what is its own.
pub fn alike<K: PartialEq, V>(
    guests: impl IntoIterator<Item = (String, K, V)>,
) -> Vec<(K, BTreeMap<String, V>)> {
    let mut groups: Vec<(K, BTreeMap<String, V>)> = Vec::new();
    for (guest, common, own) in guests {
        match groups.iter_mut().find(|(other, _)| *other == common) {
            Some((_, group)) => drop(group.insert(guest, own)),
            None => groups.push((common, BTreeMap::from([(guest, own)]))),
        }
    }
    groups
}

/// The options of each guest, and the answers for those whose options cannot be read.
fn readable<P: DeserializeOwned>(
    guests: Value,
    beside: Map<String, Value>,
    task: &Task,
) -> Result<(BTreeMap<String, P>, BTreeMap<String, Answer>)> {
    if let Some(option) = beside.keys().next() {
        bail!(
            "reading options: expected `{GUESTS}` alone, each guest with all of its options, found `{option}` beside it"
        );
    }
    let guests: BTreeMap<String, Map<String, Value>> = serde_json::from_value(guests).with_context(|| {
        format!("reading option `{GUESTS}`: expected the options of each guest by its name")
    })?;
    let (mut read, mut unread) = (BTreeMap::new(), BTreeMap::new());
    for (name, options) in guests {
        match arguments::options_from(options) {
            Ok(options) => drop(read.insert(name, options)),
            Err(error) => drop(unread.insert(name, Answer { reply: Err(error), task: task.of_guest() })),
        }
    }
    Ok((read, unread))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Diff;
    use serde_json::json;
    use std::time::Duration;

    fn answers(guests: Value, width: usize) -> Value {
        let mut task = Task::new(json!({"diff": true}).as_object().unwrap());
        let (guests, mut answers) = readable::<BTreeMap<String, u32>>(guests, Map::new(), &task).unwrap();
        answers.extend(side_by_side(guests, &task, width, |guest, task| {
            let size = guest.get("size").context("no size")?;
            task.phase("work", |task| {
                thread::sleep(Duration::from_millis(10));
                task.warn(format!("{size} is much"));
            });
            let diff = Diff { before: "0".into(), after: size.to_string(), header: "size".into() };
            Ok(Reply::new(*size > 0).diff(diff).with("size", size))
        }));
        Value::Object(Reply::of_guests(answers, &mut task).record(task))
    }

    #[test]
    fn each_guest_is_answered_by_name_and_its_failure_is_its_own() {
        let guests =
            json!({"a": {"size": 0}, "b": {"size": 2}, "c": {}, "d": {"size": "much"}, "e": {"size": 5}});
        for width in [1, 2, 64] {
            let reply = answers(guests.clone(), width);
            assert_eq!((&reply["changed"], &reply["failed"]), (&json!(true), &json!(true)));
            assert_eq!(
                reply["msg"],
                "2 of 5 guests failed: c: no size; d: reading option `size`: invalid type: string \"much\", expected u32"
            );
            assert_eq!(reply["warnings"], json!(["a: 0 is much", "b: 2 is much", "e: 5 is much"]));
            let headers: Vec<_> = reply["diff"]
                .as_array()
                .unwrap()
                .iter()
                .map(|diff| diff["before_header"].as_str().unwrap())
                .collect();
            assert_eq!(headers, ["b: size", "e: size"]);
            let guests = reply["guests"].as_object().unwrap();
            assert_eq!(guests.keys().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
            assert_eq!((&guests["a"]["changed"], &guests["b"]["size"]), (&json!(false), &json!(2)));
            assert_eq!((&guests["c"]["failed"], &guests["c"]["msg"]), (&json!(true), &json!("no size")));
            assert!(guests["b"]["timings"]["work"]["seconds"].is_number());
        }
    }

    #[test]
    fn what_was_changed_before_a_failure_is_told() {
        let mut task = Task::default();
        let guests = BTreeMap::from([("a".to_owned(), true), ("b".to_owned(), false)]);
        let answers = side_by_side(guests, &task, 1, |changes, task| {
            if changes {
                task.did_change();
            }
            bail!("no space")
        });
        let reply = Value::Object(Reply::of_guests(answers, &mut task).record(task));
        let changed = [&reply["guests"]["a"]["changed"], &reply["guests"]["b"]["changed"], &reply["changed"]];
        assert_eq!(changed, [&json!(true), &json!(false), &json!(true)]);
    }

    #[test]
    fn what_others_took_is_not_told_as_ones_own() {
        let reply = answers(json!({"a": {"size": 1}, "b": {"size": 1}, "c": {"size": 1}}), 1);
        let total = |answer: &Value| answer["timings"]["total"]["seconds"].as_f64().unwrap();
        let each: f64 = reply["guests"].as_object().unwrap().values().map(total).sum();
        assert!(each <= total(&reply), "{reply}");
    }

    #[test]
    fn nobody_is_no_failure() {
        let reply = answers(json!({}), 64);
        assert_eq!(
            (&reply["changed"], &reply["guests"], reply.get("failed")),
            (&json!(false), &json!({}), None)
        );
    }

    #[test]
    fn what_is_said_beside_guests_is_refused() {
        let beside = json!({"uri": "test:///default"}).as_object().unwrap().clone();
        let error = readable::<Value>(json!({}), beside, &Task::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading options: expected `guests` alone, each guest with all of its options, found `uri` beside it"
        );
        let error = readable::<Value>(json!(["web1"]), Map::new(), &Task::default()).unwrap_err();
        assert!(error.to_string().starts_with("reading option `guests`: expected the options of each guest"));
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! Module `libvirt_host_info`: several looks at a host in one exchange. It knows of the other modules what the table of programs knows:
//! their names and functions.

use std::collections::BTreeMap;
use std::thread;

use ansible_module::{Reply, Task, look, look_guests};
use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};
use zfs_receive::{info, snapshot};

type Options = Map<String, Value>;
type Module = fn(Options) -> Options;

/// Modules that look, or that do no more in check mode.
const LOOKS: &[(&str, Module)] = &[
    ("bhyve_image", |options| look_guests(options, bhyve_image::module, bhyve_image::guests)),
    ("bhyve_image_info", |options| look(options, bhyve_image::info)),
    ("libvirt_domain_info", |options| look(options, libvirt_domain::info)),
    ("zfs_receive_info", |options| look(options, info::module)),
    ("zfs_snapshot_info", |options| look_guests(options, snapshot::info, snapshot::info_guests)),
];

/// Options of `libvirt_host_info`; documented for users in plugins/modules/libvirt_host_info.py.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What to look at, by names of the caller's choice.
    looks: BTreeMap<String, Look>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    module: String,
    options: Options,
}

/// Module `libvirt_host_info`. A look that fails is told by its own reply; the others are told all the same.
///
/// # Errors
/// Where a module is asked for that does more than look.
pub fn module(params: Params, task: &mut Task) -> Result<Reply> {
    let looks = params.looks.into_iter().map(|(name, Look { module, options })| {
        let known = LOOKS.iter().find(|(known, _)| *known == module).map(|(_, look)| *look);
        ensure!(
            known.is_some(),
            "look {name}: found module {module:?}, expected one of {}",
            LOOKS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        );
        Ok((name, known, options))
    });
    let looks = looks.collect::<Result<Vec<_>>>()?;
    let replies = task.phase("observe", |_| side_by_side(looks));
    Ok(Reply::new(false).with("looks", replies))
}

type Asked = (String, Option<Module>, Options);

/// They wait for different parts of the host.
fn side_by_side(looks: Vec<Asked>) -> BTreeMap<String, Options> {
    thread::scope(|scope| {
        let started = looks
            .into_iter()
            .filter_map(|(name, look, options)| look.map(|look| (name, scope.spawn(move || look(options)))));
        let started: Vec<_> = started.collect();
        // One that panics has answered for all, and ended the task.
        started.into_iter().filter_map(|(name, look)| Some((name, look.join().ok()?))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn looked(looks: Value) -> Result<Value> {
        let params = serde_json::from_value(json!({"looks": looks})).unwrap();
        let reply = look(Options::new(), |_: serde::de::IgnoredAny, task| module(params, task));
        if reply.contains_key("failed") {
            anyhow::bail!("{}", reply["msg"]);
        }
        assert_eq!(reply["changed"], false);
        Ok(reply["looks"].clone())
    }

    #[test]
    fn each_look_has_its_own_reply() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("volumes");
        std::fs::create_dir(&path).unwrap();
        let looks = looked(json!({
            "volumes": {"module": "zfs_receive_info", "options": {"path": path}},
            "snapshots": {"module": "zfs_snapshot_info", "options": {"guests": {"web1": {"path": "/v/web1.raw"}}}},
            "wrong": {"module": "bhyve_image_info", "options": {"stoer": "/x"}},
        }))
        .unwrap();
        assert_eq!((&looks["volumes"]["volumes"], &looks["volumes"]["changed"]), (&json!([]), &json!(false)));
        assert_eq!(looks["snapshots"]["guests"]["web1"]["snapshots"], json!([]));
        assert_eq!(looks["wrong"]["failed"], true);
        assert!(looks["wrong"]["msg"].as_str().unwrap().starts_with("reading option `stoer`"), "{looks}");
        assert!(looks["volumes"]["timings"]["total"]["seconds"].is_number());
    }

    #[test]
    fn what_would_change_something_is_no_look() {
        let error = looked(json!({"a": {"module": "zfs_receive", "options": {}}})).unwrap_err().to_string();
        assert!(
            error.contains("look a: found module")
                && error.contains("expected one of bhyve_image, bhyve_image_info"),
            "{error}"
        );
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! An empty volume: which options it has, and which belong to volumes of images.

use ansible_module::State;
use anyhow::{Context, Result, bail, ensure};

use super::{Params, whole_sectors};
use crate::job::{Blank, BlankContent, Content, Job};

/// The job of options with `blank`.
///
/// # Errors
/// Where options are there that only a volume of an image has, or others are missing.
pub fn job(params: Params) -> Result<Job> {
    refuse_images(&params)?;
    let present = params.state == State::Present;
    let volsize = params.volsize.filter(|_| present);
    ensure!(
        volsize.is_some() || !present,
        "option `volsize` is missing: an empty volume needs a size, as in 100G"
    );
    match (&params.path, &params.dataset) {
        (Some(_), None) => {
            let mode = params.mode.0;
            let content = volsize.map(|size| Content::Blank(BlankContent { volsize: size.0, mode }));
            params.raw_file(content).map(Job::RawFile)
        }
        (None, Some(name)) => {
            let name = name.clone();
            let Some(volsize) = volsize else { return Ok(Job::NoVolumes(vec![name])) };
            whole_sectors(volsize)?;
            let properties = params.properties.unwrap_or_default();
            Ok(Job::Blank(Blank { name, volsize: volsize.0, properties }))
        }
        (None, None) => bail!("options `path` and `dataset` are both missing: expected one of them"),
        (Some(_), Some(_)) => {
            bail!("both of the options `path` and `dataset` are given: expected one of them")
        }
    }
}

fn refuse_images(params: &Params) -> Result<()> {
    let options = [
        ("src", params.src.is_some()),
        ("guid", params.guid.is_some()),
        ("sha256", params.sha256.is_some()),
        ("golden", params.golden.is_some()),
        ("image", params.image.is_some()),
        ("replace", params.replace),
    ];
    let given = options.iter().find(|(_, given)| *given).map(|(name, _)| name);
    given.map_or(Ok(()), |name| {
        bail!("option `{name}` does not go with `blank`: it is for volumes that are made from an image")
    })?;
    params.volumes.is_none().then_some(()).context(
        "option `volumes` does not go with `blank`: it is for volumes of one image; several empty ones are asked for in `guests`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::RawFile;

    fn job(json: &str) -> Result<String, String> {
        let params: Params = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let job = params.job().map_err(|error| error.to_string())?;
        Ok(match job {
            Job::Blank(blank) => format!("{} of {}", blank.name, blank.volsize),
            Job::RawFile(RawFile { path, content: Some(Content::Blank(blank)), .. }) => {
                format!("{} of {}, mode {:o}", path.display(), blank.volsize, blank.mode)
            }
            Job::RawFile(RawFile { content: None, .. }) => "no file".to_owned(),
            Job::NoVolumes(names) => format!("no {names:?}"),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn an_empty_volume_is_a_job_of_its_own() {
        let table = [
            (
                r#"{"blank": true, "path": "/v/web1:data", "volsize": "1M"}"#,
                "/v/web1:data of 1048576, mode 600",
            ),
            (
                r#"{"blank": true, "dataset": "t/web1:data", "volsize": "1G", "replace": false}"#,
                "t/web1:data of 1073741824",
            ),
            (r#"{"blank": true, "path": "/v/web1", "state": "absent"}"#, "no file"),
            (
                r#"{"blank": true, "dataset": "t/d", "state": "absent", "volsize": "1G"}"#,
                r#"no [DatasetName("t/d")]"#,
            ),
        ];
        for (json, expected) in table {
            assert_eq!(job(json), Ok(expected.to_owned()), "{json}");
        }
    }

    #[test]
    fn options_of_images_are_refused_beside_it() {
        let dataset = r#""blank": true, "dataset": "t/d", "volsize": "1G""#;
        for option in [
            r#""src": "/i""#,
            r#""guid": "7""#,
            r#""golden": "t/i""#,
            r#""image": "demo""#,
            r#""replace": true"#,
        ] {
            let error = job(&format!("{{{dataset}, {option}}}")).unwrap_err();
            let name = option.split('"').nth(1).unwrap();
            let expected = format!(
                "option `{name}` does not go with `blank`: it is for volumes that are made from an image"
            );
            assert_eq!(error, expected);
        }
        let sum = format!("{{{dataset}, \"sha256\": \"{}\"}}", "0".repeat(64));
        assert!(job(&sum).unwrap_err().starts_with("option `sha256` does not go with `blank`"));
        let table = [
            (r#""volumes": []"#, "option `volumes` does not go with `blank`"),
            (r#""dataset": "t/d""#, "option `volsize` is missing: an empty volume needs a size, as in 100G"),
            (
                r#""dataset": "t/d", "volsize": 1000"#,
                "option `volsize` is 1000: expected whole sectors of 512",
            ),
            (r#""dataset": "t/d", "volsize": 0"#, "option `volsize` is 0: expected whole sectors of 512"),
            (
                r#""path": "/v/w", "volsize": "8192P""#,
                "option `volsize` is 8192P: expected whole sectors of 512",
            ),
            (r#""volsize": "1G""#, "options `path` and `dataset` are both missing"),
            (
                r#""path": "/v", "dataset": "t/d", "volsize": "1G""#,
                "both of the options `path` and `dataset` are given",
            ),
            (
                r#""path": "/v", "properties": {}, "volsize": "1G""#,
                "option `properties` goes with `dataset`, not with `path`",
            ),
        ];
        for (options, expected) in table {
            let error = job(&format!("{{\"blank\": true, {options}}}")).unwrap_err();
            assert!(error.starts_with(expected), "{options}: {error}");
        }
    }
}

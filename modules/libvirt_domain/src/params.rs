// SPDX-License-Identifier: GPL-3.0-or-later

//! The module's options.

use ansible_module::Seconds;
use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::names::{ConnectUri, DomainName};
use crate::patience::default_patience;
use crate::turn::{LAST, LONGEST, Turn};

/// Options of `libvirt_domain`; documented for users in plugins/modules/libvirt_domain.py.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Name of the domain.
    pub name: DomainName,
    /// Where the hypervisor is.
    #[serde(default)]
    pub uri: Option<ConnectUri>,
    /// Definition of the domain; without it an existing domain is only started, stopped or removed.
    #[serde(default)]
    pub xml: Option<String>,
    /// The name from which its UUID and its MAC addresses follow, where that is not its own.
    #[serde(default)]
    pub identity: Option<DomainName>,
    /// The name that it had, where it has got another one.
    #[serde(default)]
    pub renamed_from: Option<DomainName>,
    /// What the domain shall be.
    #[serde(default)]
    pub state: State,
    /// Whether it starts with the host; left alone where absent.
    #[serde(default)]
    pub autostart: Option<bool>,
    /// With `autostart`, when its turn is: lower ones start first.
    #[serde(default)]
    pub order: Option<u32>,
    /// With `autostart`, seconds to wait after its start before the next one's.
    #[serde(default)]
    pub delay: Option<u32>,
    /// Whether a running guest is restarted when it no longer runs what is defined.
    #[serde(default)]
    pub restart: Restart,
    /// What a running guest shall have done before the task ends.
    #[serde(default)]
    pub wait_for: Option<WaitFor>,
    /// Power a guest off that does not shut down in time, and remove one that runs.
    #[serde(default)]
    pub force: bool,
    /// How long a guest may take to shut down; 0 powers it off at once where `force` allows it.
    #[serde(default = "a_minute")]
    pub shutdown_timeout: Seconds,
    /// How long libvirt may take for one answer.
    #[serde(default = "default_patience")]
    pub answer_timeout: Seconds,
}

/// What a domain shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Defined and running.
    #[default]
    Running,
    /// Defined and not running.
    Shutoff,
    /// Defined; whether it runs is left alone.
    Present,
    /// Not defined.
    Absent,
}

/// When a running guest is restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Never; the reply says `restart_required`.
    #[default]
    Never,
    /// When it runs another definition than the one it has now.
    IfChanged,
    /// By every task that asks for it.
    Always,
}

/// What a running guest shall have done before the task ends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitFor {
    /// Text on its console.
    #[serde(default)]
    pub console: Option<String>,
    /// Address on which `port` shall accept a connection.
    #[serde(default)]
    pub host: Option<String>,
    /// TCP port that shall accept a connection.
    #[serde(default)]
    pub port: Option<u16>,
    /// Answer from the QEMU guest agent.
    #[serde(default)]
    pub agent: bool,
    /// How long all of this may take together.
    #[serde(default = "two_minutes")]
    pub timeout: Seconds,
}

fn a_minute() -> Seconds {
    Seconds::new(60)
}

fn two_minutes() -> Seconds {
    Seconds::new(120)
}

impl Params {
    /// Refuses options that contradict each other.
    ///
    /// # Errors
    /// One line that names the options.
    pub fn check(&self) -> Result<()> {
        self.check_turn()?;
        self.check_rename()?;
        let Some(wait) = &self.wait_for else { return Ok(()) };
        ensure!(
            wait.console.is_some() || wait.port.is_some() || wait.agent,
            "reading option `wait_for`: expected at least one of `console`, `port` and `agent`"
        );
        ensure!(
            wait.port.is_some() == wait.host.is_some(),
            "reading option `wait_for`: expected `host` and `port` together"
        );
        ensure!(wait.port != Some(0), "reading option `wait_for.port`: expected 1 to 65535, found 0");
        ensure!(
            wait.console.as_ref().is_none_or(|text| !text.is_empty() && text.len() <= 1024),
            "reading option `wait_for.console`: expected a text of 1 to 1024 bytes"
        );
        Ok(())
    }

    fn check_rename(&self) -> Result<()> {
        let Some(old) = &self.renamed_from else { return Ok(()) };
        ensure!(
            *old != self.name,
            "reading option `renamed_from`: expected another name than the domain's, found {old}"
        );
        ensure!(
            self.xml.is_some() && self.state != State::Absent,
            "reading option `renamed_from`: expected `xml` with it, and another `state` than `absent`"
        );
        Ok(())
    }

    /// The name from which its UUID and its MAC addresses follow.
    pub(crate) fn identity(&self) -> &str {
        self.identity.as_ref().unwrap_or(&self.name).as_str()
    }

    fn check_turn(&self) -> Result<()> {
        for (option, value, most) in [("order", self.order, LAST), ("delay", self.delay, LONGEST)] {
            let Some(value) = value else { continue };
            ensure!(value <= most, "reading option `{option}`: expected 0 to {most}, found {value}");
            ensure!(
                self.autostart == Some(true),
                "reading option `{option}`: expected it with `autostart: true` only, since it says when a guest starts with the host"
            );
        }
        Ok(())
    }

    /// When its turn is to start with the host, where it has one.
    pub(crate) fn turn(&self) -> Option<Turn> {
        let delay = self.delay.unwrap_or(0);
        (self.order.is_some() || delay > 0).then_some(Turn { order: self.order, delay })
    }

    /// Whether the task ends when the guest has answered.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.state == State::Running && self.wait_for.is_some()
    }

    /// Whether a guest is not even asked to shut down.
    pub(crate) fn powers_off_at_once(&self) -> bool {
        self.force && self.shutdown_timeout.duration().is_zero()
    }

    /// The connection to use.
    pub fn connection(&self) -> ConnectUri {
        self.uri.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(options: Value) -> Result<Params> {
        let params: Params = serde_json::from_value(options)?;
        params.check()?;
        Ok(params)
    }

    #[test]
    fn a_name_is_enough() {
        let params = read(json!({"name": "web1", "wait_for": null, "autostart": null})).unwrap();
        assert_eq!((params.state, params.restart, params.force), (State::Running, Restart::Never, false));
        assert_eq!(params.shutdown_timeout.to_string(), "60 s");
    }

    #[test]
    fn a_turn_belongs_to_autostart() {
        let turn = |options| read(options).unwrap().turn();
        assert_eq!(turn(json!({"name": "web1", "autostart": true, "order": null, "delay": null})), None);
        assert_eq!(turn(json!({"name": "web1", "autostart": true, "delay": 0})), None);
        let delayed = Some(Turn { order: None, delay: 5 });
        assert_eq!(turn(json!({"name": "web1", "autostart": true, "delay": 5})), delayed);
        let zero = Some(Turn { order: Some(0), delay: 0 });
        assert_eq!(turn(json!({"name": "web1", "autostart": true, "order": 0})), zero);
        let alone =
            "expected it with `autostart: true` only, since it says when a guest starts with the host";
        for (options, message) in [
            (json!({"order": 1}), format!("reading option `order`: {alone}")),
            (json!({"autostart": false, "delay": 1}), format!("reading option `delay`: {alone}")),
            (
                json!({"autostart": true, "order": 10_000}),
                "reading option `order`: expected 0 to 9999, found 10000".into(),
            ),
            (
                json!({"autostart": true, "delay": 86_401}),
                "reading option `delay`: expected 0 to 86400, found 86401".into(),
            ),
        ] {
            let mut all = json!({"name": "web1"});
            all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
            assert_eq!(read(all).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_rename_needs_a_definition_under_another_name() {
        let error = |options| read(options).unwrap_err().to_string();
        assert_eq!(
            error(json!({"name": "web1", "renamed_from": "web1", "xml": "<domain/>"})),
            "reading option `renamed_from`: expected another name than the domain's, found web1"
        );
        let without =
            "reading option `renamed_from`: expected `xml` with it, and another `state` than `absent`";
        assert_eq!(error(json!({"name": "www1", "renamed_from": "web1"})), without);
        let absent = json!({"name": "www1", "renamed_from": "web1", "xml": "<domain/>", "state": "absent"});
        assert_eq!(error(absent), without);
        assert_eq!(read(json!({"name": "www1"})).unwrap().identity(), "www1");
        assert_eq!(read(json!({"name": "www1", "identity": "web1"})).unwrap().identity(), "web1");
    }

    #[test]
    fn contradictions_are_refused() {
        let cases = [
            (json!({}), "expected at least one of `console`, `port` and `agent`"),
            (json!({"port": 22}), "expected `host` and `port` together"),
            (json!({"host": "::1", "agent": true}), "expected `host` and `port` together"),
        ];
        for (wait, reason) in cases {
            let error = read(json!({"name": "web1", "wait_for": wait})).unwrap_err();
            assert_eq!(error.to_string(), format!("reading option `wait_for`: {reason}"));
        }
        let wait = json!({"port": 0, "host": "::1"});
        assert_eq!(
            read(json!({"name": "web1", "wait_for": wait})).unwrap_err().to_string(),
            "reading option `wait_for.port`: expected 1 to 65535, found 0"
        );
        let wait = json!({"console": ""});
        assert_eq!(
            read(json!({"name": "web1", "wait_for": wait})).unwrap_err().to_string(),
            "reading option `wait_for.console`: expected a text of 1 to 1024 bytes"
        );
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! How a domain starts with the host: not at all, by libvirt's mark, or in its turn.

use super::*;

fn starting(marked: bool, order: Option<u32>) -> Option<Found> {
    let turn = order.map(|order| Turn { order: Some(order), delay: 0 });
    Some(Found { start: Start { marked, turn }, ..on() })
}

fn lacking_script(options: Value, found: Option<Found>) -> Plan {
    let observed = Observed { found, lacks_script: true, ..Observed::default() };
    plan(&params(options), None, &observed).unwrap()
}

#[test]
fn a_turn_takes_the_place_of_the_mark_and_the_mark_that_of_the_turn() {
    let (yes, no) = (json!({"autostart": true}), json!({"autostart": false}));
    let second = json!({"autostart": true, "order": 2});
    for (options, marked, order, expected) in [
        (&second, false, None, "turn"),
        (&second, true, None, "turn autostart-off"),
        (&second, true, Some(2), "autostart-off"),
        (&second, false, Some(1), "turn"),
        (&second, false, Some(2), ""),
        (&yes, false, Some(2), "autostart-on no-turn"),
        (&yes, true, Some(2), "no-turn"),
        (&yes, true, None, ""),
        (&no, true, Some(2), "autostart-off no-turn"),
        (&no, false, None, ""),
        (&json!({}), true, Some(2), ""),
    ] {
        assert_eq!(
            steps(options.clone(), Some(XML), starting(marked, order)),
            expected,
            "{options} {order:?}"
        );
    }
}

#[test]
fn a_turn_is_told_and_shown() {
    let options = json!({"autostart": true, "order": 1, "delay": 30});
    let plan = planned(options, Some(XML), starting(true, None)).unwrap();
    assert!(plan.diff.before.starts_with("state: running\nautostart: true\n"), "{}", plan.diff.before);
    assert!(plan.diff.after.starts_with("state: running\nautostart: true, order 1, delay 30 s\n"));
    let told = |plan: &Plan| (plan.outcome.autostart, plan.outcome.order, plan.outcome.delay);
    assert_eq!(told(&plan), (true, Some(1), Some(30)));
    assert_eq!(told(&planned(json!({}), None, starting(false, Some(2))).unwrap()), (true, Some(2), Some(0)));
    let plan = planned(json!({"autostart": false}), None, starting(false, Some(2))).unwrap();
    assert_eq!(told(&plan), (false, None, None));
}

#[test]
fn a_turn_that_nobody_would_see_to_is_missing_something() {
    let options = json!({"autostart": true, "order": 1});
    assert_eq!(
        lacking_script(options, Some(on())).missing,
        [
            "boot script /usr/local/libexec/apiary-guests, which starts guests with `order` or `delay` (the playbook \
          apiary.bhyve.hypervisor installs it)"
        ]
    );
}

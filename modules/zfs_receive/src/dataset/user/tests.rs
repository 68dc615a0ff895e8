// SPDX-License-Identifier: GPL-3.0-or-later

use super::*;

fn user_called(who: &str, is_udev: bool) -> Option<User> {
    Some(User { who: who.to_owned(), is_udev })
}

/// What `lasting` makes of users seen one after the other, where only udev or only others may stay.
fn lasting_of<const N: usize>(looks: [Option<User>; N], udev_may_stay: bool) -> Option<String> {
    let (short, long) = (Duration::ZERO, test_support::patience(60));
    let (glance, udev_limit) = if udev_may_stay { (short, long) } else { (long, short) };
    let mut looks = looks.into_iter();
    lasting(|| looks.next().unwrap(), glance, udev_limit)
}

#[test]
fn a_user_is_who_stays_longer_than_it_takes_to_look() {
    let (udev, guest) = (user_called("udev", true), user_called("guest", false));
    let guests = || Some("guest".to_owned());
    assert_eq!(lasting_of([None], true), None);
    assert_eq!(lasting_of([udev.clone(), udev.clone(), udev.clone(), None], true), None);
    assert_eq!(lasting_of([udev.clone(), guest.clone()], true), guests());
    assert_eq!(lasting_of([guest.clone()], true), guests());
    assert_eq!(lasting_of([guest.clone(), guest, None], false), None);
    assert_eq!(lasting_of([udev], false), Some("udev".to_owned()));
}

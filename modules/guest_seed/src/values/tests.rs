// SPDX-License-Identifier: GPL-3.0-or-later

//! Tests of what is accepted, put right and refused.

use super::*;

fn errors<T: TryFrom<String, Error = String> + std::fmt::Debug>(cases: &[(&str, &str)]) {
    for (text, message) in cases {
        assert_eq!(T::try_from((*text).to_owned()).unwrap_err(), *message, "{text}");
    }
}

fn accepted<T: TryFrom<String, Error = String> + std::fmt::Debug>(texts: &[&str]) {
    for text in texts {
        T::try_from((*text).to_owned()).unwrap();
    }
}

#[test]
fn addresses() {
    errors::<Address>(&[
        (
            "192.0.2.11",
            "address \"192.0.2.11\" has no prefix length: write 192.0.2.11/24 if the IPv4 network has that size",
        ),
        (
            "2001:db8::1",
            "address \"2001:db8::1\" has no prefix length: write 2001:db8::1/64 if the IPv6 network has that size",
        ),
        (
            "192.0.2.11/33",
            "invalid address \"192.0.2.11/33\": expected dhcp, dhcp6, ra or an address with prefix, as in 192.0.2.11/24",
        ),
        (
            "web1",
            "invalid address \"web1\": expected dhcp, dhcp6, ra or an address with prefix, as in 192.0.2.11/24",
        ),
        (
            "192.0.2.0/24",
            "address \"192.0.2.0/24\" is the network's own or its broadcast address: expected a host's, as in 192.0.2.11/24",
        ),
        (
            "192.0.2.255/24",
            "address \"192.0.2.255/24\" is the network's own or its broadcast address: expected a host's, as in 192.0.2.11/24",
        ),
        (
            "2001:db8::/64",
            "address \"2001:db8::/64\" is the network's own or its broadcast address: expected a host's, as in 192.0.2.11/24",
        ),
        ("0.0.0.0/32", "address \"0.0.0.0/32\" cannot be an interface's"),
        ("224.0.0.9/24", "address \"224.0.0.9/24\" cannot be an interface's"),
    ]);
    for text in ["dhcp", "dhcp4"] {
        assert_eq!(Address::try_from(text.to_owned()), Ok(Address::Dhcp));
    }
    assert_eq!(Address::try_from("dhcp6".to_owned()), Ok(Address::Dhcp6));
    assert_eq!(Address::try_from("ra".to_owned()), Ok(Address::Advertised));
    accepted::<Address>(&[
        "192.0.2.11/24",
        "192.0.2.0/31",
        "192.0.2.0/32",
        "2001:db8::1/64",
        "2001:db8::/127",
    ]);
}

#[test]
fn a_mac_address_is_put_right() {
    assert_eq!(
        MacAddress::try_from("58:9C:FC:00:0A:01".to_owned()).unwrap().to_string(),
        "58:9c:fc:00:0a:01"
    );
    errors::<MacAddress>(&[
        (
            "58-9c-fc-00-00-01",
            "invalid MAC address \"58-9c-fc-00-00-01\": expected the address of one interface, as in 58:9c:fc:00:00:01",
        ),
        (
            "01:00:5e:00:00:01",
            "invalid MAC address \"01:00:5e:00:00:01\": expected the address of one interface, as in 58:9c:fc:00:00:01",
        ),
        (
            "58:9c:fc:00:01",
            "invalid MAC address \"58:9c:fc:00:01\": expected the address of one interface, as in 58:9c:fc:00:00:01",
        ),
        (
            "+8:9c:fc:00:00:01",
            "invalid MAC address \"+8:9c:fc:00:00:01\": expected the address of one interface, as in 58:9c:fc:00:00:01",
        ),
    ]);
}

#[test]
fn names_that_a_shell_would_take_apart_are_refused() {
    for text in ["", "a b", "a;b", "$(a)", "a`b`", "a\nb", "a'b", "A", "1a", "größe", "-a", "a/b", "a:b"] {
        AccountName::try_from(text.to_owned()).unwrap_err();
    }
    for text in ["", "a b", "a;b", "$(a)", "-y", "a\n", "a'b", "größe"] {
        PackageName::try_from(text.to_owned()).unwrap_err();
    }
    for text in ["", "bin/sh", "/bin/sh ", "/a/../b", "/a;b", "/a\n", "/", "/a/"] {
        PlainPath::try_from(text.to_owned()).unwrap_err();
    }
    for text in ["", "../x", "Europe/Berlin;x", "/etc", "a b"] {
        TimeZone::try_from(text.to_owned()).unwrap_err();
    }
    for text in ["", "0vtnet", "vtnet0 x", "a234567890123456", "a\n"] {
        InterfaceName::try_from(text.to_owned()).unwrap_err();
    }
    accepted::<AccountName>(&["web", "_ntp", "a.b-c_d9"]);
    accepted::<PackageName>(&["bash", "py311-pip", "libstdc++6", "www/nginx", "nginx=1.22.1-9", "g++:amd64"]);
    accepted::<PlainPath>(&["/bin/sh", "/usr/local/etc/rc.conf.d/a+b@c"]);
    accepted::<TimeZone>(&["Europe/Berlin", "UTC", "Etc/GMT+1"]);
    accepted::<InterfaceName>(&["vtnet0", "eth0.100", "enp0s3"]);
}

#[test]
fn host_names_follow_rfc_1123() {
    let long = "a".repeat(64);
    let longest = vec!["a".repeat(63); 4].join(".");
    for text in ["", ".", "a..b", "-a", "a-", "a_b", "a b", "größe", long.as_str(), longest.as_str()] {
        HostName::try_from(text.to_owned()).unwrap_err();
    }
    accepted::<HostName>(&["web1", "web1.example.org", "3com.example", &"a".repeat(63)]);
    errors::<HostName>(&[(
        "web_1",
        "invalid host name \"web_1\": expected labels of 1 to 63 letters, digits and inner dashes, joined by dots, 253 characters in all, as in web1.example.org",
    )]);
}

#[test]
fn keys_are_public_and_on_one_line() {
    accepted::<SshKey>(&[
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@here",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNh",
        "sk-ssh-ed25519@openssh.com AAAAGnNr",
        "from=\"192.0.2.0/24\",command=\"echo hi\" ssh-rsa AAAAB3NzaC1yc2E me",
    ]);
    for text in [
        "",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "ssh-rsa",
        "ssh-rsa AAAA\nssh-rsa AAAA",
        "AAAA",
        "ssh-rsa BBBB",
        "ssh-ed25519 AAAA...",
        "ssh-ed25519 AAAA... me@here",
    ] {
        SshKey::try_from(text.to_owned()).unwrap_err();
    }
}

#[test]
fn a_password_is_never_repeated() {
    for text in [
        "secret",
        "$6$short",
        "",
        "$6$salt with space and enough letters",
        "$6$salt:colon-and-enough-letters",
    ] {
        assert_eq!(
            PasswordHash::try_from(text.to_owned()).unwrap_err(),
            "this is not a password hash: expected one as crypt(3) makes it, beginning with $; make it with `openssl passwd -6` or the filter password_hash"
        );
    }
    let hash = PasswordHash::try_from("$6$j212wezy$7H/1LT4f9/N3wpgNunhsIqtMj62OKiS3".to_owned()).unwrap();
    assert_eq!(format!("{hash:?}"), "PasswordHash(not shown)");
}

#[test]
fn file_modes_are_octal_text() {
    accepted::<FileMode>(&["0644", "01777"]);
    // YAML makes 420 of an unquoted 0644.
    errors::<FileMode>(&[(
        "420",
        "invalid file mode \"420\": expected octal digits beginning with 0, in quotes, as in \"0644\"",
    )]);
    for text in ["0", "0888", "644", "rw-r--r--"] {
        FileMode::try_from(text.to_owned()).unwrap_err();
    }
    accepted::<FileOwner>(&["root", "www:www"]);
    for text in ["", ":", "www:", "a:b:c", "0"] {
        FileOwner::try_from(text.to_owned()).unwrap_err();
    }
}

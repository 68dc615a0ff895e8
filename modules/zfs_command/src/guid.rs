// SPDX-License-Identifier: GPL-3.0-or-later

//! Guids of snapshots.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The guid of a snapshot: the identity of an image. Text in JSON, where large numbers lose digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guid(pub u64);

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GuidVisitor)
    }
}

struct GuidVisitor;

impl Visitor<'_> for GuidVisitor {
    type Value = Guid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the guid of a snapshot as `zfs get -Hp guid` shows it, as in 7119270074782723516")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Guid, E> {
        Ok(Guid(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Guid, E> {
        match value.parse() {
            Ok(guid) if value.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Guid(guid)),
            _ => Err(E::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_their_text() {
        let guid =
            |json: &str| serde_json::from_str::<Guid>(json).map(|guid| guid.0).map_err(|e| e.to_string());
        assert_eq!(guid("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(guid(r#""7119270074782723516""#), Ok(7119270074782723516));
        for wrong in ["-1", r#""0x1""#, r#""+1""#, r#""""#, "1.5"] {
            assert!(guid(wrong).unwrap_err().contains("expected the guid of a snapshot"), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&Guid(u64::MAX)).unwrap(), r#""18446744073709551615""#);
    }
}

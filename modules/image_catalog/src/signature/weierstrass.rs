// SPDX-License-Identifier: GPL-3.0-or-later

//! Points of Curve25519 in its two forms: compressed Edwards, which everyone uses, and short Weierstrass, in which
//! pkg writes keys. Public values only, so nothing here needs constant time.
//!
//! With A = 486662: u = X - A/3 and v = Y are Montgomery's coordinates, and Edwards' are
//! y = (u - 1) / (u + 1), x = sqrt(-(A + 2)) * u / v (RFC 7748, section 4.1).

use anyhow::{Result, ensure};
use num_bigint::BigUint;

struct Field {
    p: BigUint,
    /// A / 3.
    third_of_a: BigUint,
    /// The square root of -(A + 2) that RFC 7748 takes.
    scale: BigUint,
}

impl Field {
    fn new() -> Self {
        let p = (BigUint::from(1u8) << 255) - BigUint::from(19u8);
        let mut field = Self { p, third_of_a: BigUint::default(), scale: BigUint::default() };
        field.third_of_a = field.divide(&BigUint::from(486_662u32), &BigUint::from(3u8));
        let root = field.root(&(&field.p - BigUint::from(486_664u32))).unwrap_or_default();
        // RFC 7748's two base points are each other's image under the odd one of the two roots.
        field.scale = if is_odd(&root) { root } else { &field.p - root };
        field
    }

    fn subtract(&self, a: &BigUint, b: &BigUint) -> BigUint {
        (a + &self.p - b) % &self.p
    }

    fn multiply(&self, a: &BigUint, b: &BigUint) -> BigUint {
        a * b % &self.p
    }

    fn divide(&self, a: &BigUint, b: &BigUint) -> BigUint {
        let inverse = b.modpow(&(&self.p - BigUint::from(2u8)), &self.p);
        self.multiply(a, &inverse)
    }

    /// A square root, for p = 5 modulo 8; `None` where there is none.
    fn root(&self, square: &BigUint) -> Option<BigUint> {
        let candidate = square.modpow(&((&self.p + BigUint::from(3u8)) >> 3), &self.p);
        let of_minus_one = BigUint::from(2u8).modpow(&((&self.p - BigUint::from(1u8)) >> 2), &self.p);
        let other = self.multiply(&candidate, &of_minus_one);
        [candidate, other].into_iter().find(|root| self.multiply(root, root) == *square)
    }
}

/// The compressed Edwards form of a Weierstrass point given by its coordinates, 32 bytes each.
pub(super) fn to_edwards(x: &[u8], y: &[u8]) -> Result<[u8; 32]> {
    let field = Field::new();
    let one = BigUint::from(1u8);
    let (x, v) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
    ensure!(x < field.p && v < field.p, "the coordinates of an Ed25519 key are out of range");
    let u = field.subtract(&x, &field.third_of_a);
    let squared = field.multiply(&u, &field.multiply(&u, &(&u + BigUint::from(486_662u32)))) + &u;
    ensure!(
        field.multiply(&v, &v) == squared % &field.p && v != BigUint::default(),
        "the coordinates of an Ed25519 key are not on its curve"
    );
    let edwards_y = field.divide(&field.subtract(&u, &one), &(&u + &one));
    let edwards_x = field.divide(&field.multiply(&field.scale, &u), &v);
    Ok(compress(&edwards_x, &edwards_y))
}

/// The Weierstrass coordinates of a compressed Edwards point.
pub(super) fn from_edwards(compressed: &[u8; 32]) -> Result<([u8; 32], [u8; 32])> {
    let field = Field::new();
    let one = BigUint::from(1u8);
    let mut bytes = *compressed;
    bytes[31] &= 0x7f;
    let y = BigUint::from_bytes_le(&bytes);
    // x^2 = (y^2 - 1) / (d y^2 + 1) with d = -121665/121666.
    let d = field.subtract(&field.p, &field.divide(&BigUint::from(121_665u32), &BigUint::from(121_666u32)));
    let y_squared = field.multiply(&y, &y);
    let square = field.divide(&field.subtract(&y_squared, &one), &(field.multiply(&d, &y_squared) + &one));
    let root = field.root(&square).filter(|root| *root != BigUint::default());
    let Some(root) = root else {
        anyhow::bail!("an Ed25519 key is not a point that can be written in pkg's form")
    };
    let x = if is_odd(&root) == (compressed[31] >> 7 == 1) { root } else { &field.p - root };
    let u = field.divide(&(&y + &one), &field.subtract(&one, &y));
    let v = field.divide(&field.multiply(&field.scale, &u), &x);
    Ok((big_endian(&((&u + &field.third_of_a) % &field.p)), big_endian(&v)))
}

fn compress(x: &BigUint, y: &BigUint) -> [u8; 32] {
    let mut bytes = big_endian(y);
    bytes.reverse();
    bytes[31] |= u8::from(is_odd(x)) << 7;
    bytes
}

fn is_odd(value: &BigUint) -> bool {
    value.to_bytes_le().first().is_some_and(|byte| byte & 1 == 1)
}

fn big_endian(value: &BigUint) -> [u8; 32] {
    let bytes = value.to_bytes_be();
    let mut padded = [0; 32];
    padded[32 - bytes.len()..].copy_from_slice(&bytes);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_point_has_its_published_coordinates() {
        let mut base = [0x66; 32];
        base[0] = 0x58;
        let (x, y) = from_edwards(&base).unwrap();
        // WEI25519's base point in draft-ietf-lwig-curve-representations, appendix E.3.
        assert_eq!(
            data_encoding::HEXLOWER.encode(&x),
            "2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad245a"
        );
        assert_eq!(
            data_encoding::HEXLOWER.encode(&y),
            "20ae19a1b8a086b4e01edd2c7748d14c923d4d7e6d7c61b229e9c5a27eced3d9"
        );
        assert_eq!(to_edwards(&x, &y).unwrap(), base);
    }

    #[test]
    fn refuses_points_off_the_curve() {
        assert_eq!(
            to_edwards(&[1; 32], &[1; 32]).unwrap_err().to_string(),
            "the coordinates of an Ed25519 key are not on its curve"
        );
        assert_eq!(
            to_edwards(&[255; 32], &[1; 32]).unwrap_err().to_string(),
            "the coordinates of an Ed25519 key are out of range"
        );
    }
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! The majority of RFC 5905, 11.2.1: the smallest interval that most peers' correctness intervals share.

/// One peer's claim: the true offset is within `radius` of `offset` (seconds).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// Middle of the interval.
    pub offset: f64,
    /// Half of its width.
    pub radius: f64,
}

/// What more than half of the claims agree on.
#[derive(Debug, Clone, PartialEq)]
pub struct Majority {
    /// Lower end in seconds.
    pub low: f64,
    /// Upper end in seconds.
    pub high: f64,
    /// Positions of the claims whose middle lies outside: falsetickers.
    pub outside: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Lower,
    Middle,
    Upper,
}

/// The majority interval, or nothing where no more than half agree.
pub fn majority(claims: &[Claim]) -> Option<Majority> {
    let mut edges: Vec<(f64, Edge)> = Vec::with_capacity(claims.len() * 3);
    for claim in claims {
        edges.push((claim.offset - claim.radius, Edge::Lower));
        edges.push((claim.offset, Edge::Middle));
        edges.push((claim.offset + claim.radius, Edge::Upper));
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    (0..claims.len()).take_while(|false_ones| 2 * false_ones < claims.len()).find_map(|false_ones| {
        let wanted = claims.len() - false_ones;
        let (low, skipped_below) = sweep(edges.iter().copied(), Edge::Lower, wanted)?;
        let (high, skipped_above) = sweep(edges.iter().rev().copied(), Edge::Upper, wanted)?;
        if skipped_below + skipped_above > false_ones || high < low {
            return None;
        }
        let outside = |claim: &Claim| claim.offset < low || claim.offset > high;
        let outside =
            claims.iter().enumerate().filter(|(_, claim)| outside(claim)).map(|(at, _)| at).collect();
        Some(Majority { low, high, outside })
    })
}

/// Walks inwards until `wanted` intervals are open; returns that edge and the middles passed on the way.
fn sweep(edges: impl Iterator<Item = (f64, Edge)>, opens: Edge, wanted: usize) -> Option<(f64, usize)> {
    let (mut open, mut middles) = (0usize, 0usize);
    for (value, edge) in edges {
        if edge == Edge::Middle {
            middles += 1;
        } else if edge == opens {
            open += 1;
            if open >= wanted {
                return Some((value, middles));
            }
        } else {
            open = open.saturating_sub(1);
        }
    }
    None
}

/// Middle of the values; the mean of the two middle ones where their number is even.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(half)) {
        (1, Some(middle)) => Some(*middle),
        (0, Some(upper)) => sorted.get(half - 1).map(|lower| (lower + upper) / 2.0),
        _ => None,
    }
}

/// Arithmetic mean.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, claims, and the interval with the positions outside it.
    type Case<'a> = (&'a str, &'a [(f64, f64)], Option<(f64, f64, Vec<usize>)>);

    fn select(claims: &[(f64, f64)]) -> Option<(f64, f64, Vec<usize>)> {
        let claims: Vec<_> = claims.iter().map(|&(offset, radius)| Claim { offset, radius }).collect();
        majority(&claims).map(|found| (found.low, found.high, found.outside))
    }

    #[test]
    fn majorities() {
        let cases: &[Case] = &[
            ("nobody", &[], None),
            ("one is its own majority", &[(3.0, 1.0)], Some((2.0, 4.0, vec![]))),
            ("two that agree", &[(0.0, 2.0), (1.0, 2.0)], Some((-1.0, 2.0, vec![]))),
            ("two that do not", &[(0.0, 2.0), (9.0, 2.0)], None),
            ("two against one", &[(0.0, 2.0), (1.0, 2.0), (9.0, 2.0)], Some((-1.0, 2.0, vec![2]))),
            (
                "three against one",
                &[(0.0, 2.0), (1.0, 2.0), (-1.0, 2.0), (9.0, 2.0)],
                Some((-1.0, 1.0, vec![3])),
            ),
            ("two against two", &[(0.0, 2.0), (1.0, 2.0), (9.0, 2.0), (8.0, 2.0)], None),
            (
                "three against two",
                &[(0.0, 1.0), (0.1, 1.0), (0.2, 1.0), (9.0, 1.0), (9.0, 1.0)],
                Some((-0.8, 1.0, vec![3, 4])),
            ),
            ("intervals that only touch", &[(0.0, 1.0), (2.0, 1.0), (9.0, 1.0)], None),
        ];
        for (name, claims, expected) in cases {
            assert_eq!(&select(claims), expected, "{name}");
        }
    }

    #[test]
    fn the_incident() {
        let claims = [(-984.784, 12.6), (-983.804, 16.8), (-985.821, 21.8), (105.506, 11.6)];
        let (low, high, outside) = select(&claims).unwrap();
        assert!(low > -998.0 && high < -967.0 && outside == [3], "{low} {high} {outside:?}");
    }

    #[test]
    fn middles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(mean(&[]), None);
    }
}

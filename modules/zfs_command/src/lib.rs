// SPDX-License-Identifier: GPL-3.0-or-later

//! The one wrapper of zfs(8): its names, its arguments, its output, its failures. No policy.

mod guid;
mod history;
mod name;
mod problem;
mod row;
mod send;
mod zfs;

pub use guid::Guid;
pub use history::Point;
pub use name::{DatasetName, IMAGE_SNAPSHOT, SnapshotName};
pub use problem::{Problem, judge, problem_of};
pub use row::{Kind, Property, Row, Snapshot};
pub use send::Sending;
pub use zfs::{Receive, Zfs};

// SPDX-License-Identifier: GPL-3.0-or-later

//! What is known of a stream before it is read, and what after.

use crate::features::Features;

/// What a stream may apply to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// Nothing is there: only a full stream will do.
    #[default]
    None,
    /// The stream is only being looked at: full or incremental.
    Any,
    /// A volume at this snapshot: only a stream from it will do.
    Volume {
        /// Guid of the volume's snapshot.
        guid: u64,
        /// Its size in bytes.
        volsize: u64,
        /// Its block size in bytes.
        volblocksize: u32,
    },
    /// A snapshot of another volume, of which a clone is made: only a stream from it will do.
    Origin {
        /// Guid of that snapshot.
        guid: u64,
        /// Its size in bytes.
        volsize: u64,
        /// Its block size in bytes.
        volblocksize: u32,
    },
}

/// What the caller knows beforehand; everything given is enforced.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expect {
    /// What the stream applies to.
    pub base: Base,
    /// Guid of the snapshot the stream must end at.
    pub guid: Option<u64>,
    /// Size of the volume in bytes at the end.
    pub volsize: Option<u64>,
}

/// How long a stream is, or was so far.
#[derive(Clone, Copy)]
pub(crate) struct Length {
    pub(crate) bytes: u64,
    pub(crate) records: u64,
}

/// The verdict on a stream that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Guid of the last snapshot: the identity of the image.
    pub toguid: u64,
    /// Guid of the snapshot the first stream applies to; 0 if it is a full one.
    pub fromguid: u64,
    /// Name of the last snapshot where it was sent.
    pub toname: String,
    /// When the last snapshot was taken, in seconds since the epoch.
    pub creation_time: u64,
    /// Feature flags of the last stream.
    pub features: Features,
    /// Size of the volume in bytes; `None` if an incremental stream leaves it as it is and no base was named.
    pub volsize: Option<u64>,
    /// Block size of the volume in bytes; `None` as above.
    pub volblocksize: Option<u32>,
    /// Length of the whole stream.
    pub bytes: u64,
    /// Records in the whole stream.
    pub records: u64,
}

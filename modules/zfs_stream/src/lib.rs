// SPDX-License-Identifier: GPL-3.0-or-later

//! ZFS send streams of volumes: read and verify them, replay them into a raw file, write them from a raw disk.
//! Works on values, byte streams and open files; starts no commands.

mod begin;
mod decode;
mod emit;
mod event;
mod expect;
mod features;
mod fletcher;
mod frames;
mod input;
mod layout;
mod lz4;
mod lzjb;
mod microzap;
mod nvlist;
mod read_ahead;
mod reader;
mod record;
mod replay;
mod sparse;
mod stream;
mod volume;
mod writer;
mod zfs_zstd;
mod zle;
mod zstd_literals;

pub use begin::Begin;
pub use event::Event;
pub use expect::{Base, Expect, Summary};
pub use features::Features;
pub use fletcher::Fletcher4;
pub use read_ahead::ReadAhead;
pub use reader::{Announced, Reader, Step, announced, verify};
pub use record::HEADER;
pub use replay::{Replay, replay};
pub use sparse::copy as copy_sparse;
pub use writer::{Image, write};

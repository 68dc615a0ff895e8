// SPDX-License-Identifier: GPL-3.0-or-later

//! The library as its callers use it, on captured streams and on streams built record by record.
#![cfg(test)]

mod fixtures;
mod guards;
mod guards_data;
mod guards_whole;
mod hostile;
mod robustness;
mod round_trip;
mod support;
mod zstream;

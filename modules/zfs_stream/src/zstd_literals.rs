// SPDX-License-Identifier: GPL-3.0-or-later

//! Literals in zstd blocks (RFC 8878, 4.2): whether each of their Huffman-coded streams ends with its data.
//!
//! Later versions of zstd do not look, for speed; of a corrupt stream they make what their processor makes of it.

/// Reads bits from the end to the start, as entropy-coded streams are read.
struct Backwards<'a> {
    data: &'a [u8],
    /// Bits that are left.
    left: usize,
}

impl<'a> Backwards<'a> {
    /// The highest bit that is set only marks the end.
    fn new(data: &'a [u8]) -> Option<Self> {
        let mark = data.last()?.checked_ilog2()? as usize;
        Some(Backwards { data, left: (data.len() - 1) * 8 + mark })
    }

    /// The next bits from the highest bit down, at least 57 of them; zeros where there are no more.
    fn window(&self) -> u64 {
        let end = self.left.div_ceil(8);
        let mut bytes = [0; 8];
        match self.data[..end].last_chunk() {
            Some(eight) => bytes = *eight,
            None => bytes[8 - end..].copy_from_slice(&self.data[..end]),
        }
        u64::from_le_bytes(bytes) << (end * 8 - self.left)
    }

    fn take(&mut self, bits: u32) -> Option<usize> {
        let taken = self.window().checked_shr(64 - bits).unwrap_or(0) as usize;
        self.left = self.left.checked_sub(bits as usize)?;
        Some(taken)
    }
}

/// Bits of the longest code.
const DEEPEST: u32 = 12;

/// Size of the largest table of weights, as a power of two.
const FINEST: u32 = 6;

/// What the blocks of a frame have in common: the last Huffman code, by the bits that the next `depth` bits begin with.
#[derive(Default)]
pub(crate) struct Literals {
    lengths: Vec<u8>,
    depth: u32,
}

impl Literals {
    /// Looks at a compressed block; `None` where its literals do not end with their data.
    pub(crate) fn check(&mut self, block: &[u8]) -> Option<()> {
        let kind = block.first()? & 3;
        if kind < 2 {
            // They are stored as they are.
            return Some(());
        }
        let format = block[0] >> 2 & 3;
        let (head, bits) = [(3, 10), (3, 10), (4, 14), (5, 18)][usize::from(format)];
        let mut header = [0; 8];
        header[..head].copy_from_slice(block.get(..head)?);
        let sizes = u64::from_le_bytes(header) >> 4;
        let (size, stored) = (sizes & ((1 << bits) - 1), sizes >> bits & ((1 << bits) - 1));
        let mut data = block.get(head..)?.get(..stored as usize)?;
        if kind == 2 {
            data = self.read_code(data)?;
        }
        if format == 0 {
            return self.ends(data, size as usize);
        }
        let (jumps, mut streams) = data.split_at_checked(6)?;
        let part = (size as usize).div_ceil(4);
        for jump in jumps.as_chunks().0 {
            let (stream, rest) = streams.split_at_checked(u16::from_le_bytes(*jump).into())?;
            self.ends(stream, part)?;
            streams = rest;
        }
        self.ends(streams, (size as usize).checked_sub(3 * part)?)
    }

    /// Whether so many symbols take all of a stream.
    fn ends(&self, stream: &[u8], symbols: usize) -> Option<()> {
        // As many as the bits of one look are enough for.
        const AT_ONCE: usize = 4;
        let mut bits = Backwards::new(stream)?;
        let shift = 64_u32.checked_sub(self.depth).filter(|shift| *shift < 64)?;
        let mut to_do = symbols;
        while to_do > 0 {
            let mut window = bits.window();
            for _ in 0..to_do.min(AT_ONCE) {
                let length = *self.lengths.get((window >> shift) as usize)?;
                window <<= length;
                bits.left = bits.left.checked_sub(length.into())?;
            }
            to_do -= to_do.min(AT_ONCE);
        }
        (bits.left == 0).then_some(())
    }

    /// Reads the description of a code; gives what follows it.
    fn read_code<'a>(&mut self, data: &'a [u8]) -> Option<&'a [u8]> {
        let (head, rest) = data.split_first()?;
        let direct = head.checked_sub(128).map(|more| usize::from(more) + 1);
        let (packed, behind) =
            rest.split_at_checked(direct.map_or(usize::from(*head), |weights| weights.div_ceil(2)))?;
        let mut weights = match direct {
            Some(count) => packed.iter().flat_map(|pair| [pair >> 4, pair & 15]).take(count).collect(),
            None => weights(packed)?,
        };
        if weights.iter().any(|weight| u32::from(*weight) >= DEEPEST) {
            return None;
        }
        // The last one is what makes the sum a power of two, and is one itself.
        let sum: u32 = weights.iter().filter(|weight| **weight > 0).map(|weight| 1 << (weight - 1)).sum();
        self.depth = Some(sum.checked_ilog2()? + 1).filter(|depth| *depth <= DEEPEST)?;
        let last = Some((1_u32 << self.depth) - sum).filter(|last| last.is_power_of_two())?;
        weights.push(last.ilog2() as u8 + 1);
        weights.sort_unstable();
        self.lengths.clear();
        for weight in weights.into_iter().filter(|weight| *weight > 0) {
            let length = (self.depth as u8 + 1).checked_sub(weight)?;
            self.lengths.extend(std::iter::repeat_n(length, 1 << (weight - 1)));
        }
        Some(behind)
    }
}

/// Weights that are coded themselves, by two states of one FSE table that take turns.
fn weights(packed: &[u8]) -> Option<Vec<u8>> {
    let (table, accuracy, stream) = fse_table(packed)?;
    let mut bits = Backwards::new(stream)?;
    let mut states = [bits.take(accuracy)?, bits.take(accuracy)?];
    let mut found = Vec::new();
    for turn in (0..2).cycle() {
        let (weight, length, base) = *table.get(states[turn])?;
        found.push(weight);
        match bits.take(length) {
            Some(more) => states[turn] = base + more,
            None => {
                found.push(table.get(states[1 - turn])?.0);
                break;
            }
        }
        // More than there are symbols.
        if found.len() > 255 {
            return None;
        }
    }
    Some(found)
}

/// A table by state: what it stands for, the bits to read for the next state, and what to add to them. With it its size, as a power of
/// two, and what follows its description (4.1.1).
type Table<'a> = (Vec<(u8, u32, usize)>, u32, &'a [u8]);

fn fse_table(packed: &[u8]) -> Option<Table<'_>> {
    let accuracy = Some(u32::from(packed.first()? & 15) + 5).filter(|accuracy| *accuracy <= FINEST)?;
    let (mut at, mut left) = (4, (1_i32 << accuracy) + 1);
    let mut counts: Vec<i32> = Vec::new();
    while left > 1 && counts.len() < 256 {
        let bits = left.ilog2() + 1;
        let value = forwards(packed, at, bits);
        // The lower values take a bit less.
        let short = (1 << bits) - 1 - left;
        let half = 1 << (bits - 1);
        let count = if value & (half - 1) < short {
            at += bits as usize - 1;
            value & (half - 1)
        } else {
            at += bits as usize;
            if value >= half { value - short } else { value }
        } - 1;
        left -= count.abs();
        counts.push(count);
        // Behind a zero, more of them.
        let mut again = count == 0;
        while again {
            let zeros = forwards(packed, at, 2);
            at += 2;
            counts.extend(std::iter::repeat_n(0, zeros as usize));
            again = zeros == 3 && counts.len() < 256;
        }
    }
    let stream = packed.get(at.div_ceil(8)..)?;
    (left == 1).then(|| (spread(&counts, accuracy), accuracy, stream))
}

/// Bits from the start to the end; zeros after it.
fn forwards(data: &[u8], at: usize, bits: u32) -> i32 {
    let byte = |number: usize| u32::from(data.get(at / 8 + number).copied().unwrap_or(0)) << (8 * number);
    let window = (byte(0) | byte(1) | byte(2)) >> (at % 8);
    (window & ((1 << bits) - 1)) as i32
}

/// The table that these counts make.
fn spread(counts: &[i32], accuracy: u32) -> Vec<(u8, u32, usize)> {
    let size = 1_usize << accuracy;
    let mut symbols = vec![0; size];
    let mut end = size;
    for (symbol, _) in counts.iter().enumerate().filter(|(_, count)| **count < 0) {
        end -= 1;
        symbols[end] = symbol;
    }
    let mut at = 0;
    for (symbol, count) in counts.iter().enumerate() {
        for _ in 0..*count {
            symbols[at] = symbol;
            at = (at + (size >> 1) + (size >> 3) + 3) % size;
            while at >= end {
                at = (at + (size >> 1) + (size >> 3) + 3) % size;
            }
        }
    }
    let mut next: Vec<usize> = counts.iter().map(|count| count.unsigned_abs() as usize).collect();
    let state = |symbol: usize| {
        let number = next[symbol];
        next[symbol] += 1;
        let bits = accuracy - number.ilog2();
        (symbol as u8, bits, (number << bits) - size)
    };
    symbols.into_iter().map(state).collect()
}

// SPDX-License-Identifier: GPL-3.0-or-later

//! What a web server said, reduced to what matters for fetching a file.

use anyhow::{Context, Result, bail};
use ureq::http::{Response, StatusCode, header};
use ureq::{Body, BodyReader};

/// The part of a file to ask for.
#[derive(Clone, Debug)]
pub(super) struct Range {
    /// First byte wanted.
    pub(super) from: u64,
    /// What the file had been known by, so that a changed one is not mixed with the old.
    pub(super) validator: Option<String>,
}

/// An answer to a request for a file.
pub(super) enum Answer {
    /// There is no such file.
    Missing,
    /// The file ends before the range asked for.
    Beyond,
    /// Bytes of the file.
    Bytes(Bytes),
}

/// Bytes of a file, from `start` on.
pub(super) struct Bytes {
    pub(super) start: u64,
    pub(super) size: Option<u64>,
    pub(super) validator: Option<String>,
    pub(super) reader: BodyReader<'static>,
}

impl Answer {
    /// Sorts a response by its status; `None` where the server is busy.
    pub(super) fn judge(response: Response<Body>) -> Result<Option<Self>> {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let (start, size) = match response.status() {
            StatusCode::OK => {
                let size = header(header::CONTENT_LENGTH).map(|text| text.trim().parse());
                (0, size.transpose().context("its Content-Length is not a number")?)
            }
            StatusCode::PARTIAL_CONTENT => {
                let range = header(header::CONTENT_RANGE).unwrap_or_default();
                parse_content_range(range).with_context(|| format!("its Content-Range is {range:?}"))?
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Some(Self::Missing)),
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(Some(Self::Beyond)),
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => return Ok(None),
            status => bail!("the server answered {status}"),
        };
        // RFC 9110, 13.1.5: a weak validator cannot guard a range.
        let tag = header(header::ETAG).filter(|tag| !tag.starts_with("W/"));
        let validator = tag.or_else(|| header(header::LAST_MODIFIED)).map(str::to_owned);
        let reader = response.into_body().into_reader();
        Ok(Some(Self::Bytes(Bytes { start, size, validator, reader })))
    }
}

/// `bytes 100-199/200` begins at 100 of 200; the size may be `*`.
fn parse_content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.parse().ok()?;
    let size = match size {
        "*" => None,
        size => Some(size.parse().ok()?),
    };
    Some((start, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(parse_content_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(parse_content_range("bytes 0-0/*"), Some((0, None)));
        for text in ["", "bytes */200", "bytes 1/2", "lines 0-1/2", "bytes 0-1/x"] {
            assert_eq!(parse_content_range(text), None, "{text}");
        }
    }
}

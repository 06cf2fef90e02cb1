//! A place in the server's log.

use std::fmt;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

/// Bytes of log before it. Its text is the server's: two hexadecimal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Lsn(pub(crate) u64);

impl Lsn {
    /// Reads the server's text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (high, low) = text.split_once('/')?;
        let half = |digits: &str| u32::from_str_radix(digits, 16).ok().map(u64::from);
        Some(Self(half(high)? << 32 | half(low)?))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("it is no place in the server's log"))
    }
}

/// What else stands there is another tap's: it is no place of ours.
pub(crate) fn ours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Lsn>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(Lsn::parse))
}

#[cfg(test)]
mod tests {
    use super::Lsn;

    #[test]
    fn a_place_has_the_servers_text() {
        let lsn = Lsn::parse("16/B374D848").unwrap();
        assert_eq!((lsn.0, lsn.to_string().as_str()), (0x16_b374_d848, "16/B374D848"));
        assert!(Lsn::parse("F/FFFFFFFF").unwrap() < Lsn::parse("10/0").unwrap());
        for text in ["", "16", "16/", "x/1", "1/123456789"] {
            assert_eq!(Lsn::parse(text), None, "{text}");
        }
    }
}

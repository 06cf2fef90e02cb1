//! The messages of the server's plugin `pgoutput`, in version 1 of its protocol.
//! <https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>

use crate::log_based::lsn::Lsn;
use crate::scalar::Malformed;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    Begin(Begin),
    /// Where the transaction ends in the log.
    Commit(Lsn),
    Relation(Shown),
    Insert {
        relation: u32,
        new: Tuple<'a>,
    },
    Update {
        relation: u32,
        old: Option<Tuple<'a>>,
        new: Tuple<'a>,
    },
    Delete {
        relation: u32,
        old: Tuple<'a>,
    },
    Truncate {
        relations: Vec<u32>,
    },
    /// What says nothing of rows.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begin {
    /// Where its commit begins in the log.
    pub(super) commit: Lsn,
    /// Microseconds since 2000.
    pub(super) at: i64,
    /// The last 32 bits of its number.
    pub(super) xid: u32,
}

/// A table as it was when its rows changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    /// Whether old rows come whole.
    pub(super) shows_old_rows: bool,
    pub(super) columns: Vec<ShownColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShownColumn {
    pub(super) name: String,
    /// Whether old rows have it.
    pub(super) is_key: bool,
    pub(super) type_oid: u32,
    pub(super) modifier: i32,
}

/// The cells of a row, in the table's order.
pub(super) type Tuple<'a> = Vec<Cell<'a>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    /// As it was: a large value that the change left alone, which the log does not have.
    Unchanged,
    Text(&'a [u8]),
}

impl<'a> Message<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(bytes);
        Ok(match reader.byte()? {
            b'B' => Self::Begin(Begin {
                commit: Lsn(u64::from_be_bytes(reader.exact()?)),
                at: i64::from_be_bytes(reader.exact()?),
                xid: reader.number()?,
            }),
            b'C' => {
                let (_flags, _commit) = (reader.byte()?, reader.exact::<8>()?);
                Self::Commit(Lsn(u64::from_be_bytes(reader.exact()?)))
            }
            b'R' => Self::Relation(reader.relation()?),
            b'I' => {
                let relation = reader.number()?;
                reader.expect(b'N')?;
                Self::Insert { relation, new: reader.tuple()? }
            }
            b'U' => {
                let relation = reader.number()?;
                let old = match reader.byte()? {
                    b'K' | b'O' => {
                        let old = reader.tuple()?;
                        reader.expect(b'N')?;
                        Some(old)
                    }
                    b'N' => None,
                    _ => return Err(Malformed),
                };
                Self::Update { relation, old, new: reader.tuple()? }
            }
            b'D' => {
                let relation = reader.number()?;
                if !matches!(reader.byte()?, b'K' | b'O') {
                    return Err(Malformed);
                }
                Self::Delete { relation, old: reader.tuple()? }
            }
            b'T' => {
                let (count, _flags) = (reader.number()?, reader.byte()?);
                let relations = (0..count).map(|_| reader.number()).collect::<Result<_, _>>()?;
                Self::Truncate { relations }
            }
            _ => Self::Other,
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn exact<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.exact::<1>().map(|[byte]| byte)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.byte()? == wanted { Ok(()) } else { Err(Malformed) }
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        self.exact().map(u32::from_be_bytes)
    }

    fn count(&mut self) -> Result<u16, Malformed> {
        self.exact().map(u16::from_be_bytes)
    }

    /// Up to a zero.
    fn text(&mut self) -> Result<String, Malformed> {
        let length = self.0.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
        let text = self.take(length)?;
        self.byte()?;
        String::from_utf8(text.to_vec()).map_err(|_| Malformed)
    }

    fn relation(&mut self) -> Result<Shown, Malformed> {
        let oid = self.number()?;
        let (schema, name) = (self.text()?, self.text()?);
        let shows_old_rows = self.byte()? == b'f';
        let count = self.count()?;
        let mut columns = Vec::with_capacity(count.into());
        for _ in 0..count {
            columns.push(ShownColumn {
                is_key: self.byte()? & 1 == 1,
                name: self.text()?,
                type_oid: self.number()?,
                modifier: i32::from_be_bytes(self.exact()?),
            });
        }
        Ok(Shown { oid, schema, name, shows_old_rows, columns })
    }

    fn tuple(&mut self) -> Result<Tuple<'a>, Malformed> {
        let count = self.count()?;
        let mut cells = Vec::with_capacity(count.into());
        for _ in 0..count {
            cells.push(match self.byte()? {
                b'n' => Cell::Null,
                b'u' => Cell::Unchanged,
                b't' => {
                    let length = self.number()?;
                    Cell::Text(self.take(usize::try_from(length).map_err(|_| Malformed)?)?)
                }
                _ => return Err(Malformed),
            });
        }
        Ok(cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_cut_off_is_malformed() {
        let update: &[u8] = b"U\0\0\0\x07K\0\x02t\0\0\0\x011nN\0\x02t\0\0\0\x012u";
        let old = vec![Cell::Text(b"1"), Cell::Null];
        let new = vec![Cell::Text(b"2"), Cell::Unchanged];
        assert_eq!(Message::parse(update), Ok(Message::Update { relation: 7, old: Some(old), new }));
        let truncate: &[u8] = b"T\0\0\0\x02\0\0\0\0\x01\0\0\0\x02";
        assert_eq!(Message::parse(truncate), Ok(Message::Truncate { relations: vec![1, 2] }));
        for message in [
            update,
            truncate,
            b"C\0aaaaaaaabbbbbbbb",
            b"R\0\0\0\x01s\0t\0d\0\x01\x01c\0\0\0\0\x17\xff\xff\xff\xff",
        ] {
            assert!(Message::parse(message).is_ok());
            for cut in 0..message.len() {
                assert_eq!(Message::parse(&message[..cut]), Err(Malformed), "{cut}");
            }
        }
    }
}

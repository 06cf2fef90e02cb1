//! Cuts one record out of bytes, by RFC 4180 and strictly: what it does not allow is an error, never a guess.

use memchr::{memchr, memchr_iter};

use crate::dialect::Dialect;

/// Where a field lies in its record, without the quotes around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quoting: Quoting,
}

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// Without quotes.
    Bare,
    /// In quotes, without any inside.
    Quoted,
    /// In quotes of this character, with doubled ones inside that mean one.
    Doubled(u8),
}

/// What the bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// A record; its fields are in the list.
    Record {
        /// Where it ends, without its line end.
        end: usize,
        /// Where the next one begins.
        next: usize,
        /// Line ends in it, its own included.
        lines: u64,
    },
    /// Part of a record: more bytes are needed.
    Part,
    /// No record.
    Bad(Mark),
}

/// What the grammar does not allow, with where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A quote in a field that does not begin with one.
    QuoteInside(usize),
    /// Something other than a delimiter or a line end after a closing quote.
    AfterQuote(usize),
    /// The data end before the quote is closed that stands here.
    Unclosed(usize),
    /// A carriage return without a line feed.
    BareReturn(usize),
}

impl Mark {
    /// The byte of it.
    pub(crate) fn at(self) -> usize {
        let (Self::QuoteInside(at) | Self::AfterQuote(at) | Self::Unclosed(at) | Self::BareReturn(at)) = self;
        at
    }
}

/// The grammar of one dialect.
pub(crate) struct Scanner {
    delimiter: u8,
    quote: Option<u8>,
    /// Whether a byte ends a run of plain text.
    special: [bool; 256],
}

impl Scanner {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let mut special = [false; 256];
        for mark in [Some(dialect.delimiter), dialect.quote, Some(b'\n'), Some(b'\r')].into_iter().flatten() {
            special[usize::from(mark)] = true;
        }
        Self { delimiter: dialect.delimiter, quote: dialect.quote, special }
    }

    /// Cuts the record at the start of `bytes`, which are not empty; `ended` says that nothing follows them.
    pub(crate) fn record(&self, bytes: &[u8], ended: bool, fields: &mut Vec<Field>) -> Scanned {
        fields.clear();
        let (mut at, mut lines) = (0, 0);
        loop {
            let field = if self.quote.is_some() && bytes.get(at).copied() == self.quote {
                match self.quoted(bytes, at, ended) {
                    Ok(field) => field,
                    Err(scanned) => return scanned,
                }
            } else {
                self.bare(bytes, at)
            };
            fields.push(field);
            let after = if field.quoting == Quoting::Bare {
                field.end
            } else {
                lines += line_ends(bytes, field);
                field.end + 1
            };
            match (bytes.get(after), bytes.get(after + 1)) {
                (Some(&byte), _) if byte == self.delimiter => at = after + 1,
                (Some(b'\n'), _) => return Scanned::Record { end: after, next: after + 1, lines: lines + 1 },
                (Some(b'\r'), Some(b'\n')) => {
                    return Scanned::Record { end: after, next: after + 2, lines: lines + 1 };
                }
                (Some(b'\r'), None) | (None, _) if !ended => return Scanned::Part,
                (None, _) => return Scanned::Record { end: after, next: after, lines },
                (Some(b'\r'), _) => return Scanned::Bad(Mark::BareReturn(after)),
                (Some(_), _) if field.quoting == Quoting::Bare => {
                    return Scanned::Bad(Mark::QuoteInside(after));
                }
                (Some(_), _) => return Scanned::Bad(Mark::AfterQuote(after)),
            }
        }
    }

    fn bare(&self, bytes: &[u8], start: usize) -> Field {
        let rest = bytes.get(start..).unwrap_or_default();
        let length = rest.iter().position(|&byte| self.special[usize::from(byte)]).unwrap_or(rest.len());
        Field { start, end: start + length, quoting: Quoting::Bare }
    }

    /// The field whose opening quote is at `open`.
    fn quoted(&self, bytes: &[u8], open: usize, ended: bool) -> Result<Field, Scanned> {
        let quote = self.quote.unwrap_or(b'"');
        let start = open + 1;
        let mut quoting = Quoting::Quoted;
        let mut at = start;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(length) = memchr(quote, rest) else {
                return Err(if ended { Scanned::Bad(Mark::Unclosed(open)) } else { Scanned::Part });
            };
            let end = at + length;
            match bytes.get(end + 1) {
                Some(&next) if next == quote => {
                    quoting = Quoting::Doubled(quote);
                    at = end + 2;
                }
                None if !ended => return Err(Scanned::Part),
                _ => return Ok(Field { start, end, quoting }),
            }
        }
    }
}

fn line_ends(bytes: &[u8], field: Field) -> u64 {
    let inside = bytes.get(field.start..field.end).unwrap_or_default();
    memchr_iter(b'\n', inside).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> (Scanned, Vec<String>) {
        let mut fields = Vec::new();
        let scanned = Scanner::new(Dialect::default()).record(text.as_bytes(), true, &mut fields);
        (scanned, fields.iter().map(|field| text[field.start..field.end].to_owned()).collect())
    }

    #[test]
    fn fields_are_cut_with_and_without_quotes() {
        let (scanned, fields) = scan("a,,\"b,\n\"\"c\",\r\nnext");
        assert_eq!(fields, ["a", "", "b,\n\"\"c", ""]);
        assert_eq!(scanned, Scanned::Record { end: 12, next: 14, lines: 2 });
        assert_eq!(scan("\"\"").1, [""]);
        assert_eq!(scan("a,").0, Scanned::Record { end: 2, next: 2, lines: 0 });
    }

    #[test]
    fn what_the_grammar_does_not_allow_is_no_record() {
        assert_eq!(scan("a,b\"c\n").0, Scanned::Bad(Mark::QuoteInside(3)));
        assert_eq!(scan("\"a\" ,b\n").0, Scanned::Bad(Mark::AfterQuote(3)));
        assert_eq!(scan("a,\"b\n").0, Scanned::Bad(Mark::Unclosed(2)));
        assert_eq!(scan("a\rb\n").0, Scanned::Bad(Mark::BareReturn(1)));
        assert_eq!(scan("a\r").0, Scanned::Bad(Mark::BareReturn(1)));
    }

    #[test]
    fn a_part_is_never_taken_for_a_record() {
        let text = "a,\"b\"\"\n\",c\r\n";
        let mut fields = Vec::new();
        for cut in 0..text.len() {
            let part = Scanner::new(Dialect::default()).record(&text.as_bytes()[..cut], false, &mut fields);
            assert_eq!(part, Scanned::Part, "cut at {cut}");
        }
    }

    #[test]
    fn without_a_quote_character_quotes_are_text() {
        let dialect = Dialect { quote: None, delimiter: b'\t', ..Dialect::default() };
        let mut fields = Vec::new();
        let scanned = Scanner::new(dialect).record(b"\"a\tb\"c\n", true, &mut fields);
        assert_eq!((scanned, fields.len()), (Scanned::Record { end: 6, next: 7, lines: 1 }, 2));
    }
}

//! A table in parts, by the pages of its file.

/// Least pages of a part, and of one in a table that has many: two megabytes and eight. A STATE follows each.
const LEAST: u32 = 256;
const USUAL: u32 = 1024;
/// Most parts of a table.
const MOST_PARTS: u32 = 4096;

/// Pages from the first to before the last; without a last one, to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageRange {
    pub(crate) from: u32,
    pub(crate) to: Option<u32>,
}

impl PageRange {
    /// What rows of these pages fulfil; nothing for the whole.
    pub(crate) fn condition(self) -> Option<String> {
        let from = (self.from > 0).then(|| format!("ctid >= '({},0)'::pg_catalog.tid", self.from));
        let to = self.to.map(|to| format!("ctid < '({to},0)'::pg_catalog.tid"));
        match (from, to) {
            (Some(from), Some(to)) => Some(format!("{from} AND {to}")),
            (one, other) => one.or(other),
        }
    }
}

/// The parts of a table of so many pages, from a page on. The last one has no end: a row may have been put behind the
/// pages that were counted.
pub(crate) fn parts(pages: u32, from: u32) -> Vec<PageRange> {
    let length = pages.div_ceil(MOST_PARTS).max((pages / 32).clamp(LEAST, USUAL));
    let mut parts = Vec::new();
    let mut start = from;
    while let Some(end) = start.checked_add(length).filter(|end| *end < pages) {
        parts.push(PageRange { from: start, to: Some(end) });
        start = end;
    }
    parts.push(PageRange { from: start, to: None });
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_whole_without_gap_or_double() {
        for (pages, from) in [(0, 0), (255, 0), (256, 0), (257, 0), (10_000, 512), (10, 512), (u32::MAX, 0)] {
            let parts = parts(pages, from);
            assert_eq!((parts[0].from, parts.last().unwrap().to), (from, None));
            for pair in parts.windows(2) {
                assert_eq!(pair[0].to, Some(pair[1].from), "{pages} {from}");
            }
            assert!(parts.len() <= 4097);
        }
        assert_eq!(parts(600, 0).len(), 3);
    }

    #[test]
    fn conditions_name_the_bounds_that_there_are() {
        assert_eq!(PageRange { from: 0, to: None }.condition(), None);
        let middle = PageRange { from: 2, to: Some(4) };
        let text = "ctid >= '(2,0)'::pg_catalog.tid AND ctid < '(4,0)'::pg_catalog.tid";
        assert_eq!(middle.condition().as_deref(), Some(text));
    }
}

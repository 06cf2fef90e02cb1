//! Where the rows that were there first end and the changes begin.

use serde::{Deserialize, Serialize};
use tap_sdk::TapError;

use crate::log_based::lsn::Lsn;
use crate::log_based::shape::Shape;
use crate::log_based::slot;
use crate::session::{Session, cell};

/// What a snapshot of the server saw: changes of these transactions are in the rows that were read with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandOver {
    /// All transactions below this one had ended.
    min: i64,
    /// This one and those above had not.
    max: i64,
    /// Those between that had not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<i64>,
    /// All that it saw was committed before this place in the log.
    until: Lsn,
}

/// What a stream's bookmark is to have once its first rows are out.
#[derive(Debug)]
pub(crate) struct Start {
    /// The slot has all changes from here on.
    pub(crate) lsn: Lsn,
    pub(crate) shape: Shape,
}

// The place is asked for after the snapshot was taken. A transaction is seen by nobody before its commit is in the log.
const SQL: &str = "SELECT pg_catalog.txid_snapshot_xmin(s), pg_catalog.txid_snapshot_xmax(s), \
                   ARRAY(SELECT pg_catalog.txid_snapshot_xip(s)), pg_catalog.pg_current_wal_insert_lsn()::text \
                   FROM pg_catalog.txid_current_snapshot() AS s";

impl HandOver {
    /// The snapshot of the session's transaction.
    pub(crate) async fn take(session: &Session) -> Result<Self, TapError> {
        let rows = session.query("taking a snapshot", SQL, &[]).await?;
        let row = rows.first().ok_or_else(|| TapError::failed("no snapshot was given"))?;
        let until = Lsn::parse(cell(row, 3)?)
            .ok_or_else(|| TapError::failed("the server named no place in its log"))?;
        // What was committed without waiting for the disk is seen, and a crash of the server would take it back.
        slot::wait_for_disk(session, until).await?;
        Ok(Self { min: cell(row, 0)?, max: cell(row, 1)?, open: cell(row, 2)?, until })
    }

    /// Whether it saw what a transaction did whose commit begins there in the log. `xid` is the last 32 bits of its number.
    pub(crate) fn saw(&self, xid: u32, commit: Lsn) -> bool {
        if commit >= self.until {
            return false;
        }
        // Its number is near these.
        let max = self.max.to_be_bytes();
        let low = u32::from_be_bytes([max[4], max[5], max[6], max[7]]);
        let behind = i32::from_be_bytes(low.wrapping_sub(xid).to_be_bytes());
        let number = self.max - i64::from(behind);
        number < self.min || (number < self.max && !self.open.contains(&number))
    }

    /// Whether nothing that it saw is committed from this place on.
    pub(crate) fn is_past(&self, lsn: Lsn) -> bool {
        lsn >= self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_saw_what_had_ended() {
        let turn = 1_i64 << 32;
        let snapshot =
            HandOver { min: turn - 2, max: turn + 3, open: vec![turn - 2, turn + 1], until: Lsn(100) };
        let saw = |number: i64| snapshot.saw(u32::try_from(number & 0xffff_ffff).unwrap(), Lsn(99));
        let seen: Vec<_> =
            (turn - 4..turn + 5).filter(|number| saw(*number)).map(|number| number - turn).collect();
        assert_eq!(seen, [-4, -3, -1, 0, 2]);
        assert!(!snapshot.saw(0, Lsn(100)), "it was committed afterwards, whatever its number looks like");
    }
}

//! Bookmarks, run ledger and locks in SQLite.

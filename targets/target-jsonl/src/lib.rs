//! Appends records to JSON Lines files.

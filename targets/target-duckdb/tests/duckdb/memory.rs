//! Memory does not grow with the table.

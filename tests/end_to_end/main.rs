//! End-to-end tests of the tapster binary.

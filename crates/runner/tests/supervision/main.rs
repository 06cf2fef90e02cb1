//! A run against taps that end in every way there is, with a memory warehouse behind it.

mod ends;
mod harness;
mod leftovers;
mod retries;

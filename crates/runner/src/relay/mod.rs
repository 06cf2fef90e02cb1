//! A run into a target that is a program of its own: lines go through, and the STATE that it prints is kept.

mod drive;
mod ending;
mod target_output;

pub(crate) use drive::relay;

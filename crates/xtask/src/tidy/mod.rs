//! `cargo x tidy`: the house rules as code. Each check is a function of what lies in the tree, so that its test
//! can show it failing on a made-up tree.

mod edges;
mod error_pages;
mod invariants;
mod layout;
mod manifests;
mod names;
mod paths;
mod rust;
mod sizes;
mod tree;
mod verdict;

pub(crate) use verdict::tidy;

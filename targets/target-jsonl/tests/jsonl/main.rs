//! The target in folders of its own.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod files;
#[cfg(test)]
mod owners;
#[cfg(test)]
mod program;
#[cfg(test)]
mod support;

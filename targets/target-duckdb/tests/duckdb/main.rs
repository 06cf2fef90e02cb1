//! The target on files of its own.

#[cfg(test)]
mod children;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tables;

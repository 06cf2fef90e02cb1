//! The target against real servers.

#[cfg(test)]
mod beside;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod replace;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod values;
#[cfg(test)]
mod versions;

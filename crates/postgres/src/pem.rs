//! Certificates and keys: as the text itself or as the file that holds it.

use std::fs;
use std::path::PathBuf;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Error, Result};

/// What a setting gives in PEM form. `Debug` is not derived: it would show a private key.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// The text itself, as environment variables hold it.
    Text(String),
    /// The file that holds it.
    File(PathBuf),
}

impl From<String> for Pem {
    /// A text with the line that begins each part of PEM is the thing itself, as no path has such.
    fn from(given: String) -> Self {
        if given.contains("-----BEGIN ") { Self::Text(given) } else { Self::File(given.into()) }
    }
}

impl Pem {
    /// Its certificates, at least one. `setting` is the name that an error says.
    pub(crate) fn certificates(&self, setting: &str) -> Result<Vec<CertificateDer<'static>>> {
        let bytes = self.read(setting)?;
        let certificates: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        // The library's own words are a list of bytes.
        let certificates = certificates.map_err(|_| {
            self.wrong(
                setting,
                "is broken PEM: its `-----END CERTIFICATE-----` is missing, or something before it is not base64",
            )
        })?;
        if certificates.is_empty() {
            return Err(self.wrong(setting, "holds no certificate in PEM form"));
        }
        Ok(certificates)
    }

    /// Its first private key.
    pub(crate) fn private_key(&self, setting: &str) -> Result<PrivateKeyDer<'static>> {
        // What is wrong with it is not said: that shows a line of it.
        PrivateKeyDer::from_pem_slice(&self.read(setting)?).map_err(|_| {
            self.wrong(setting, "holds no private key in PEM form")
                .with_hint("a key with a passphrase cannot be used: write it without, by `openssl pkey`")
        })
    }

    fn read(&self, setting: &str) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::File(path) => fs::read(path).map_err(|error| self.unreadable(setting, &error)),
        }
    }

    /// The error of something in it.
    pub(crate) fn unreadable(&self, setting: &str, why: &dyn std::fmt::Display) -> Error {
        self.wrong(setting, &format!("cannot be read: {why}"))
    }

    fn wrong(&self, setting: &str, what: &str) -> Error {
        Error::settings(match self {
            Self::Text(_) => format!("`{setting}` {what}"),
            Self::File(path) => format!("`{setting}` {} {what}", path.display()),
        })
    }
}

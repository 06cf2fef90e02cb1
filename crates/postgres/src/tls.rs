//! TLS: what each `sslmode` asks of the server's certificate. tokio-postgres knows only whether to encrypt, so
//! trust is decided here.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};

use crate::{ErrorKind, Pem, Result, ServerSettings, SslMode};

/// The client's side of TLS for these settings; `None` where nothing is encrypted.
pub(crate) fn client_config(wanted: &ServerSettings) -> Result<Option<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    // libpq: with a root certificate at hand, `require` verifies the chain.
    let mode = match (wanted.ssl_mode, &wanted.ssl_root_cert) {
        (SslMode::Require, Some(_)) => SslMode::VerifyCa,
        (mode, _) => mode,
    };
    let check = match mode {
        SslMode::Disable => return Ok(None),
        SslMode::Prefer | SslMode::Require => Check::Nothing,
        SslMode::VerifyCa => Check::Chain(Trust::of(wanted, &provider)?),
        SslMode::VerifyFull => Check::ChainAndName(Trust::of(wanted, &provider)?),
    };
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| crate::Error::settings(format!("TLS cannot be set up: {error}")))?;
    let verifier = Arc::new(Verifier { check, provider });
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some(client) = &wanted.client_certificate else { return Ok(Some(builder.with_no_client_auth())) };
    let chain = client.chain.certificates("ssl_client_certificate")?;
    let key = client.key.private_key("ssl_client_private_key")?;
    let config = builder.with_client_auth_cert(chain, key).map_err(|error| {
        let what = "`ssl_client_certificate` and `ssl_client_private_key` cannot be used together";
        crate::Error::settings(format!("{what}: {error}"))
    })?;
    Ok(Some(config))
}

/// Whose certificates are good.
#[derive(Debug)]
struct Trust {
    verifier: Arc<WebPkiServerVerifier>,
    /// Those of `ssl_root_cert`: one of them may be the server's own.
    named: Vec<CertificateDer<'static>>,
}

impl Trust {
    fn of(wanted: &ServerSettings, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let (roots, named) = match &wanted.ssl_root_cert {
            Some(pem) => roots_of(pem)?,
            None => (system_roots()?, Vec::new()),
        };
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().map_err(
                |error| crate::Error::settings(format!("the trusted certificates cannot be used: {error}")),
            )?;
        Ok(Self { verifier, named })
    }

    /// Whether the only fault is that the server shows an authority's certificate, and it is the very one that
    /// `ssl_root_cert` names: `openssl req -x509` makes such, and libpq takes them. It is the last fault that is
    /// looked for in a certificate, after its dates.
    fn is_named_itself(&self, end_entity: &CertificateDer<'_>, verdict: &Error) -> bool {
        let Error::InvalidCertificate(CertificateError::Other(other)) = verdict else { return false };
        let is_authority = other.0.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity);
        is_authority && self.named.iter().any(|named| named == end_entity)
    }
}

fn roots_of(pem: &Pem) -> Result<(RootCertStore, Vec<CertificateDer<'static>>)> {
    let named = pem.certificates("ssl_root_cert")?;
    let mut roots = RootCertStore::empty();
    for certificate in &named {
        roots.add(certificate.clone()).map_err(|error| pem.unreadable("ssl_root_cert", &error))?;
    }
    Ok((roots, named))
}

fn system_roots() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(crate::Error::settings(
            "this machine has no trusted certificates: install them, or name `ssl_root_cert`",
        ));
    }
    Ok(roots)
}

#[derive(Debug)]
enum Check {
    Nothing,
    Chain(Trust),
    ChainAndName(Trust),
}

/// Decides whether a server is the one that was meant. Signatures are verified in every mode.
#[derive(Debug)]
struct Verifier {
    check: Check,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        let verify = |trust: &Trust| {
            let verdict =
                trust.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
            match verdict {
                Err(error) if trust.is_named_itself(end_entity, &error) => {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                    Ok(ServerCertVerified::assertion())
                }
                verdict => verdict,
            }
        };
        match &self.check {
            Check::Nothing => Ok(ServerCertVerified::assertion()),
            Check::ChainAndName(trust) => verify(trust),
            Check::Chain(trust) => match verify(trust) {
                // The name is looked at last: this error says that all else is right.
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                verdict => verdict,
            },
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why TLS failed, when it did: one text for each thing that may be wrong.
pub(crate) fn failure(place: &str, error: &tokio_postgres::Error) -> Option<crate::Error> {
    let (text, hint) = match tls_error(error) {
        Some(Error::AlertReceived(alert)) if is_about_our_certificate(*alert) => (
            format!("{place} refused the certificate that it was shown: {alert:?}"),
            "`ssl_client_certificate` must be signed by an authority in the server's `ssl_ca_file`",
        ),
        Some(tls) => {
            let (why, hint) = tls_reason(tls);
            (format!("{place} was not trusted: {why}"), hint)
        }
        None if speaks_no_tls(error) => (
            format!("{place} was not trusted: the server does not speak TLS"),
            "set ssl = on at the server; `sslmode: disable` sends everything in plain text",
        ),
        None => return None,
    };
    Some(crate::Error::new(ErrorKind::Untrusted, text).with_hint(hint))
}

fn tls_error(error: &tokio_postgres::Error) -> Option<&Error> {
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(tls) = found.downcast_ref::<Error>() {
            return Some(tls);
        }
        // An io::Error hides what it wraps from `source`.
        let wrapped = found.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(tls) = wrapped.and_then(|wrapped| wrapped.downcast_ref::<Error>()) {
            return Some(tls);
        }
        cause = found.source();
    }
    None
}

fn speaks_no_tls(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("TLS")
        && error.source().is_some_and(|cause| cause.to_string().contains("does not support TLS"))
}

fn is_about_our_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::UnknownCA
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::CertificateRequired
    )
}

/// What to do where the cause says all that is known.
const TLS_OFFER: &str = "the server must offer TLS 1.2 or 1.3 with a certificate that fits `sslmode`; `sslmode: require` trusts any";

fn tls_reason(error: &Error) -> (String, &'static str) {
    use CertificateError as C;
    let Error::InvalidCertificate(certificate) = error else {
        return (format!("TLS failed: {error}"), TLS_OFFER);
    };
    match certificate {
        C::NotValidForName | C::NotValidForNameContext { .. } => (
            "its certificate is for another host name".to_owned(),
            "connect by the name that the certificate holds; `sslmode: verify-ca` does not compare names",
        ),
        C::Expired | C::ExpiredContext { .. } => {
            ("its certificate has expired".to_owned(), "renew the server's certificate")
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            ("its certificate is not valid yet".to_owned(), "compare this machine's clock with the server's")
        }
        C::UnknownIssuer => (
            "its certificate is signed by nobody whom this machine trusts (self-signed?)".to_owned(),
            "name the certificate of its authority in `ssl_root_cert`",
        ),
        C::Revoked => ("its certificate was revoked".to_owned(), "renew the server's certificate"),
        C::Other(other)
            if other.0.downcast_ref::<webpki::Error>() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            (
                "its certificate is an authority's own, which only `ssl_root_cert` itself may be".to_owned(),
                "name the server's very certificate in `ssl_root_cert`, or give the server one that is signed by it",
            )
        }
        other => (format!("its certificate is not acceptable: {other}"), TLS_OFFER),
    }
}

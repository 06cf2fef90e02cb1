//! TLS: each way in which a server may not be the one that was meant has its own text.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use target_api::{Status, Target};
use target_postgres::PostgresTarget;
use target_testkit::postgres::{Cluster, Database, Durability};

/// An authority, and the server's certificate and key in PEM form.
struct Certificates {
    authority: String,
    certificate: String,
    key: String,
}

/// What is wrong with a certificate, if anything.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Expired,
    SelfSigned,
    /// Self-signed, and an authority by its own word, as `openssl req -x509` makes it.
    Authority,
}

fn certificates(host: &str, fault: Fault) -> Certificates {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "test authority");
    let root = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    if fault == Fault::Expired {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    if fault == Fault::Authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let certificate = match fault {
        Fault::SelfSigned | Fault::Authority => params.self_signed(&key),
        _ => params.signed_by(&key, &Issuer::new(authority, authority_key)),
    };
    Certificates { authority: root.pem(), certificate: certificate.unwrap().pem(), key: key.serialize_pem() }
}

/// Starts the server again with these certificates; returns the path of the authority's.
async fn serve(cluster: &Cluster, database: &Database, certificates: &Certificates) -> PathBuf {
    let folder = cluster.socket_folder();
    let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
    let authority = folder.join("authority.crt");
    write(&authority, &certificates.authority, folder);
    write(&certificate, &certificates.certificate, folder);
    write(&key, &certificates.key, folder);
    for (name, value) in [
        ("ssl_cert_file", certificate.display().to_string()),
        ("ssl_key_file", key.display().to_string()),
        ("ssl", "on".to_owned()),
    ] {
        database.execute(&format!("ALTER SYSTEM SET {name} = '{value}'")).await;
    }
    cluster.stop_immediate();
    cluster.start_again();
    authority
}

/// The server reads a key only when nobody else can.
fn write(path: &Path, text: &str, folder: &Path) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let owner = fs::metadata(folder).unwrap();
    chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

async fn connect(database: &Database, changes: Value) -> Result<(), String> {
    let mut settings = database.settings();
    for (name, value) in changes.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let mut target = PostgresTarget::new(&settings.to_string()).unwrap();
    target.check().await.map_err(|error| {
        assert_eq!((error.code, &error.status), ("E0313", &Status::Config), "{error}");
        error.message
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_the_one_meant_is_refused() {
    let cluster = Cluster::start(Durability::Full);
    let database = cluster.database().await;
    for mode in ["require", "verify-full"] {
        let said = connect(&database, json!({ "sslmode": mode })).await.unwrap_err();
        assert!(said.contains("does not speak TLS"), "{said}");
    }
    connect(&database, json!({ "sslmode": "prefer" })).await.unwrap();

    let authority = serve(&cluster, &database, &certificates("localhost", Fault::None)).await;
    let trusted =
        |mode: &str, host: &str| json!({ "sslmode": mode, "host": host, "ssl_root_cert": authority });
    connect(&database, trusted("verify-full", "localhost")).await.unwrap();
    connect(&database, trusted("verify-ca", "127.0.0.1")).await.unwrap();
    for mode in ["require", "prefer", "allow"] {
        connect(&database, json!({ "sslmode": mode })).await.unwrap();
    }
    let said = connect(&database, trusted("verify-full", "127.0.0.1")).await.unwrap_err();
    assert!(said.contains("for another host name"), "{said}");
    for mode in ["verify-ca", "verify-full"] {
        let said = connect(&database, json!({ "sslmode": mode, "host": "localhost" })).await.unwrap_err();
        assert!(said.contains("signed by nobody"), "{said}");
    }

    let authority = serve(&cluster, &database, &certificates("localhost", Fault::Expired)).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let said =
            connect(&database, json!({ "sslmode": mode, "host": "localhost", "ssl_root_cert": authority }));
        let said = said.await.unwrap_err();
        assert!(said.contains("has expired"), "with a root certificate, {mode} verifies the chain: {said}");
    }
    connect(&database, json!({ "sslmode": "require" })).await.unwrap();

    let authority = serve(&cluster, &database, &certificates("localhost", Fault::SelfSigned)).await;
    let changes = json!({ "sslmode": "verify-full", "host": "localhost", "ssl_root_cert": authority });
    let said = connect(&database, changes).await.unwrap_err();
    assert!(said.contains("signed by nobody"), "{said}");

    let mut own = certificates("localhost", Fault::Authority);
    let authority = serve(&cluster, &database, &own).await;
    let trusted =
        |mode: &str, host: &str| json!({ "sslmode": mode, "host": host, "ssl_root_cert": authority });
    let said = connect(&database, trusted("verify-full", "localhost")).await.unwrap_err();
    assert!(said.contains("an authority's own") || said.contains("signed by nobody"), "{said}");
    own.authority.clone_from(&own.certificate);
    serve(&cluster, &database, &own).await;
    connect(&database, trusted("verify-full", "localhost")).await.unwrap();
    connect(&database, trusted("verify-ca", "127.0.0.1")).await.unwrap();
    let said = connect(&database, trusted("verify-full", "127.0.0.1")).await.unwrap_err();
    assert!(said.contains("for another host name"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_certificate_that_cannot_be_read_is_a_wrong_setting() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.crt");
    fs::write(&empty, "no certificate\n").unwrap();
    for path in [empty, folder.path().join("absent.crt")] {
        let settings =
            json!({ "host": "localhost", "user": "u", "sslmode": "verify-ca", "ssl_root_cert": path });
        let error = PostgresTarget::new(&settings.to_string()).unwrap().check().await.unwrap_err();
        assert_eq!((error.code, &error.status), ("E0310", &Status::Config));
        assert!(error.message.contains(&path.display().to_string()), "{error}");
    }
}

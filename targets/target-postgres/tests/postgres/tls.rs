//! TLS: each way in which a server may not be the one that was meant has its own text.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use postgres::ServerSettings;
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
    // OpenSSL and webpki find the signer by its name.
    authority.distinguished_name.push(DnType::CommonName, format!("authority of {host}"));
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
    // Of somebody who connects it says which role.
    params.distinguished_name.push(DnType::CommonName, host);
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

fn changed(database: &Database, changes: &Value) -> Value {
    let mut settings = database.settings();
    settings.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    settings
}

/// What the server itself says of a connection: whether it is encrypted, and whose certificate the client showed.
async fn seen_by_the_server(
    database: &Database,
    changes: &Value,
) -> postgres::Result<(bool, Option<String>)> {
    let mut settings = changed(database, changes);
    let settings = ServerSettings::take(settings.as_object_mut().unwrap())?;
    let connection = postgres::connect(&settings).await?;
    let sql = "SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = connection.client.query_one(sql, &[]).await.unwrap();
    Ok((row.get(0), row.get(1)))
}

async fn connect(database: &Database, changes: Value) -> Result<(), String> {
    let settings = changed(database, &changes);
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
    for plain in [json!({ "sslmode": "prefer" }), json!({ "sslmode": null, "ssl_enable": false })] {
        assert!(!seen_by_the_server(&database, &plain).await.unwrap().0, "{plain}");
    }

    let authority = serve(&cluster, &database, &certificates("localhost", Fault::None)).await;
    let trusted =
        |mode: &str, host: &str| json!({ "sslmode": mode, "host": host, "ssl_root_cert": authority });
    connect(&database, trusted("verify-full", "localhost")).await.unwrap();
    connect(&database, trusted("verify-ca", "127.0.0.1")).await.unwrap();
    for encrypted in [
        json!({ "sslmode": "require" }),
        json!({ "sslmode": "prefer" }),
        json!({ "sslmode": "allow" }),
        json!({ "sslmode": null, "ssl_enable": false }),
        json!({ "sslmode": null, "ssl": "false" }),
    ] {
        assert!(seen_by_the_server(&database, &encrypted).await.unwrap().0, "{encrypted}");
    }
    assert!(!seen_by_the_server(&database, &json!({ "sslmode": "disable" })).await.unwrap().0);
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

/// What Meltano's target-postgres takes: files, or what they hold as the text itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_taken_as_text_and_prove_who_connects() {
    let cluster = Cluster::start(Durability::Full);
    let database = cluster.database().await;
    let own = certificates("localhost", Fault::None);
    serve(&cluster, &database, &own).await;
    let trusting = |authority: &str| {
        json!({
            "host": "localhost", "sslmode": null, "ssl_enable": "true", "ssl_certificate_authority": authority,
        })
    };
    assert_eq!(seen_by_the_server(&database, &trusting(&own.authority)).await.unwrap(), (true, None));
    let client = certificates("tapster", Fault::None);
    let said = connect(&database, trusting(&client.authority)).await.unwrap_err();
    assert!(said.contains("signed by nobody"), "{said}");

    let folder = cluster.socket_folder();
    let clients = folder.join("clients.crt");
    write(&clients, &client.authority, folder);
    database.execute(&format!("ALTER SYSTEM SET ssl_ca_file = '{}'", clients.display())).await;
    cluster.stop_immediate();
    cluster.start_again();
    let showing = |certificate: &str, key: &str| {
        let mut settings = trusting(&own.authority);
        settings["ssl_client_certificate_enable"] = "true".into();
        settings["ssl_client_certificate"] = certificate.into();
        settings["ssl_client_private_key"] = key.into();
        settings
    };
    let shown = (true, Some("/CN=tapster".to_owned()));
    let text = showing(&client.certificate, &client.key);
    assert_eq!(seen_by_the_server(&database, &text).await.unwrap(), shown);
    let key = folder.join("client.key");
    write(&key, &client.key, folder);
    let mut file = showing(&client.certificate, &key.display().to_string());
    file["ssl_enable"] = false.into();
    assert_eq!(seen_by_the_server(&database, &file).await.unwrap(), shown, "where only this is asked for");
    file["ssl_client_certificate_enable"] = false.into();
    assert_eq!(seen_by_the_server(&database, &file).await.unwrap(), (true, None));

    let refused = seen_by_the_server(&database, &showing(&own.certificate, &own.key)).await.unwrap_err();
    // The server says why and hangs up, which may come first.
    if refused.kind != postgres::ErrorKind::Unreachable {
        assert_eq!(refused.kind, postgres::ErrorKind::Untrusted);
        assert!(
            refused.message.contains("refused the certificate that it was shown: UnknownCA"),
            "{refused}"
        );
    }
    for (certificate, key, told) in [
        (&client.certificate, &own.key, "cannot be used together"),
        (&client.certificate, &own.certificate, "`ssl_client_private_key` holds no private key"),
        (&client.key, &client.key, "`ssl_client_certificate` holds no certificate"),
    ] {
        let error = seen_by_the_server(&database, &showing(certificate, key)).await.unwrap_err();
        assert_eq!(error.kind, postgres::ErrorKind::Settings);
        assert!(error.message.contains(told) && !error.message.contains("BEGIN"), "{}", error.message);
    }
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
    let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    let settings = json!({ "host": "localhost", "user": "u", "sslmode": "verify-ca", "ssl_root_cert": torn });
    let error = PostgresTarget::new(&settings.to_string()).unwrap().check().await.unwrap_err();
    assert!(error.message.starts_with("`ssl_root_cert` is broken PEM: its `-----END"), "{error}");
}

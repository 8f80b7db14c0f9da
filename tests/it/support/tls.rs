//! A proxy that removes the encryption, like the one before a hub in production.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

/// A running proxy; its threads end with the test.
pub struct Proxy {
    /// Its address, under a name in its certificate.
    pub url: String,
    /// The certificate that clients must trust.
    pub authority: PathBuf,
    _home: TempDir,
}

/// Listens on a free port and forwards every request.
pub fn in_front_of(hub: SocketAddr) -> Proxy {
    let home = tempfile::tempdir().expect("a folder");
    let (config, certificate) = for_localhost(home.path(), "proxy");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("https://localhost:{}", listener.local_addr().expect("its address").port());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let config = Arc::clone(&config);
            std::thread::spawn(move || pass(client, config, hub));
        }
    });
    Proxy { url, authority: certificate, _home: home }
}

/// What a server of this machine needs, and the certificate that its clients must trust.
pub fn for_localhost(folder: &Path, name: &str) -> (Arc<ServerConfig>, PathBuf) {
    let (certificate, key) = certificate(folder, name);
    let chain = vec![CertificateDer::from_pem_file(&certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a usable certificate");
    (Arc::new(config), certificate)
}

/// Forwards what comes from either side, until one of them ends.
fn pass(client: TcpStream, config: Arc<ServerConfig>, hub: SocketAddr) {
    let connection = ServerConnection::new(config).expect("a connection");
    let mut client = StreamOwned::new(connection, client);
    let mut hub = TcpStream::connect(hub).expect("the hub listens");
    // Either side may send next, so both are read in turn.
    for socket in [&client.sock, &hub] {
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
    }
    while passed_on(&mut client, &mut hub) && passed_on(&mut hub, &mut client) {}
}

/// Forwards what one side has sent; false where either is gone.
fn passed_on(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(length) => to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

/// A certificate of somebody else.
pub fn another_authority(folder: &Path) -> PathBuf {
    certificate(folder, "stranger").0
}

/// A self-signed certificate and its key.
pub fn certificate(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ])
        .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}

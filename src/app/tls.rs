//! Which certificates the hub and its tools trust where they are an https client: those that the machine
//! trusts, so that a company's own authority counts too.

use std::path::PathBuf;
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::config::values::environment;

/// Where operating systems keep the certificates of trusted authorities: Debian and Alpine, Fedora, SUSE,
/// macOS.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The TLS settings for this address. Plain http needs no authorities, so it is no error if there are none.
pub fn config(url: &str) -> Result<TlsConfig, String> {
    let roots = if url.starts_with("https:") { authorities()? } else { Vec::new() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::new_with_certs(&roots))
        .build())
}

/// The same authorities for clients of other protocols.
pub fn authorities_in_der() -> Result<Vec<Vec<u8>>, String> {
    Ok(authorities()?.iter().map(|authority| authority.der().to_vec()).collect())
}

/// The authorities in the bundle that `SSL_CERT_FILE` names, as in other programs, or in the system's own.
fn authorities() -> Result<Vec<Certificate<'static>>, String> {
    let named = environment("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let path = named.or_else(|| BUNDLES.iter().map(PathBuf::from).find(|path| path.is_file()));
    let missing =
        "https needs the system's certificate authorities: install ca-certificates, or set SSL_CERT_FILE";
    let path = path.ok_or_else(|| missing.to_owned())?;
    let pem = std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let items = parse_pem(&pem).filter_map(Result::ok);
    let authorities: Vec<_> = items
        .filter_map(|item| if let PemItem::Certificate(authority) = item { Some(authority) } else { None })
        .collect();
    if authorities.is_empty() {
        return Err(format!("{} contains no certificate", path.display()));
    }
    Ok(authorities)
}

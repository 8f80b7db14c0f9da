//! Where backups are kept: a bucket of an S3 server, and a folder in it.

use rusty_s3::{Bucket, UrlStyle};

/// The region of servers that do not care for one.
const REGION: &str = "us-east-1";
const EXPECTED: &str = "must be like https://s3.sa-east-1.amazonaws.com/BUCKET/FOLDER, with ?region=NAME at its end where \
                        the server wants one that its name does not tell";

/// A folder in a bucket.
#[derive(Debug, Clone)]
pub struct BucketAddress {
    server: String,
    bucket: String,
    /// Without slashes at its ends; empty: the bucket itself.
    pub folder: String,
    region: String,
}

impl BucketAddress {
    /// Parses an address of the form `https://HOST/BUCKET/FOLDER?region=REGION`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || EXPECTED.to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = path.split_once('/').ok_or_else(wrong)?;
        let (bucket, folder) = path.split_once('/').unwrap_or((path, ""));
        let region = match query {
            "" => region_of(host),
            query => query.strip_prefix("region=").ok_or_else(wrong)?,
        };
        let address = Self {
            server: format!("{scheme}://{host}"),
            bucket: bucket.to_owned(),
            folder: folder.trim_matches('/').to_owned(),
            region: region.to_owned(),
        };
        let is_web = ["http", "https"].contains(&scheme) && !text.contains(['@', '#']);
        if !is_web || bucket.is_empty() || region.is_empty() || address.folder.contains("//") {
            return Err(wrong());
        }
        address.bucket().map(|_bucket| address)
    }

    /// Another bucket and folder of the same server: `s3://BUCKET/FOLDER`.
    pub fn elsewhere(&self, text: &str) -> Result<Self, String> {
        let path = text.strip_prefix("s3://").ok_or("must begin with s3://")?;
        Self::parse(&format!("{}/{path}?region={}", self.server, self.region))
            .map_err(|_wrong| format!("{text} must be like s3://BUCKET/FOLDER"))
    }

    /// The bucket, by its path and not by a host name of its own: that works with every server.
    pub fn bucket(&self) -> Result<Bucket, String> {
        let server = self.server.parse().map_err(|_no_address| EXPECTED.to_owned())?;
        Bucket::new(server, UrlStyle::Path, self.bucket.clone(), self.region.clone())
            .map_err(|_no_bucket| EXPECTED.to_owned())
    }

    /// The address, as people write it.
    pub fn describe(&self) -> String {
        format!("{}/{}/{}", self.server, self.bucket, self.folder)
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    /// True where what is sent can be read on its way.
    pub fn is_plain(&self) -> bool {
        let host = self.server.strip_prefix("http://");
        host.is_some_and(|host| !["127.0.0.1", "localhost", "[::1]"].iter().any(|own| host.starts_with(own)))
    }
}

/// The region that the name of one of Amazon's servers tells.
fn region_of(host: &str) -> &str {
    let named = host.strip_prefix("s3.").and_then(|rest| rest.split_once(".amazonaws.com"));
    named.map_or(REGION, |(region, _)| region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_server_bucket_folder_and_region() {
        let amazon = BucketAddress::parse("https://s3.sa-east-1.amazonaws.com/shop/hub/one/").unwrap();
        assert_eq!((amazon.bucket.as_str(), amazon.folder.as_str()), ("shop", "hub/one"));
        assert_eq!(amazon.region, "sa-east-1");
        assert_eq!(amazon.describe(), "https://s3.sa-east-1.amazonaws.com/shop/hub/one");
        let own = BucketAddress::parse("http://127.0.0.1:9000/shop?region=lab").unwrap();
        assert_eq!((own.folder.as_str(), own.region.as_str()), ("", "lab"));
        assert_eq!(BucketAddress::parse("https://s3.example/shop/x").unwrap().region, REGION);
        let other = own.elsewhere("s3://other/there").unwrap();
        assert_eq!(other.describe(), "http://127.0.0.1:9000/other/there");
        assert_eq!(other.region, "lab");
    }

    #[test]
    fn what_is_no_address_of_a_bucket_is_refused() {
        for wrong in [
            "shop",
            "https://s3.example",
            "https://s3.example/",
            "ftp://s3.example/shop",
            "https:///shop",
            "https://key:secret@s3.example/shop",
            "https://s3.example/shop/a?token=x",
            "https://s3.example/shop/a?region=",
            "https://s3.example/shop/a//b",
        ] {
            assert!(BucketAddress::parse(wrong).is_err(), "{wrong}");
        }
        let own = BucketAddress::parse("http://127.0.0.1:9000/shop").unwrap();
        assert!(own.elsewhere("s3://").is_err() && own.elsewhere("/backups/hub.db").is_err());
    }

    #[test]
    fn only_an_address_of_this_machine_may_be_plain_without_a_word() {
        let is_plain = |text| BucketAddress::parse(text).unwrap().is_plain();
        assert!(is_plain("http://s3.example/shop"));
        assert!(!is_plain("https://s3.example/shop") && !is_plain("http://127.0.0.1:9000/shop"));
    }
}

//! A bucket in memory, as far as the hub uses one: it takes objects and gives them back, and checks no signature. So a benchmark
//! counts what a backup costs the hub, and not what an S3 server costs on the same cores.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use super::machine::{LOAD_CORE, pin};

/// Objects by their keys; parts that are not put together yet have a `?` and their number behind the key.
type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// Of every answer that is read.
const NAMESPACE: &str = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// A server that runs until the process ends.
pub struct MemoryBucket {
    address: SocketAddr,
    objects: Objects,
}

struct Request {
    method: String,
    key: String,
    query: BTreeMap<String, String>,
    range: Option<(usize, usize)>,
    body: Vec<u8>,
}

impl MemoryBucket {
    /// Starts it on a free port.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, objects) = (listener.local_addr()?, Objects::default());
        let shared = Arc::clone(&objects);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let objects = Arc::clone(&shared);
                std::thread::spawn(move || {
                    drop(pin(&[LOAD_CORE]));
                    // A hub that is killed hangs up in the middle of a request.
                    drop(serve(&stream, &objects));
                });
            }
        });
        Ok(Self { address, objects })
    }

    /// The settings of a hub that keeps its backups here.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("BACKUP_S3_URL", format!("http://{}/bench/hub", self.address)),
            ("BACKUP_S3_KEY_ID", "bench".to_owned()),
            ("BACKUP_S3_SECRET", "bench".to_owned()),
        ]
    }

    /// How many segments of records came, and their bytes.
    pub fn segments(&self) -> (usize, usize) {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let segments = objects.iter().filter(|(key, _)| key.contains("/segments/"));
        segments.fold((0, 0), |(count, bytes), (_, object)| (count + 1, bytes + object.len()))
    }
}

fn serve(stream: &TcpStream, objects: &Objects) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    while let Some(request) = read(&mut reader)? {
        let (status, body) = answer(&request, &mut objects.lock().unwrap_or_else(PoisonError::into_inner));
        write!(
            writer,
            "HTTP/1.1 {status} OK\r\netag: \"part\"\r\ncontent-length: {}\r\n\r\n",
            if request.method == "HEAD" { 0 } else { body.len() }
        )?;
        writer.write_all(&body)?;
    }
    Ok(())
}

/// The next request of a connection; `None` at its end.
fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        // Behind the name of the bucket.
        key: plain(path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key)),
        query: query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (plain(name), plain(value)))
            .collect(),
        range: None,
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            "range" => {
                let bounds = value.trim().trim_start_matches("bytes=").split_once('-');
                request.range =
                    bounds.and_then(|(from, last)| Some((from.parse().ok()?, last.parse().ok()?)));
            }
            _ => {}
        }
    }
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn answer(request: &Request, objects: &mut BTreeMap<String, Vec<u8>>) -> (u16, Vec<u8>) {
    let Request { method, key, query, range, body } = request;
    match method.as_str() {
        "PUT" => {
            let part = query.get("partNumber").map_or_else(String::new, |number| format!("?{number:>5}"));
            objects.insert(format!("{key}{part}"), body.clone());
            (200, Vec::new())
        }
        "POST" if query.contains_key("uploads") => {
            let begun = format!(
                "<InitiateMultipartUploadResult{NAMESPACE}><UploadId>one</UploadId></InitiateMultipartUploadResult>"
            );
            (200, begun.into())
        }
        "POST" => {
            let parts: Vec<String> =
                objects.keys().filter(|known| known.starts_with(&format!("{key}?"))).cloned().collect();
            let whole = parts.iter().filter_map(|part| objects.remove(part)).collect::<Vec<_>>().concat();
            objects.insert(key.clone(), whole);
            (200, b"<CompleteMultipartUploadResult/>".to_vec())
        }
        "DELETE" => {
            objects.remove(key);
            (204, Vec::new())
        }
        _ if query.contains_key("list-type") => (200, list(query, objects).into_bytes()),
        _ => match (objects.get(key), range) {
            (None, _) => (404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
            (Some(object), None) => (200, object.clone()),
            (Some(object), Some((from, last))) => {
                let end = object.len().min(last.saturating_add(1));
                (206, object.get(*from..end).unwrap_or_default().to_vec())
            }
        },
    }
}

/// All keys in one page.
fn list(query: &BTreeMap<String, String>, objects: &BTreeMap<String, Vec<u8>>) -> String {
    let word = |name: &str| query.get(name).cloned().unwrap_or_default();
    let (prefix, after, delimiter) = (word("prefix"), word("start-after"), word("delimiter"));
    let mut text = format!("<ListBucketResult{NAMESPACE}><IsTruncated>false</IsTruncated>");
    let mut folders: Vec<String> = Vec::new();
    let first = if after > prefix { Bound::Excluded(after) } else { Bound::Included(prefix.clone()) };
    let found = objects.range((first, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(&prefix));
    for (key, object) in found.filter(|(key, _)| !key.contains('?')) {
        let folder = key[prefix.len()..].split_once('/').filter(|_| delimiter == "/");
        if let Some((folder, _)) = folder {
            let folder = format!("{prefix}{folder}/");
            if folders.last() != Some(&folder) {
                write!(text, "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>")
                    .unwrap_or_default();
                folders.push(folder);
            }
        } else {
            let size = object.len();
            write!(
                text,
                "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>\"part\"</ETag>\
                 <LastModified>2026-01-01T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>"
            )
            .unwrap_or_default();
        }
    }
    text + "</ListBucketResult>"
}

/// A word of an address without its percent signs; plain ASCII, as the hub's keys are.
fn plain(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        text.push(char::from(code.unwrap_or(b'?')));
        rest = after.get(2..).unwrap_or_default();
    }
    text + rest
}

//! Files for runs: archives, and a web server that hands them out.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A web server. Its threads end with the test's process.
pub(crate) struct Web {
    port: u16,
}

impl Web {
    /// Hands out these files by their paths. One that begins with `->` is a redirect to the path that follows.
    pub(crate) fn serve(files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let files = Arc::new(files);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let files = Arc::clone(&files);
                // Who asks may go away at any time.
                std::thread::spawn(move || answer(&connection, &files));
            }
        });
        Self { port }
    }

    /// The address of a file.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Answers one request, and closes the connection.
fn answer(mut connection: &TcpStream, files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = first.clone();
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let (status, header, body) = match files.get(path) {
        None => ("404 Not Found", String::new(), &[][..]),
        Some(body) => match body.strip_prefix(b"->") {
            Some(to) => ("302 Found", format!("Location: {}\r\n", String::from_utf8_lossy(to)), &[][..]),
            None => ("200 OK", String::new(), body.as_slice()),
        },
    };
    let length = body.len();
    write!(connection, "HTTP/1.1 {status}\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    connection.write_all(body)
}

/// A gzip-compressed tar of executable files.
pub(crate) fn tgz(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        append(&mut builder, EntryType::Regular, name, content.len() as u64, "", content.as_bytes());
    }
    finish(builder)
}

/// A gzip-compressed tar of one entry, whatever it says of itself.
pub(crate) fn tgz_of(kind: EntryType, name: &str, size: u64, link: &str) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    append(&mut builder, kind, name, size, link, b"");
    finish(builder)
}

type TarBuilder = Builder<GzEncoder<Vec<u8>>>;

/// Writes names as they are, also those that the builder would refuse.
fn append(builder: &mut TarBuilder, kind: EntryType, name: &str, size: u64, link: &str, content: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(size);
    header.set_cksum();
    builder.append(&header, content).expect("memory takes it");
}

fn finish(builder: TarBuilder) -> Vec<u8> {
    builder.into_inner().and_then(GzEncoder::finish).expect("memory takes it")
}

/// A zip of executable files.
pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default().unix_permissions(0o755);
        writer.start_file(*name, options).expect("memory takes it");
        writer.write_all(content.as_bytes()).expect("memory takes it");
    }
    writer.finish().expect("memory takes it").into_inner()
}

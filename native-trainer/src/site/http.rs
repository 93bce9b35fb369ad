//! A small HTTP server for a table of files.

use std::{
    collections::BTreeMap,
    future::IntoFuture as _,
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpListener},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Response, StatusCode, header},
};

use super::{
    Files,
    response::{Resource, address_of, respond, text},
};

/// A socket that is open, so that its address can be said before anything is answered.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

#[derive(Debug)]
struct Site {
    resources: BTreeMap<String, Resource>,
    /// Only names of this machine are answered: a page elsewhere that points its own name here
    /// must not read what lies here.
    only_local_names: bool,
}

impl Server {
    /// # Errors
    /// A port that is taken, an address that is not this machine's.
    pub(crate) fn open(files: Files, host: IpAddr, port: u16) -> Result<Self> {
        let address = SocketAddr::new(host, port);
        let listener = match TcpListener::bind(address) {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                "port {port} is taken by another program; give another one with --port N, or any \
                 free one with --port 0"
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("listening at {address}"));
            }
        };
        listener.set_nonblocking(true)?;
        let resources = files
            .into_iter()
            .map(|(address, content)| {
                let resource = Resource::new(&address, content);
                (address, resource)
            })
            .collect();
        let site = Site {
            resources,
            only_local_names: host.is_loopback(),
        };
        Ok(Self {
            listener,
            site: Arc::new(site),
        })
    }

    /// Where a browser on this machine finds it.
    pub(crate) fn url(&self) -> Result<String> {
        let address = self.listener.local_addr()?;
        Ok(if address.ip().is_unspecified() {
            format!("http://127.0.0.1:{}/", address.port())
        } else {
            format!("http://{address}/")
        })
    }

    /// Answers until the process ends; one thread is enough for one person's browser.
    pub(crate) fn run(self) -> Result<()> {
        let Self { listener, site } = self;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let answer = move |request: Request| {
                let site = Arc::clone(&site);
                async move { site.answer(&request) }
            };
            let app = Router::new().fallback(answer);
            axum::serve(listener, app).into_future().await?;
            Ok(())
        })
    }
}

impl Site {
    fn answer(&self, request: &Request) -> Response<Body> {
        if self.only_local_names && !is_local_name(request.headers()) {
            return text(
                StatusCode::FORBIDDEN,
                "this server answers to localhost only; start it with --host to change that\n",
            );
        }
        let address = address_of(request.uri().path());
        let resource = address.and_then(|address| self.resources.get(&address));
        respond(resource, request.method(), request.headers())
    }
}

/// Whether `Host` is one of this machine's own names; any port, so that tunnels work.
fn is_local_name(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST) else {
        return true; // HTTP 1.0; browsers always send it
    };
    let host = host.to_str().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use std::{
        borrow::Cow,
        io::{Read as _, Write as _},
        net::{Ipv4Addr, TcpStream},
    };

    use super::*;
    use crate::site::Content;

    fn served(files: &[(&str, &'static [u8])]) -> u16 {
        let files = files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), Content::Bytes(Cow::Borrowed(*bytes))))
            .collect();
        let server = Server::open(files, Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let port = server.listener.local_addr().unwrap().port();
        // Ends with the test's process.
        std::thread::spawn(move || server.run());
        port
    }

    fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let request = format!("{request}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }

    #[test]
    fn files_are_sent_and_nothing_else() {
        let port = served(&[("index.html", b"<p>page"), ("a/b.wasm", b"0123456789")]);
        let page = ask(port, "GET / HTTP/1.1\r\nHost: localhost:1");
        assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
        assert!(page.contains("content-type: text/html"), "{page}");
        assert!(page.ends_with("<p>page"), "{page}");

        let part = "GET /a/b.wasm HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=3-";
        let part = ask(port, part);
        assert!(part.starts_with("HTTP/1.1 206"), "{part}");
        assert!(part.contains("content-range: bytes 3-9/10"), "{part}");
        assert!(part.ends_with("\r\n\r\n3456789"), "{part}");

        let head = ask(port, "HEAD /a/b.wasm HTTP/1.1\r\nHost: localhost");
        assert!(head.contains("content-length: 10"), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");

        for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/a", "//index.html"] {
            let said = ask(port, &format!("GET {path} HTTP/1.1\r\nHost: localhost"));
            assert!(said.starts_with("HTTP/1.1 404"), "{path}: {said}");
        }
    }

    #[test]
    fn other_names_for_this_machine_are_not_answered() {
        let port = served(&[("index.html", b"page")]);
        let said = ask(port, "GET / HTTP/1.1\r\nHost: evil.example:80");
        assert!(said.starts_with("HTTP/1.1 403"), "{said}");
        let said = ask(port, "GET / HTTP/1.1\r\nHost: [::1]:80");
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    }

    #[test]
    fn a_taken_port_is_said() {
        let port = served(&[("index.html", b"page")]);
        let error = Server::open(Files::new(), Ipv4Addr::LOCALHOST.into(), port).unwrap_err();
        assert!(error.to_string().contains("--port 0"), "{error}");
    }
}

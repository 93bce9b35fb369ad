//! A static file server for tests: the built page, and files that downloads can be cut in.
//!
//! Any static host would do for the page; this one also remembers what it was asked, and breaks off
//! when a test wants that.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A page that waits for a dead connection should not hold a thread for ever.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// Bytes between two pauses of a slow file.
const SLOW_PIECE: usize = 16 * 1024;
const SLOW_PAUSE: Duration = Duration::from_millis(20);

/// A running server, which ends with the test.
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    state: Mutex<State>,
    down: AtomicBool,
    ended: AtomicBool,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, File>,
    /// Start of an address → the folder that lies there.
    folders: BTreeMap<String, PathBuf>,
    requests: Vec<Request>,
}

/// A file that a test added.
#[derive(Clone, Default)]
struct File {
    bytes: Arc<Vec<u8>>,
    /// The next answers break off after so many bytes.
    cuts: Vec<usize>,
    slow: bool,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// First byte that the `Range` header asks for.
    pub(crate) from: Option<usize>,
}

impl Server {
    /// Serve a folder on a free port.
    pub(crate) fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            state: Mutex::default(),
            down: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let server = Self {
            port,
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                if shared.down.load(Ordering::Relaxed) {
                    continue;
                }
                let shared = Arc::clone(&shared);
                // A reader that goes away is no failure of the server.
                thread::spawn(move || shared.answer(stream).ok());
            }
        });
        server
    }

    /// Address of a path, which starts with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Serve bytes beside the folder.
    pub(crate) fn add(&self, path: &str, bytes: Vec<u8>) {
        let file = File {
            bytes: Arc::new(bytes),
            ..File::default()
        };
        self.state().files.insert(path.to_owned(), file);
    }

    /// Serve another folder under addresses that start with `prefix`, which ends with `/`.
    pub(crate) fn mount(&self, prefix: &str, folder: &Path) {
        let folders = &mut self.state().folders;
        folders.insert(prefix.to_owned(), folder.to_owned());
    }

    /// Break the next answer for an added file off after so many bytes.
    pub(crate) fn cut(&self, path: &str, n_bytes: usize) {
        if let Some(file) = self.state().files.get_mut(path) {
            file.cuts.push(n_bytes);
        }
    }

    /// Send an added file so slowly that a test can act in between, or fast again.
    pub(crate) fn set_slow(&self, path: &str, slow: bool) {
        if let Some(file) = self.state().files.get_mut(path) {
            file.slow = slow;
        }
    }

    /// Answer nobody, as a host that is gone, or everybody again.
    pub(crate) fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::Relaxed);
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no thread panics with it")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; if that fails it ends with the process.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

impl Shared {
    /// Answer one request and close.
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(READ_LIMIT))?;
        let Some((method, path, from)) = read_request(&stream)? else {
            return Ok(());
        };
        let file = self.find(&path, from);
        let Some(mut file) = file else {
            return stream.write_all(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        };
        let total = file.bytes.len();
        let start = from.unwrap_or(0);
        if start > total {
            let head = format!(
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{total}\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            return stream.write_all(head.as_bytes());
        }
        let body = &file.bytes[start..];
        stream.write_all(head(&path, from, total, body.len()).as_bytes())?;
        if method == "HEAD" {
            return Ok(());
        }
        let cut = file.cuts.pop();
        let body = &body[..cut.unwrap_or(body.len()).min(body.len())];
        for piece in body.chunks(SLOW_PIECE) {
            stream.write_all(piece)?;
            if file.slow {
                thread::sleep(SLOW_PAUSE);
            }
        }
        stream.flush()
    }

    /// The file at a path; what is asked is written down, and a planned cut is used up.
    fn find(&self, path: &str, from: Option<usize>) -> Option<File> {
        let mut state = self.state.lock().expect("no thread panics with it");
        state.requests.push(Request {
            path: path.to_owned(),
            from,
        });
        if let Some(file) = state.files.get_mut(path) {
            let cuts = file.cuts.pop().into_iter().collect();
            return Some(File {
                cuts,
                ..file.clone()
            });
        }
        let mounted = state.folders.iter().find_map(|(prefix, folder)| {
            let inside = path.strip_prefix(prefix.as_str())?;
            Some((folder.clone(), inside))
        });
        drop(state);
        let (folder, inside) = mounted.unwrap_or_else(|| {
            let inside = path.trim_start_matches('/');
            let inside = if inside.is_empty() {
                "index.html"
            } else {
                inside
            };
            (self.folder.clone(), inside)
        });
        let inside = Path::new(inside);
        let plain = inside
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let bytes = fs::read(folder.join(inside)).ok().filter(|_| plain)?;
        Some(File {
            bytes: Arc::new(bytes),
            ..File::default()
        })
    }
}

/// Method, path and first wanted byte.
fn read_request(stream: &TcpStream) -> std::io::Result<Option<(String, String, Option<usize>)>> {
    let mut lines = BufReader::new(stream).lines();
    let Some(first) = lines.next().transpose()? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let mut from = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.split('-').next().and_then(|first| first.parse().ok());
        }
    }
    Ok(Some((method.to_owned(), path.to_owned(), from)))
}

/// Status line and headers. Isolation lets the page share memory, and other origins may read.
fn head(path: &str, from: Option<usize>, total: usize, length: usize) -> String {
    let status = match from {
        Some(start) => format!(
            "206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}",
            total.saturating_sub(1)
        ),
        None => "200 OK".to_owned(),
    };
    format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: {}\r\n\
         Content-Length: {length}\r\n\
         Accept-Ranges: bytes\r\n\
         ETag: \"{total}\"\r\n\
         Cache-Control: no-cache\r\n\
         Cross-Origin-Opener-Policy: same-origin\r\n\
         Cross-Origin-Embedder-Policy: require-corp\r\n\
         Cross-Origin-Resource-Policy: cross-origin\r\n\
         Access-Control-Allow-Origin: *\r\n\
         Access-Control-Allow-Headers: *\r\n\
         Access-Control-Expose-Headers: *\r\n\
         Connection: close\r\n\r\n",
        content_type(path)
    )
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") | None => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some(_) if path == "/" => "text/html; charset=utf-8",
        Some(_) => "application/octet-stream",
    }
}

//! Downloads against a small server on this machine that speaks the Hub's three requests.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server has and how it misbehaves.
#[derive(Default)]
struct State {
    files: Vec<(&'static str, Vec<u8>)>,
    /// Answer every request with this status.
    refuse: Option<u16>,
    /// Close the connection after so many bytes of a weight file, once for each entry.
    cut_after: Vec<usize>,
    /// Send other bytes than the name of the file promises.
    corrupt: bool,
    /// `GET` targets with their `Range`, for files only.
    asked: Vec<(String, String)>,
    authorization: Option<String>,
}

struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        // Ends with the test process; it waits for a connection most of the time.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away in the middle is part of the tests.
                answer(&stream, &mut shared.lock().unwrap()).ok();
            }
        });
        Self { address, state }
    }

    fn hub(&self, cache: &Path) -> Hub {
        let mut hub = Hub::from_variables(|name| match name {
            "HF_ENDPOINT" => Some(self.address.clone()),
            "HF_HUB_CACHE" => Some(cache.to_string_lossy().into_owned()),
            "HF_HOME" => Some(cache.join("home").to_string_lossy().into_owned()),
            _ => None,
        })
        .unwrap();
        hub.first_wait = Duration::from_millis(1);
        hub
    }
}

fn answer(mut stream: &TcpStream, state: &mut State) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut range = String::new();
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => range = value.into(),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                state.authorization = Some(value.into());
            }
            Some(_) => {}
            None => break,
        }
    }
    if let Some(status) = state.refuse {
        return write!(
            stream,
            "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    if target.starts_with("/api/models/org/tiny/revision/main") {
        let siblings: Vec<_> = state
            .files
            .iter()
            .map(|(name, bytes)| serde_json::json!({"rfilename": name, "size": bytes.len()}))
            .collect();
        let body = serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string();
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }
    let name = target
        .strip_prefix("/org/tiny/resolve/main/")
        .unwrap_or_default()
        .to_owned();
    let Some((_, bytes)) = state.files.iter().find(|(known, _)| *known == name) else {
        return write!(
            stream,
            "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    };
    state.asked.push((name.clone(), range.clone()));
    send_file(stream, &name, bytes.clone(), &range, state)
}

fn send_file(
    mut stream: &TcpStream,
    name: &str,
    mut bytes: Vec<u8>,
    range: &str,
    state: &mut State,
) -> std::io::Result<()> {
    let etag = if name.ends_with(".safetensors") {
        sha256(&bytes)
    } else {
        format!("etag-{name}")
    };
    let (from, to) = range
        .strip_prefix("bytes=")
        .and_then(|r| r.split_once('-'))
        .unwrap();
    let from: usize = from.parse().unwrap();
    let end = to
        .parse()
        .map_or(bytes.len(), |last: usize| last + 1)
        .min(bytes.len());
    if from >= bytes.len() {
        return write!(
            stream,
            "HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    if state.corrupt {
        bytes[0] ^= 1;
    }
    let body = &bytes[from..end];
    write!(
        stream,
        "HTTP/1.1 206 Partial\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{}/{}\r\n\
         ETag: \"{etag}\"\r\nX-Repo-Commit: {COMMIT}\r\nConnection: close\r\n\r\n",
        body.len(),
        end - 1,
        bytes.len()
    )?;
    let whole = to.is_empty() && name.ends_with(".safetensors");
    let cut = if whole { state.cut_after.pop() } else { None };
    stream.write_all(&body[..cut.unwrap_or(body.len()).min(body.len())])
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn weights() -> Vec<u8> {
    (0..200_000_u32).map(|index| (index % 251) as u8).collect()
}

fn tiny() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("README.md", b"not needed".to_vec()),
        ("config.json", b"{}".to_vec()),
        ("tokenizer.json", b"{\"a\": 1}".to_vec()),
        ("model.safetensors", weights()),
        ("pytorch_model.bin", vec![0; 10]),
    ]
}

fn repository() -> Repository {
    Repository::parse("org/tiny").unwrap()
}

/// The error of a fetch from a server in a certain state.
fn refusal(state: State) -> String {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(state);
    format!(
        "{:#}",
        server.hub(cache.path()).fetch(&repository()).unwrap_err()
    )
}

#[test]
fn fetches_what_a_model_needs_once() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(State {
        files: tiny(),
        ..State::default()
    });
    let hub = server.hub(cache.path());
    let folder = hub.fetch(&repository()).unwrap();
    assert_eq!(
        folder,
        cache
            .path()
            .join("models--org--tiny/snapshots")
            .join(COMMIT)
    );
    assert_eq!(
        fs::read(folder.join("model.safetensors")).unwrap(),
        weights()
    );
    assert_eq!(fs::read(folder.join("config.json")).unwrap(), b"{}");
    assert!(!folder.join("README.md").exists() && !folder.join("pytorch_model.bin").exists());

    let asked = server.state.lock().unwrap().asked.len();
    assert_eq!(hub.fetch(&repository()).unwrap(), folder);
    assert_eq!(
        server.state.lock().unwrap().asked.len(),
        asked,
        "a file was fetched twice"
    );
    assert_eq!(server.state.lock().unwrap().authorization, None);
}

#[test]
fn a_cut_download_goes_on_where_it_stopped() {
    let cache = tempfile::tempdir().unwrap();
    let state = State {
        files: tiny(),
        cut_after: vec![50_000, 70_000],
        ..State::default()
    };
    let server = Server::start(state);
    let folder = server.hub(cache.path()).fetch(&repository()).unwrap();
    assert_eq!(
        fs::read(folder.join("model.safetensors")).unwrap(),
        weights()
    );
    let asked = server.state.lock().unwrap().asked.clone();
    let ranges: Vec<&str> = asked
        .iter()
        .filter(|(name, range)| name == "model.safetensors" && range.ends_with('-'))
        .map(|(_, range)| range.as_str())
        .collect();
    assert_eq!(ranges, ["bytes=0-", "bytes=70000-", "bytes=120000-"]);
}

#[test]
fn a_part_of_an_earlier_run_is_used() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(State {
        files: tiny(),
        ..State::default()
    });
    let blobs = cache.path().join("models--org--tiny/blobs");
    fs::create_dir_all(&blobs).unwrap();
    let check = |there: usize, range: &str| {
        fs::remove_dir_all(cache.path().join("models--org--tiny/snapshots")).ok();
        fs::remove_file(blobs.join(sha256(&weights()))).ok();
        let part = blobs.join(sha256(&weights())).with_extension("part");
        fs::write(part, &weights()[..there]).unwrap();
        let folder = server.hub(cache.path()).fetch(&repository()).unwrap();
        assert_eq!(
            fs::read(folder.join("model.safetensors")).unwrap(),
            weights()
        );
        let asked = server.state.lock().unwrap().asked.last().cloned();
        assert_eq!(asked, Some(("model.safetensors".into(), range.into())));
    };
    check(1_234, "bytes=1234-");
    check(weights().len(), "bytes=199999-");
}

#[test]
fn damaged_content_is_refused_and_not_kept() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(State {
        files: tiny(),
        corrupt: true,
        ..State::default()
    });
    let hub = server.hub(cache.path());
    let error = format!("{:#}", hub.fetch(&repository()).unwrap_err());
    assert!(error.contains("SHA-256"), "{error}");
    server.state.lock().unwrap().corrupt = false;
    let folder = hub.fetch(&repository()).unwrap();
    assert_eq!(
        fs::read(folder.join("model.safetensors")).unwrap(),
        weights()
    );
}

#[test]
fn refusals_say_what_to_do() {
    let check = |status: u16, expected: &str| {
        let message = refusal(State {
            refuse: Some(status),
            ..State::default()
        });
        assert!(message.contains(expected), "{message}");
    };
    check(401, "set HF_TOKEN");
    check(403, "set HF_TOKEN");
    check(404, "no model `org/tiny` with a revision `main`");
    check(500, "500");
    let files = vec![("config.json", b"{}".to_vec()), ("model.gguf", Vec::new())];
    let message = refusal(State {
        files,
        ..State::default()
    });
    assert!(message.contains("GGUF"), "{message}");
}

#[test]
fn without_a_connection_the_cache_will_do() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(State {
        files: tiny(),
        ..State::default()
    });
    let mut hub = server.hub(cache.path());
    let folder = hub.fetch(&repository()).unwrap();

    // A port that was free a moment ago: nobody answers there.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    hub.endpoint = format!("http://{free}");
    assert_eq!(hub.fetch(&repository()).unwrap(), folder);
    let other = Repository::parse("org/other").unwrap();
    let message = hub.fetch(&other).unwrap_err().to_string();
    assert!(message.contains("HF_ENDPOINT"), "{message}");

    hub.offline = true;
    assert_eq!(hub.fetch(&repository()).unwrap(), folder);
    assert!(
        hub.fetch(&other)
            .unwrap_err()
            .to_string()
            .contains("HF_HUB_OFFLINE")
    );
}

#[test]
fn the_token_is_sent() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(State {
        files: tiny(),
        ..State::default()
    });
    let mut hub = server.hub(cache.path());
    hub.token = Some("hf_secret".into());
    hub.fetch(&repository()).unwrap();
    let sent = server.state.lock().unwrap().authorization.clone();
    assert_eq!(sent.as_deref(), Some("Bearer hf_secret"));
}

#[test]
fn variables_decide_the_places() {
    let hub = |pairs: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        Hub::from_variables(|name| {
            pairs
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        })
        .unwrap()
    };
    assert_eq!(hub(&[]).endpoint, DEFAULT_ENDPOINT);
    assert_eq!(
        hub(&[("HF_ENDPOINT", "https://mirror.example/")]).endpoint,
        "https://mirror.example"
    );
    assert_eq!(
        hub(&[("HF_HOME", "/models")]).cache,
        Path::new("/models/hub")
    );
    assert_eq!(
        hub(&[("XDG_CACHE_HOME", "/c")]).cache,
        Path::new("/c/huggingface/hub")
    );
    assert_eq!(
        hub(&[("HF_HOME", "/a"), ("HF_HUB_CACHE", "/b")]).cache,
        Path::new("/b")
    );
    assert!(hub(&[("HF_HUB_OFFLINE", "1")]).offline && !hub(&[("HF_HUB_OFFLINE", "0")]).offline);
}

#[test]
fn names_of_repositories() {
    let parse = |text| Repository::parse(text).map(|found| (found.id, found.revision));
    let some = |id: &str, revision: &str| Some((id.to_owned(), revision.to_owned()));
    assert_eq!(
        parse("Qwen/Qwen2.5-0.5B"),
        some("Qwen/Qwen2.5-0.5B", "main")
    );
    assert_eq!(parse("org/name@refs/pr/1"), some("org/name", "refs/pr/1"));
    for text in [
        "name",
        "/org/name",
        "./name",
        "../name",
        "a/b/c",
        "org/",
        "a b/c",
        "a/b@",
        "a/b@../c",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

//! Static sites: what is in the folder, and what the server gives of it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::binary::{done, fixture, refused, veneer};

fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// Stands for the built app.
fn app(folder: &Path) -> PathBuf {
    let app = folder.join("app");
    fs::create_dir_all(&app).unwrap();
    fs::write(app.join("index.html"), "<p>page").unwrap();
    fs::write(app.join("veneer-web_bg.wasm"), [0, 97, 115, 109]).unwrap();
    app
}

fn demo_site(folder: &Path) -> PathBuf {
    let (app, out) = (app(folder), folder.join("site"));
    #[rustfmt::skip]
    done(&[
        "export", "--model", "demo", "--to", "site", "--quant", "q4_0", "--app", text(&app),
        "--prompt", "¿Qué es un bono?", "--title", "Bonos", "--out", text(&out),
    ]);
    out
}

#[test]
fn a_site_holds_the_app_the_model_and_a_true_list() {
    let folder = tempfile::tempdir().unwrap();
    let out = demo_site(folder.path());
    for file in ["index.html", "veneer-web_bg.wasm", "README.md"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    let list = fs::read_to_string(out.join("demo/site.json")).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["title"], "Bonos");
    let model = &list["models"][0];
    assert_eq!(model["name"], "demo");
    assert_eq!(model["prompts"][0], "¿Qué es un bono?");
    let file = &model["files"][0];
    let bytes = fs::read(out.join("demo").join(file["path"].as_str().unwrap())).unwrap();
    assert_eq!(file["bytes"], bytes.len());
    let sha256: String = Sha256::digest(&bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(file["sha256"], sha256);
    assert_eq!(&bytes[..4], b"GGUF");

    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["app", "site"], "nothing else is left");
}

#[test]
fn what_makes_no_site_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (app, out) = (app(folder.path()), folder.path().join("site"));
    let adapter = fixture("merge/llama32");
    let export = |more: &[&str]| -> Vec<String> {
        let words = ["export", "--model", "demo", "--out", text(&out)];
        let words = words.iter().chain(more);
        words.map(|word| (*word).to_owned()).collect()
    };
    let other = [
        "--to=site",
        "--app",
        text(&app),
        "--adapter",
        text(&adapter),
    ];
    refused(&export(&other), &["another model", "merge/llama32"]);
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let no_app = ["--to=site", "--app", text(&empty)];
    refused(&export(&no_app), &["has no index.html", "cargo xtask web"]);
    refused(&export(&["--to=gguf", "--prompt=x"]), &["--to site"]);
    let two = ["--to=gguf", "--adapter=a", "--adapter=b"];
    refused(&export(&two), &["--adapter", "2 times"]);
    assert!(!out.exists());
    let both = ["serve", "--site", text(&empty), "--model", "demo"];
    refused(&both, &["--site", "--model"]);
}

/// `veneer serve`, which ends with the test.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn site(folder: &Path) -> Self {
        let mut child = veneer()
            .args(["serve", "--port=0", "--site", text(folder)])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let (_, rest) = line
            .split_once("http://")
            .unwrap_or_else(|| panic!("{line}"));
        let address = rest.split_once('/').unwrap().0.to_owned();
        Self { child, address }
    }

    fn ask(&self, path: &str, headers: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        let at = said.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(said[..at].to_vec()).unwrap();
        (head, said[at + 4..].to_vec())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_site_is_served_in_parts_too_and_ends_on_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let site = demo_site(folder.path());
    let list = fs::read_to_string(site.join("demo/site.json")).unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    let path = list["models"][0]["files"][0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let whole = fs::read(site.join("demo").join(&path)).unwrap();

    let mut served = Served::site(&site);
    assert!(served.address.starts_with("127.0.0.1:"));
    let (head, page) = served.ask("/", "");
    assert!(head.contains("content-type: text/html"), "{head}");
    assert!(
        head.contains("cross-origin-embedder-policy: require-corp"),
        "{head}"
    );
    assert_eq!(page, b"<p>page");
    let (head, _) = served.ask("/veneer-web_bg.wasm", "");
    assert!(head.contains("content-type: application/wasm"), "{head}");

    let path = format!("/demo/{path}");
    let middle = whole.len() / 2;
    let (head, rest) = served.ask(&path, &format!("Range: bytes={middle}-\r\n"));
    assert!(head.starts_with("HTTP/1.1 206"), "{head}");
    assert!(
        rest == whole[middle..],
        "{} of {} bytes",
        rest.len(),
        whole.len()
    );
    let (head, _) = served.ask("/../Cargo.toml", "");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");

    let id = served.child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}

//! Chromium's debugging protocol over one socket: commands, answers, and what pages report.
//!
//! A page and each of its workers is a session of the same socket. Everything that a page or its
//! workers complain about, and every address that they ask for, is kept for the page's test to see.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::client_with_config, protocol::WebSocketConfig};

/// No command of a test takes this long, not even an answer on a software adapter.
const ANSWER_LIMIT: Duration = Duration::from_secs(180);

/// How long one look at the socket waits.
const GLANCE: Duration = Duration::from_millis(20);

/// An open debugging socket.
pub(crate) struct DevTools {
    socket: WebSocket<TcpStream>,
    next_id: u64,
    answers: BTreeMap<u64, Result<Value, String>>,
    /// Session of a worker → session of its page.
    workers: BTreeMap<String, String>,
    reports: Vec<Report>,
}

/// Something that a page or one of its workers did.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// Session of the page.
    pub(crate) page: String,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// An exception, a console error, a crash.
    Problem(String),
    /// An address that was asked for.
    Request(String),
}

impl DevTools {
    /// Connect to the browser that listens at `port`.
    pub(crate) fn connect(port: u16, path: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("Chromium listens");
        stream.set_nodelay(true).expect("a TCP socket");
        let url = format!("ws://127.0.0.1:{port}{path}");
        // Screenshots come as one message.
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (socket, _) =
            client_with_config(url, stream, Some(config)).expect("Chromium speaks WebSocket");
        socket
            .get_ref()
            .set_read_timeout(Some(GLANCE))
            .expect("a TCP socket");
        Self {
            socket,
            next_id: 0,
            answers: BTreeMap::new(),
            workers: BTreeMap::new(),
            reports: Vec::new(),
        }
    }

    /// Give a command to a session, or to the browser itself, and wait for the answer.
    pub(crate) fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, String> {
        let id = self.send(session, method, parameters)?;
        let started = Instant::now();
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer.map_err(|text| format!("{method}: {text}"));
            }
            if started.elapsed() > ANSWER_LIMIT {
                return Err(format!(
                    "{method}: no answer within {} s",
                    ANSWER_LIMIT.as_secs()
                ));
            }
            self.glance()?;
        }
    }

    /// Give the browser a command whose answer does not matter.
    pub(crate) fn tell(&mut self, method: &str) -> Result<(), String> {
        self.send(None, method, json!({})).map(|_| ())
    }

    /// Read what has come, for a moment.
    pub(crate) fn glance(&mut self) -> Result<(), String> {
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                let message = serde_json::from_str(text.as_str())
                    .map_err(|error| format!("Chromium sent no JSON: {error}"))?;
                self.take(message)
            }
            Ok(_) => Ok(()),
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                Ok(())
            }
            Err(error) => Err(format!("Chromium is gone: {error}")),
        }
    }

    /// What the page with this session and its workers did so far.
    pub(crate) fn reports<'a>(&'a self, page: &'a str) -> impl Iterator<Item = &'a What> {
        self.reports
            .iter()
            .filter(move |report| report.page == page)
            .map(|report| &report.what)
    }

    fn send(
        &mut self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<u64, String> {
        self.next_id += 1;
        let mut command = json!({ "id": self.next_id, "method": method, "params": parameters });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        self.socket
            .send(Message::text(command.to_string()))
            .map_err(|error| format!("{method}: Chromium is gone: {error}"))?;
        Ok(self.next_id)
    }

    fn take(&mut self, mut message: Value) -> Result<(), String> {
        if let Some(id) = message["id"].as_u64() {
            let answer = match message["error"]["message"].as_str() {
                Some(text) => Err(text.to_owned()),
                None => Ok(message["result"].take()),
            };
            self.answers.insert(id, answer);
            return Ok(());
        }
        let session = message["sessionId"].as_str().unwrap_or_default();
        let page = self
            .workers
            .get(session)
            .map_or(session, String::as_str)
            .to_owned();
        let event = message["method"].as_str().unwrap_or_default();
        if event == "Target.attachedToTarget" {
            return self.watch_worker(&page, &message["params"]);
        }
        if let Some(what) = report_of(event, &message["params"]) {
            self.reports.push(Report { page, what });
        }
        Ok(())
    }

    /// Listen to a worker as to its page.
    fn watch_worker(&mut self, page: &str, attached: &Value) -> Result<(), String> {
        let kind = attached["targetInfo"]["type"].as_str();
        let Some(session) = attached["sessionId"].as_str() else {
            return Ok(());
        };
        if kind != Some("worker") {
            return Ok(());
        }
        self.workers.insert(session.to_owned(), page.to_owned());
        for domain in ["Runtime.enable", "Log.enable", "Network.enable"] {
            self.send(Some(session), domain, json!({}))?;
        }
        Ok(())
    }
}

/// What an event means for a test, if anything.
fn report_of(event: &str, parameters: &Value) -> Option<What> {
    match event {
        "Runtime.exceptionThrown" => {
            let details = &parameters["exceptionDetails"];
            let text = details["exception"]["description"]
                .as_str()
                .or(details["text"].as_str())?;
            Some(What::Problem(format!("exception: {text}")))
        }
        "Runtime.consoleAPICalled" => {
            let text = console_text(&parameters["args"]);
            let kind = parameters["type"].as_str().unwrap_or_default();
            let bad = ["error", "assert"].contains(&kind) || is_alarming(&text);
            bad.then(|| What::Problem(format!("console: {text}")))
        }
        "Log.entryAdded" => {
            let entry = &parameters["entry"];
            let text = entry["text"].as_str().unwrap_or_default();
            let bad = entry["level"] == "error" || is_alarming(text);
            let url = entry["url"].as_str().unwrap_or_default();
            bad.then(|| What::Problem(format!("browser: {text} {url}")))
        }
        "Inspector.targetCrashed" => Some(What::Problem("the page crashed".into())),
        "Network.requestWillBeSent" => {
            let url = parameters["request"]["url"].as_str()?;
            Some(What::Request(url.to_owned()))
        }
        _ => None,
    }
}

/// A GPU error that a program may survive with wrong numbers, or a panic inside a callback.
fn is_alarming(text: &str) -> bool {
    [
        "WGSL compilation failed",
        "panicked",
        "Invalid ShaderModule",
        "unreachable",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

fn console_text(arguments: &Value) -> String {
    let words = arguments.as_array().into_iter().flatten().map(|argument| {
        match (&argument["value"], argument["description"].as_str()) {
            (Value::String(text), _) => text.clone(),
            (Value::Null, Some(text)) => text.to_owned(),
            (value, _) => value.to_string(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

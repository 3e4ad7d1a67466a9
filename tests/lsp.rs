//! The language server over a connection in memory: what an editor would see.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lsp_server::{Connection, Message, Notification, Request, RequestId};
use serde_json::{Value, json};

use crate::support::programs;

/// The side of the editor.
struct Editor {
    connection: Connection,
    server: Option<JoinHandle<()>>,
    requests: i32,
}

impl Editor {
    fn start() -> Editor {
        let (ours, theirs) = Connection::memory();
        let server = thread::spawn(move || tensa::lsp::serve(theirs).expect("a server that stops when asked"));
        let mut editor = Editor { connection: ours, server: Some(server), requests: 0 };
        let answer = editor.request("initialize", json!({ "capabilities": {} }));
        // Whole texts.
        assert_eq!(answer["capabilities"]["textDocumentSync"]["change"], 1);
        editor.notify("initialized", json!({}));
        editor
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let request = Request::new(RequestId::from(self.requests), method.to_owned(), params);
        self.connection.sender.send(Message::Request(request)).expect("a server that listens");
        match self.receive() {
            Message::Response(response) => serde_json::to_value(response).expect("JSON")["result"].clone(),
            other => panic!("{other:?} where an answer to `{method}` was due"),
        }
    }

    fn notify(&self, method: &str, params: Value) {
        let notification = Notification::new(method.to_owned(), params);
        self.connection.sender.send(Message::Notification(notification)).expect("a server that listens");
    }

    fn receive(&self) -> Message {
        self.connection.receiver.recv_timeout(Duration::from_secs(60)).expect("a message of the server")
    }

    /// The diagnostics published next.
    fn published(&self) -> Vec<Value> {
        match self.receive() {
            Message::Notification(told) => {
                assert_eq!(told.method, "textDocument/publishDiagnostics");
                told.params["diagnostics"].as_array().expect("a list").clone()
            }
            other => panic!("{other:?} where diagnostics were due"),
        }
    }

    fn open(&self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "languageId": "tensa", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
        self.published()
    }

    fn change(&self, uri: &str, version: i32, text: &str) -> Vec<Value> {
        let params = json!({
            "textDocument": { "uri": uri, "version": version },
            "contentChanges": [{ "text": text }],
        });
        self.notify("textDocument/didChange", params);
        self.published()
    }

    fn stop(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        let server = self.server.take().expect("a server that runs");
        server.join().expect("no panic");
    }
}

fn example(name: &str) -> (String, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let text = std::fs::read_to_string(&path).expect("an example");
    (format!("file://{}", path.display()), text)
}

#[test]
fn mistakes_are_published_and_go_when_mended() {
    let editor = Editor::start();
    let (uri, text) = example("iris.model");
    assert_eq!(editor.open(&uri, &text), Vec::<Value>::new());

    let broken = text.replace("Dropout(0.2)", "Dropuot(0.2)");
    let told = editor.change(&uri, 2, &broken);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["code"], "E0201");
    assert_eq!(told[0]["severity"], 1);
    let message = told[0]["message"].as_str().expect("a text");
    assert!(message.contains("`Dropuot`") && message.contains("did you mean `Dropout`?"), "{message}");
    let line = broken.lines().position(|line| line.contains("Dropuot")).expect("the line");
    let column = broken.lines().nth(line).and_then(|line| line.find("Dropuot")).expect("the column");
    let place = json!({
        "start": { "line": line, "character": column },
        "end": { "line": line, "character": column + 7 },
    });
    assert_eq!(told[0]["range"], place);

    assert_eq!(editor.change(&uri, 3, &text), Vec::<Value>::new());
    editor.notify("textDocument/didSave", json!({ "textDocument": { "uri": uri }, "text": broken }));
    assert_eq!(editor.published().len(), 1);
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(editor.published(), Vec::<Value>::new());
    editor.stop();
}

/// Asked at a mistake, the server offers its edits; the text after one of them has no mistake.
#[test]
fn a_mistake_is_mended_by_an_action() {
    let mut editor = Editor::start();
    let (uri, text) = example("iris.model");
    let broken = text.replace("Dropout(0.2)", "Dropuot(0.2)");
    let told = editor.open(&uri, &broken);
    let params =
        |range: &Value| json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
    let actions = editor.request("textDocument/codeAction", params(&told[0]["range"]));
    let actions = actions.as_array().expect("a list").clone();
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert_eq!(actions[0]["title"], "did you mean `Dropout`?");
    assert_eq!(actions[0]["kind"], "quickfix");
    assert_eq!(actions[0]["isPreferred"], true);
    assert_eq!(actions[0]["diagnostics"], json!([told[0]]));
    let edits = actions[0]["edit"]["changes"][&uri].as_array().expect("edits").clone();
    assert_eq!(edits, [json!({ "range": told[0]["range"], "newText": "Dropout" })]);

    // Elsewhere nothing is to be mended, and in a document that was closed neither.
    let start = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } });
    assert_eq!(editor.request("textDocument/codeAction", params(&start)), json!([]));
    assert_eq!(editor.change(&uri, 2, &text), Vec::<Value>::new());
    assert_eq!(editor.request("textDocument/codeAction", params(&told[0]["range"])), json!([]));
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    assert_eq!(editor.published(), Vec::<Value>::new());
    assert_eq!(editor.request("textDocument/codeAction", params(&told[0]["range"])), json!([]));
    editor.stop();
}

#[test]
fn columns_are_utf16_and_second_places_are_related() {
    let editor = Editor::start();
    let text = "fn f(x: [..]) = x\nfn f(x: [..]) = \"é🦀\" + y\n";
    let told = editor.open("untitled:Untitled-1", text);
    let codes: Vec<&str> = told.iter().filter_map(|told| told["code"].as_str()).collect();
    assert_eq!(codes, ["E0203", "E0201"]);
    assert_eq!(told[0]["relatedInformation"][0]["location"]["range"]["start"], json!({ "line": 0, "character": 3 }));
    // `"é🦀" + ` is eight UTF-16 units, though twelve bytes.
    assert_eq!(told[1]["range"]["start"], json!({ "line": 1, "character": 24 }));
    editor.stop();
}

/// A mistake in a used file stands where the program uses it, and says where it is.
#[test]
fn mistakes_of_a_used_file_stand_at_the_use() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("nets.model"), "\nfn twice(x: [..]) -> [..] = 2 * z\n")
        .expect("a writable folder");
    let editor = Editor::start();
    let uri = format!("file://{}", folder.path().join("net.model").display());
    let told = editor.open(&uri, "let width = 8\nuse \"nets.model\"\n");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["range"]["start"], json!({ "line": 1, "character": 0 }));
    let message = told[0]["message"].as_str().expect("a text");
    assert!(message.contains("nets.model`, line 2") && message.contains("`z`"), "{message}");
    editor.stop();
}

#[test]
fn what_is_not_served_is_refused_and_what_is_not_known_ignored() {
    let mut editor = Editor::start();
    assert_eq!(editor.request("textDocument/hover", json!({})), Value::Null);
    editor.notify("$/setTrace", json!({ "value": "off" }));
    editor.notify("textDocument/didOpen", json!({ "nonsense": true }));
    editor.notify(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": "file:///never-opened", "version": 1 }, "contentChanges": [] }),
    );
    assert_eq!(editor.open("file:///a.model", "let a = 1\n"), Vec::<Value>::new());
    editor.stop();
}

#[test]
fn a_document_is_formatted_unless_it_has_mistakes() {
    let mut editor = Editor::start();
    let format =
        |uri: &str| json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true } });
    editor.open("file:///a.model", "let a=1\n  let é = \"🦀\" # crab");
    let edits = editor.request("textDocument/formatting", format("file:///a.model"));
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 1, "character": 21 } });
    assert_eq!(edits, json!([]), "`é` is no name: the text has a mistake");
    editor.change("file:///a.model", 2, "let a=1\n  let b = \"🦀\" # crab");
    let edits = editor.request("textDocument/formatting", format("file:///a.model"));
    assert_eq!(edits, json!([{ "range": whole, "newText": "let a = 1\nlet b = \"🦀\"  # crab\n" }]));
    editor.change("file:///a.model", 3, "let a = 1\n");
    assert_eq!(editor.request("textDocument/formatting", format("file:///a.model")), json!([]));
    editor.stop();
}

/// The server survives a text at every moment of its being typed.
#[test]
fn every_prefix_of_an_example_is_answered() {
    let editor = Editor::start();
    let (uri, text) = example("iris.model");
    editor.open(&uri, "");
    let ends: Vec<usize> = programs::tokens(&text).iter().map(|token| token.end).collect();
    for (version, end) in ends.iter().enumerate() {
        editor.change(&uri, version as i32 + 2, &text[..*end]);
    }
    assert_eq!(editor.change(&uri, 9999, &text), Vec::<Value>::new());
    editor.stop();
}

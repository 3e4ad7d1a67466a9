//! The language server: the protocol, and nothing that is not the protocol.
//!
//! In: messages of an editor. Out: diagnostics of each open document, after every change, and for a place in it the edits
//! that mend what is told there. What a text means is asked of `ide`. `convert` holds the translation between our places and the protocol's.

mod convert;

use std::path::PathBuf;

use gen_lsp_types::{
    CodeAction, CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProvider, CodeActionRequest,
    DidChangeTextDocumentNotification, DidChangeTextDocumentParams, DidCloseTextDocumentNotification,
    DidCloseTextDocumentParams, DidOpenTextDocumentNotification, DidOpenTextDocumentParams,
    DidSaveTextDocumentNotification, DidSaveTextDocumentParams, DocumentFormattingParams, DocumentFormattingProvider,
    DocumentFormattingRequest, Notification as _, PublishDiagnosticsNotification, PublishDiagnosticsParams,
    Request as _, Save, SaveOptions, ServerCapabilities, TextDocumentContentChangeEvent, TextDocumentSync,
    TextDocumentSyncKind, TextDocumentSyncOptions, TextEdit, Uri,
};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use rustc_hash::FxHashMap;

use crate::ide::{self, Analysis};

/// Why the server stopped before the editor said so.
pub type Stopped = Box<dyn std::error::Error + Send + Sync>;

/// An open document.
struct Document {
    text: String,
    version: i32,
    /// What was told of this text.
    analysis: Option<Analysis>,
}

/// Serves over stdin and stdout until the editor says `exit`.
pub fn serve_stdio() -> Result<(), Stopped> {
    let (connection, threads) = Connection::stdio();
    serve(connection)?;
    threads.join()?;
    Ok(())
}

/// Serves a connection until `exit`, or until the other side is gone.
pub fn serve(connection: Connection) -> Result<(), Stopped> {
    connection.initialize(serde_json::to_value(capabilities())?)?;
    let mut documents: FxHashMap<String, Document> = FxHashMap::default();
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(());
                }
                connection.sender.send(Message::Response(answered(&documents, request)))?;
            }
            Message::Notification(notification) => {
                if let Some(published) = notified(&mut documents, notification) {
                    let method = PublishDiagnosticsNotification::METHOD.to_string();
                    connection.sender.send(Message::Notification(Notification::new(method, published)))?;
                }
            }
            // The server asks nothing, so nothing is answered.
            Message::Response(_) => {}
        }
    }
    Ok(())
}

/// Whole texts, told on opening, on each change and on saving.
fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Full),
            save: Some(Save::SaveOptions(SaveOptions { include_text: Some(true) })),
            ..TextDocumentSyncOptions::default()
        })),
        code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QuickFix]),
            ..CodeActionOptions::default()
        })),
        document_formatting_provider: Some(DocumentFormattingProvider::Bool(true)),
        ..ServerCapabilities::default()
    }
}

/// The answer to a request.
fn answered(documents: &FxHashMap<String, Document>, request: Request) -> Response {
    let Request { id, method, params } = request;
    let answer = if method == DocumentFormattingRequest::METHOD.as_str() {
        serde_json::from_value(params).and_then(|params| serde_json::to_value(formatting(documents, &params)))
    } else if method == CodeActionRequest::METHOD.as_str() {
        serde_json::from_value(params).and_then(|params| serde_json::to_value(actions(documents, &params)))
    } else {
        let error = format!("`{method}` is not served");
        return Response::new_err(id, ErrorCode::MethodNotFound as i32, error);
    };
    match answer {
        Ok(answer) => Response::new_ok(id, answer),
        Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
    }
}

/// The edits that mend what is told at a place of an open document.
fn actions(documents: &FxHashMap<String, Document>, params: &CodeActionParams) -> Vec<CodeAction> {
    let uri = &params.text_document.uri;
    let analysis = documents.get(&uri.0).and_then(|document| document.analysis.as_ref());
    analysis.map_or_else(Vec::new, |analysis| convert::actions(analysis, uri, params.range))
}

/// The edit that lays an open document out; none where it has mistakes or is laid out.
fn formatting(documents: &FxHashMap<String, Document>, params: &DocumentFormattingParams) -> Vec<TextEdit> {
    let Some(document) = documents.get(&params.text_document.uri.0) else { return Vec::new() };
    let formatted = ide::formatted(&document.text).filter(|formatted| *formatted != document.text);
    formatted.map(|new_text| TextEdit { range: convert::whole(&document.text), new_text }).into_iter().collect()
}

/// What a notification makes known about a document. One that is not understood changes nothing: an editor
/// that sends more than was agreed is not stopped for it.
fn notified(
    documents: &mut FxHashMap<String, Document>,
    notification: Notification,
) -> Option<PublishDiagnosticsParams> {
    let method = notification.method.as_str();
    let params = notification.params;
    if method == DidOpenTextDocumentNotification::METHOD.as_str() {
        let DidOpenTextDocumentParams { text_document } = serde_json::from_value(params).ok()?;
        let document = Document { text: text_document.text, version: text_document.version, analysis: None };
        documents.insert(text_document.uri.0.clone(), document);
        return publish(documents, text_document.uri);
    }
    if method == DidChangeTextDocumentNotification::METHOD.as_str() {
        let params: DidChangeTextDocumentParams = serde_json::from_value(params).ok()?;
        let uri = params.text_document.text_document_identifier.uri;
        let document = documents.get_mut(&uri.0)?;
        document.version = params.text_document.version;
        for change in params.content_changes {
            // Whole texts were agreed on; a range would be a breach of it.
            if let TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) = change {
                document.text = whole.text;
            }
        }
        return publish(documents, uri);
    }
    if method == DidSaveTextDocumentNotification::METHOD.as_str() {
        // The data beside the file may have changed too.
        let DidSaveTextDocumentParams { text_document, text } = serde_json::from_value(params).ok()?;
        if let (Some(text), Some(document)) = (text, documents.get_mut(&text_document.uri.0)) {
            document.text = text;
        }
        return publish(documents, text_document.uri);
    }
    if method == DidCloseTextDocumentNotification::METHOD.as_str() {
        let DidCloseTextDocumentParams { text_document } = serde_json::from_value(params).ok()?;
        documents.remove(&text_document.uri.0)?;
        return Some(PublishDiagnosticsParams { uri: text_document.uri, version: None, diagnostics: Vec::new() });
    }
    None
}

/// Checks an open document.
fn publish(documents: &mut FxHashMap<String, Document>, uri: Uri) -> Option<PublishDiagnosticsParams> {
    let document = documents.get_mut(&uri.0)?;
    // An unsaved document has no folder; its data is looked for where the server runs.
    let path = convert::path(&uri).unwrap_or_else(|| PathBuf::from(&uri.0));
    let analysis = ide::diagnostics(&document.text, &path);
    let diagnostics = convert::diagnostics(&analysis, &uri);
    document.analysis = Some(analysis);
    Some(PublishDiagnosticsParams { uri, version: Some(document.version), diagnostics })
}

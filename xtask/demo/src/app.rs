//! The developer's app: a real HTTP server with a handler for each webhook, some of them slow or faulty, that can be taken
//! down and started again on the same port.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long the slow handler takes.
const SLOW: Duration = Duration::from_millis(1_800);

/// The app, up or down.
pub struct App {
    address: SocketAddr,
    serving: Option<JoinHandle<()>>,
}

impl App {
    /// Starts it on a free port of loopback.
    pub async fn start() -> Result<App> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok(App { address, serving: Some(serve(listener)) })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends it: connections break, new ones are refused.
    pub async fn go_down(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // Aborted on purpose: how it ended says nothing.
            let _ended = serving.await;
        }
    }

    /// Starts it again where it was.
    pub async fn come_up(&mut self) -> Result<()> {
        if self.serving.is_none() {
            let listener = TcpListener::bind(self.address).await.context("the app's port is taken meanwhile")?;
            self.serving = Some(serve(listener));
        }
        Ok(())
    }
}

fn serve(listener: TcpListener) -> JoinHandle<()> {
    let router = Router::new().route("/hooks/{*which}", any(handle)).fallback(|| async { StatusCode::NOT_FOUND });
    tokio::spawn(async move {
        // Only ends when it is aborted.
        let _never = axum::serve(listener, router).await;
    })
}

/// What the app makes of a webhook, by its event.
async fn handle(headers: HeaderMap, body: Bytes) -> Response {
    let json: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let by_header = headers.get("x-github-event").and_then(|value| value.to_str().ok());
    let event = by_header.or_else(|| json.get("event").and_then(Value::as_str)).unwrap_or("unknown");
    match event {
        // The fault that the developer is after: an empty note.
        "order.cancelled" | "issue_comment" => faulty(&json),
        "email.bounced" | "star" => answer(StatusCode::NOT_FOUND, r#"{"error":"no handler for this event"}"#),
        "dependabot_alert" => answer(StatusCode::UNPROCESSABLE_ENTITY, r#"{"error":"alert.state is not known"}"#),
        "product.stock_low" | "release" => {
            tokio::time::sleep(SLOW).await;
            answer(StatusCode::OK, r#"{"ok":true,"note":"the warehouse took its time"}"#)
        }
        "push" | "workflow_run" | "workflow_job" => answer(StatusCode::ACCEPTED, r#"{"ok":true,"queued":true}"#),
        _ => answer(StatusCode::OK, r#"{"ok":true}"#),
    }
}

fn faulty(json: &Value) -> Response {
    let id = json.get("id").and_then(Value::as_str).unwrap_or("comment");
    let body = format!(
        "{{\n  \"error\": \"TypeError: Cannot read properties of null (reading 'trim')\",\n  \"id\": \"{id}\",\n  \
         \"stack\": [\"handlers/order.ts:88:17\", \"router.ts:41:9\", \"server.ts:12:3\"]\n}}\n"
    );
    answer(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

fn answer(status: StatusCode, body: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::SERVER, "northwind-app/1.4")];
    (status, headers, body.to_owned()).into_response()
}

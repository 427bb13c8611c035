//! The client against a peer that speaks raw bytes, so that breaks and oddities can be placed exactly.

use super::*;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const HEALTH: &str = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"status\":\"ok\"}";

/// Answers each connection with the next answer, then closes it; gives back the heads that it was sent.
async fn peer(dir: &Path, answers: &'static [&'static str]) -> JoinHandle<Vec<String>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    write_run_file(dir, &format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        let mut heads = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            // Closing with bytes unread would reset the connection and tear the answer away.
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
            stream.read_exact(&mut vec![0; length]).await.unwrap();
            heads.push(head);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heads
    })
}

fn write_run_file(dir: &Path, admin_url: &str) {
    let run = json!({
        "pid": std::process::id(), "version": "0.0.0", "started_at": "2026-01-01T00:00:00.000Z",
        "ingress_url": "http://127.0.0.1:1", "admin_url": admin_url, "admin_token": "sesame",
    });
    std::fs::write(RunFile::path(dir), run.to_string()).unwrap();
}

#[tokio::test]
async fn without_a_run_file_no_engine_is_running() {
    let dir = tempfile::tempdir().unwrap();
    let error = Client::connect(dir.path()).await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }));
    assert!(error.means_not_running());
    assert!(error.help().contains("creel serve"));
}

#[tokio::test]
async fn a_run_file_whose_port_nobody_listens_on_is_stale_even_if_the_process_id_lives() {
    let dir = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    write_run_file(dir.path(), &format!("http://{address}"));
    assert!(matches!(Client::connect(dir.path()).await.unwrap_err(), ClientError::StaleRunFile { .. }));
}

#[tokio::test]
async fn a_call_carries_the_token_and_an_encoded_query() {
    let dir = tempfile::tempdir().unwrap();
    let peer = peer(dir.path(), &[HEALTH, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]).await;
    let client = Client::connect(dir.path()).await.unwrap();
    let query = [("q", "a&b=c d".to_owned()), ("limit", "5".to_owned())];
    client.call(Method::GET, "/deliveries", &query, None).await.unwrap();
    let heads = peer.await.unwrap();
    assert!(heads[1].starts_with("GET /api/deliveries?q=a%26b%3Dc+d&limit=5 HTTP/1.1\r\n"), "{}", heads[1]);
    assert!(heads[1].contains("authorization: Bearer sesame\r\n"), "{}", heads[1]);
}

#[tokio::test]
async fn the_engines_error_object_arrives_as_it_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    let answer = "HTTP/1.1 409 Conflict\r\nconnection: close\r\n\r\n\
        {\"error\":{\"code\":\"not_replayable\",\"message\":\"No\",\"help\":\"Use force\",\"field\":\"force\"}}";
    let peer = peer(dir.path(), Box::leak(Box::new([HEALTH, answer]))).await;
    let client = Client::connect(dir.path()).await.unwrap();
    let error = client.call(Method::POST, "/deliveries/x/replay", &[], Some(&json!({}))).await.unwrap_err();
    let ClientError::Api { status: 409, error } = error else { panic!("{error:?}") };
    assert_eq!(error.code, "not_replayable");
    assert_eq!(error.field.as_deref(), Some("force"));
    peer.await.unwrap();
}

#[tokio::test]
async fn an_error_without_an_object_still_names_its_status() {
    let dir = tempfile::tempdir().unwrap();
    let peer = peer(dir.path(), &[HEALTH, "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\noops"]).await;
    let client = Client::connect(dir.path()).await.unwrap();
    let error = client.call(Method::GET, "/stats", &[], None).await.unwrap_err();
    assert_eq!(error.code(), "unexpected_answer");
    assert!(error.to_string().contains("502"));
    peer.await.unwrap();
}

#[tokio::test]
async fn an_empty_answer_is_null_and_a_cut_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":";
    let peer = peer(dir.path(), &*Box::leak(Box::new([HEALTH, "HTTP/1.1 204 No Content\r\n\r\n", cut]))).await;
    let client = Client::connect(dir.path()).await.unwrap();
    assert_eq!(client.call(Method::DELETE, "/endpoints/x", &[], None).await.unwrap(), Value::Null);
    assert!(matches!(client.call(Method::GET, "/stats", &[], None).await, Err(ClientError::Broken(_))));
    peer.await.unwrap();
}

#[tokio::test]
async fn after_a_break_the_stream_resumes_behind_the_last_event_and_half_an_event_is_not_doubled() {
    let dir = tempfile::tempdir().unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let first = format!("{head}id: r-1\nevent: delivery\ndata: 1\n\nid: r-2\nevent: delivery\ndata: tw");
    let second = format!("{head}id: r-2\nevent: delivery\ndata: two\n\n");
    let answers: &'static [&'static str] = Box::leak(Box::new([HEALTH, first.leak(), HEALTH, second.leak()]));
    let peer = peer(dir.path(), answers).await;
    let mut events = Client::connect(dir.path()).await.unwrap().events().await.unwrap();
    assert_eq!(events.next().await.unwrap().data, "1");
    let event = events.next().await.unwrap();
    assert_eq!((event.data.as_str(), event.id.as_deref()), ("two", Some("r-2")));
    let heads = peer.await.unwrap();
    assert!(!heads[1].contains("last-event-id"));
    assert!(heads[3].contains("last-event-id: r-1\r\n"), "{}", heads[3]);
}

#[tokio::test]
async fn a_stream_that_nobody_answers_any_more_ends_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let peer = peer(dir.path(), &[HEALTH, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"]).await;
    let mut events = Client::connect(dir.path()).await.unwrap().events().await.unwrap();
    peer.await.unwrap();
    std::fs::remove_file(RunFile::path(dir.path())).unwrap();
    tokio::time::pause();
    assert!(matches!(events.next().await, Err(ClientError::Lost { .. })));
}

#[tokio::test]
async fn a_stream_that_starts_over_asks_for_a_resync() {
    let dir = tempfile::tempdir().unwrap();
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let first = format!("{head}id: r-1\ndata: 1\n\n");
    let second = format!("{head}id: s-1\nevent: resync\ndata: {{}}\n\n");
    let answers: &'static [&'static str] = Box::leak(Box::new([HEALTH, first.leak(), HEALTH, second.leak()]));
    let peer = peer(dir.path(), answers).await;
    let mut events = Client::connect(dir.path()).await.unwrap().events().await.unwrap();
    assert_eq!(events.next().await.unwrap().data, "1");
    events.start_over();
    assert_eq!(events.next().await.unwrap().name, "resync");
    let heads = peer.await.unwrap();
    assert!(heads[3].contains("last-event-id: 0-0\r\n"), "an id of no run: {}", heads[3]);
}

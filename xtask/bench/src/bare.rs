//! The yardstick: an axum handler that reads the body and says 200. Nothing that answers a webhook can do less.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::routing::any;
use tokio::net::TcpListener;

pub fn serve() -> Result<()> {
    listen(Router::new().route("/{*path}", any(read_body)))
}

async fn read_body(body: Bytes) -> &'static str {
    // The length is looked at so that no compiler can decide the body is not needed.
    if body.is_empty() { "{\"status\":\"empty\"}" } else { "{\"status\":\"accepted\"}" }
}

/// Serves on a free port of loopback and prints its address on the first line.
pub fn listen(router: Router) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        // As Creel does on its connections.
        use axum::serve::ListenerExt as _;
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        axum::serve(listener, router).await?;
        Ok(())
    })
}

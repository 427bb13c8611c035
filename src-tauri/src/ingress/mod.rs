//! The listener that senders talk to: HTTP/1.1, one URL for each endpoint, and nothing else.
//!
//! [`serve`] accepts connections until it is told to stop. Each connection is a [`head_gate::HeadGate`] over its socket,
//! hyper's HTTP/1.1 over the gate, and the [`reception::Reception`] over hyper: the gate judges bytes and time and takes
//! the framing off, hyper keeps requests and answers in step and writes answers, the reception judges requests and hands
//! the good ones to the engine, of which the ingress knows nothing but [`Inbound`]. While a sender takes its time, with a
//! head, with a body or between requests, there is no hyper, so that thousands of them hold little.
//!
//! What the gate and the reception must not be: lenient with bytes that two servers could read differently, impatient
//! with tunnels that keep connections open, unbounded in anything a sender can make them hold.

mod body;
mod captures;
mod chunks;
mod cidr;
mod client;
mod config;
mod connections;
mod deadline;
mod exchange;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod head;
mod head_gate;
mod header_line;
pub mod limits;
mod malformed;
mod path;
mod rate;
mod reception;
mod reply;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use cidr::{Cidr, CidrError};
pub use config::{ENDPOINT_RATE_PER_MINUTE_DEFAULT, FAILURE_RATE_PER_MINUTE_DEFAULT, IngressConfig, IngressSettings};
pub use limits::IngressLimits;

use self::connections::{Connections, Place};
use self::exchange::Exchange;
use self::head_gate::HeadGate;
use self::limits::{ACCEPT_PAUSE, HYPER_BUFFER_BYTES_MAX};
use self::reception::{Caller, Reception};
use crate::app::inbound::Inbound;
use crate::domain::SeededBug;

/// Accepts and answers until `stop` is cancelled; then accepts no more, gives the work in flight
/// [`IngressLimits::stop`] to end, and returns when every task has.
pub async fn serve<I: Inbound>(
    listener: TcpListener,
    inbound: Arc<I>,
    config: Arc<IngressConfig>,
    stop: CancellationToken,
) {
    let connections = Connections::new(config.limits.connections_max);
    let reception = Arc::new(Reception::new(inbound, Arc::clone(&config), Arc::clone(&connections)));
    let limits = Arc::new(config.limits.clone());
    let mut tasks = JoinSet::new();
    while let Some((socket, peer, place)) = next_connection(&listener, &connections, &mut tasks, &stop).await {
        tasks.spawn(hold_connection(socket, peer, place, Arc::clone(&limits), Arc::clone(&reception)));
    }
    drop(listener);
    finish(tasks, &connections, &reception, &limits).await;
}

/// The next connection with its place in the table; none when it is time to stop.
async fn next_connection(
    listener: &TcpListener,
    connections: &Arc<Connections>,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, Place)> {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let place = connections.admit(stop).await?;
                    return Some((socket, peer, place));
                }
                Err(error) => pause_after(&error, connections).await,
            },
        }
    }
}

/// Some accept errors concern the one connection that was not made. All else, such as "too many open files", would
/// come again at once: a pause keeps it from being a busy loop, and the oldest silent connection gives back its file.
async fn pause_after(error: &io::Error, connections: &Connections) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::warn!(%error, open = connections.count(), "connections cannot be accepted now");
    connections.evict_oldest();
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// One connection, from its first byte to its end.
async fn hold_connection<I: Inbound>(
    socket: TcpStream,
    peer: SocketAddr,
    place: Place,
    limits: Arc<IngressLimits>,
    reception: Arc<Reception<I>>,
) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "small answers may be delayed");
    }
    let exchange = Arc::new(Exchange::default());
    let caller = Arc::new(Caller { peer, exchange: Arc::clone(&exchange) });
    let mut gate = HeadGate::new(socket, place, exchange, limits);
    while gate.next_head().await {
        if let Some(head) = gate.take_awaiting() {
            let arrived = reception.receive(&caller, head, &mut gate).await;
            caller.exchange.push(arrived);
        }
        answer_requests(&mut gate, &caller, &reception).await;
        if !gate.is_resting() {
            return;
        }
    }
}

/// Answers what comes, until the connection has ended or the gate has to wait; then the gate alone goes on.
async fn answer_requests<I: Inbound>(
    gate: &mut HeadGate<TcpStream>,
    caller: &Arc<Caller>,
    reception: &Arc<Reception<I>>,
) {
    let service = service_fn(|_: http::Request<hyper::body::Incoming>| {
        let (caller, reception) = (Arc::clone(caller), Arc::clone(reception));
        async move { Ok::<_, Infallible>(reception.answer(&caller).await) }
    });
    // On the heap, so that a connection that waits does not hold the room.
    let connection = Box::pin(
        http1::Builder::new()
            // A sender may close its half after the request and still wait for the answer.
            .half_close(!SeededBug::TiedToConnection.is_on())
            // The gate keeps the time: hyper's timer would close idle connections too.
            .header_read_timeout(None)
            .max_buf_size(HYPER_BUFFER_BYTES_MAX)
            .serve_connection(TokioIo::new(gate), service),
    );
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// Ends what is idle, waits for what is in flight, and gives up on what takes too long.
async fn finish<I: Inbound>(
    mut tasks: JoinSet<()>,
    connections: &Connections,
    reception: &Reception<I>,
    limits: &IngressLimits,
) {
    connections.close_idle();
    let in_flight = async {
        while let Some(ended) = tasks.join_next().await {
            report(ended);
        }
        reception.captures.finish().await;
    };
    if tokio::time::timeout(limits.stop, in_flight).await.is_ok() {
        return;
    }
    tracing::warn!(
        connections = connections.count(),
        captures = reception.captures.orphans(),
        "work in flight did not end in time and is given up"
    );
    reception.captures.abandon();
    tasks.shutdown().await;
    reception.captures.finish().await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if ended.is_err_and(|error| error.is_panic()) {
        tracing::error!("a connection's task panicked");
    }
}

#[cfg(test)]
mod tests;

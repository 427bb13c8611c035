//! Routes: one for each operation, the description, the event stream, and the UI for all else.
//!
//! The only thing this module gives out is [`Guarded`], which cannot be taken apart: whatever route is added, a request
//! reaches it through the guard.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{Method as HttpMethod, StatusCode};
use serde_json::{Map, Value};
use tower::ServiceExt as _;

use super::guard::{Guard, is_api};
use super::response::{ApiError, answer, json_response, secured};
use super::server::Lifetime;
use super::stream::Stream;
use super::{Api, openapi, request, ui_files};
use crate::app::error::AppError;
use crate::app::operation::{Method, Operation, path_parameters};

/// The whole listener's service.
#[derive(Clone)]
pub(super) struct Guarded {
    guard: Arc<Guard>,
    routes: Router,
}

impl Guarded {
    /// The service of a listener bound to this address. Calls run as tasks of their own, so that one that has begun
    /// ends even when its caller hangs up.
    pub(super) fn new<E: Send + Sync + 'static>(bound: SocketAddr, api: &Api<E>, lifetime: &Lifetime) -> Self {
        let guard = Arc::new(Guard::new(bound, &api.token));
        let description = Bytes::from(openapi::document(&api.operations).to_string());
        let stream = Stream::new(api.events.clone(), lifetime.stop.clone());
        let mut routes = Router::new()
            .route("/api/openapi.json", any(move |request: Request| describe(request, description.clone())))
            .route("/api/events", any(move |request: Request| stream.clone().answer(request)));
        for (path, methods) in by_path(api) {
            let route = Arc::new(Route { engine: Arc::clone(&api.engine), methods, lifetime: lifetime.clone() });
            let serve = move |params, request: Request| Arc::clone(&route).answer(params, request);
            routes = routes.route(&path, any(serve));
        }
        Self { guard, routes: routes.fallback(elsewhere) }
    }

    /// Answers one request.
    pub(super) async fn call(self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        if let Err(denied) = self.guard.admit(&head) {
            return secured(ApiError::from(denied).into_response());
        }
        match self.routes.oneshot(Request::from_parts(head, body)).await {
            Ok(response) => secured(response),
            Err(never) => match never {},
        }
    }
}

/// Operations by path. Parameters are renamed to their position, because the router wants one name for one place, and
/// `/endpoints/{id}` and `/endpoints/{endpoint_id}/deliveries` name the same place twice.
fn by_path<E: Send + Sync + 'static>(api: &Api<E>) -> BTreeMap<String, Vec<Operation<E>>> {
    let mut paths: BTreeMap<String, Vec<Operation<E>>> = BTreeMap::new();
    for operation in api.operations.iter() {
        let mut position = 0..;
        let segments = operation.path.split('/').map(|segment| match segment.starts_with('{') {
            true => format!("{{p{}}}", position.next().unwrap_or(0)),
            false => segment.to_owned(),
        });
        let path = format!("/api{}", segments.collect::<Vec<_>>().join("/"));
        paths.entry(path).or_default().push(operation.clone());
    }
    // These two are served by this module itself.
    paths.remove("/api/openapi.json");
    paths.remove("/api/events");
    paths
}

/// The operations of one path.
struct Route<E> {
    engine: Arc<E>,
    methods: Vec<Operation<E>>,
    lifetime: Lifetime,
}

impl<E: Send + Sync + 'static> Route<E> {
    async fn answer(
        self: Arc<Self>,
        params: Result<RawPathParams, RawPathParamsRejection>,
        request: Request,
    ) -> Result<Response, ApiError> {
        let (head, body) = request.into_parts();
        let Some(operation) = self.methods.iter().find(|operation| http_method(operation.method) == head.method) else {
            let allow: Vec<&str> = self.methods.iter().map(|operation| operation.method.as_str()).collect();
            return Err(ApiError::method_not_allowed(&allow.join(", ")));
        };
        // Only a percent-encoding that is no UTF-8 fails here, and no name of ours contains one.
        let values = params.map_err(|_| ApiError::no_such_path())?;
        let values = values.iter().map(|(_, value)| Value::String(value.to_owned()));
        let params: Map<String, Value> = path_parameters(operation.path).map(str::to_owned).zip(values).collect();
        let call = request::call(operation, params, &head, body).await?;
        let (operation, engine) = (operation.clone(), Arc::clone(&self.engine));
        let abort = self.lifetime.abort.clone();
        let work = async move {
            tokio::select! {
                answered = operation.call(&engine, call) => answered,
                () = abort.cancelled() => Err(stopping()),
            }
        };
        let done = self.lifetime.tasks.spawn(work).await;
        match done {
            Ok(result) => Ok(answer(result?)),
            Err(error) => {
                tracing::error!(path = %head.uri.path(), %error, "an operation did not end");
                Err(AppError::internal("The call did not end as it should").into())
            }
        }
    }
}

fn stopping() -> AppError {
    AppError::unavailable("stopping", "Creel is stopping and the call did not end in time", "Start it again.")
}

fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Put => HttpMethod::PUT,
        Method::Patch => HttpMethod::PATCH,
        Method::Delete => HttpMethod::DELETE,
    }
}

async fn describe(request: Request, description: Bytes) -> Result<Response, ApiError> {
    only_get(&request)?;
    Ok(json_response(StatusCode::OK, Body::from(description)))
}

/// What no route has: below `/api` nothing, else a file of the UI.
async fn elsewhere(request: Request) -> Result<Response, ApiError> {
    if is_api(request.uri().path()) {
        return Err(ApiError::no_such_path());
    }
    ui_files::answer(request.method(), request.uri().path())
}

/// Refuses every method but GET.
pub(super) fn only_get(request: &Request) -> Result<(), ApiError> {
    if request.method() == HttpMethod::GET { Ok(()) } else { Err(ApiError::method_not_allowed("GET")) }
}

#[cfg(test)]
pub(super) mod tests;

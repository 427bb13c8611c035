//! Bodies: whole, and in windows for those that are too large to be shown whole.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameters::{ArrivalPath, DeliveryPath};
use crate::app::App;
use crate::app::body_lines::{BodyKey, LINE_BYTES_MAX, Layout, Line, LineIndexes, find};
use crate::app::error::AppError;
use crate::app::operation::{Input, Json, NoBody, NoQuery, RawBytes};
use crate::domain::DeliveryId;
use crate::store::{read_arrival, read_summary};

/// Lines of one answer, unless asked for otherwise.
const LINES_DEFAULT: u32 = 200;
/// Lines of one answer at most.
const LINES_MAX: u32 = 1_000;
/// Bytes of one slice at most, 256 KiB.
const SLICE_BYTES_MAX: u64 = 256 * 1024;
/// Longest text that is looked for, in characters.
const NEEDLE_CHARS_MAX: usize = 1_000;

/// Which lines of a body.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BodyLinesQuery {
    /// The first line, counted from 0; 0 unless given.
    pub start: Option<u64>,
    /// Lines, 1 to 1,000; 200 unless given.
    #[schemars(range(min = 1, max = 1_000))]
    pub count: Option<u32>,
    /// JSON with a line for each value; anything else stays as received.
    pub pretty: Option<bool>,
    /// Of this arrival; 1, the delivery itself, unless given.
    pub arrival: Option<u32>,
}

/// Some lines of a body.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct BodyLines {
    /// Bytes of the whole body.
    pub body_size: u64,
    /// Whether it is valid UTF-8 to its last byte.
    pub utf8: bool,
    /// Whether these are lines of formatted JSON, and not those of the signed bytes.
    pub pretty: bool,
    /// Bytes after which a line is cut.
    pub line_bytes_max: u64,
    /// All lines there are.
    pub total: u64,
    /// The first one here, counted from 0.
    pub start: u64,
    /// The lines.
    pub lines: Vec<Line>,
}

/// What to look for in a body.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BodyFindQuery {
    /// The text; case matters.
    #[schemars(length(min = 1, max = 1_000))]
    pub text: String,
    /// Offset in bytes where looking begins; 0 unless given.
    #[serde(default)]
    pub from: Option<u64>,
    /// Looks for the last one before `from`.
    #[serde(default)]
    pub backwards: Option<bool>,
    /// Whether `line` counts the lines of formatted JSON.
    #[serde(default)]
    pub pretty: Option<bool>,
    /// In this arrival; 1, the delivery itself, unless given.
    #[serde(default)]
    pub arrival: Option<u32>,
}

/// Where a text stands in a body.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct BodyMatch {
    /// Offset of its first byte; null when it is not there.
    pub offset: Option<u64>,
    /// The line, counted from 0, in which it begins; null when it is not there.
    pub line: Option<u64>,
    /// How often it stands in the body.
    pub matches: u64,
    /// Whether there may be more than `matches`.
    pub matches_are_minimum: bool,
}

/// Which bytes of a body.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BodySliceQuery {
    /// Offset of the first byte; 0 unless given.
    pub offset: Option<u64>,
    /// Bytes, at most 262,144, which is the default; fewer are answered at the end.
    #[schemars(range(min = 1, max = 262_144))]
    pub length: Option<u64>,
    /// Of this arrival; 1, the delivery itself, unless given.
    pub arrival: Option<u32>,
}

/// `GET /deliveries/{id}/body`
pub async fn whole(app: Arc<App>, input: Input<DeliveryPath, NoQuery, NoBody>) -> Result<RawBytes, AppError> {
    app.arrival_bytes(input.params.id, 1).await
}

/// `GET /deliveries/{id}/arrivals/{n}/body`
pub async fn of_arrival(app: Arc<App>, input: Input<ArrivalPath, NoQuery, NoBody>) -> Result<RawBytes, AppError> {
    app.arrival_bytes(input.params.id, input.params.n).await
}

/// `GET /deliveries/{id}/body/lines`
pub async fn lines(
    app: Arc<App>,
    input: Input<DeliveryPath, BodyLinesQuery, NoBody>,
) -> Result<Json<BodyLines>, AppError> {
    let BodyLinesQuery { start, count, pretty, arrival } = input.query;
    let count = count.unwrap_or(LINES_DEFAULT);
    if !(1..=LINES_MAX).contains(&count) {
        return Err(AppError::bad_query("count", format!("`count` is 1 to {LINES_MAX}")));
    }
    let start = usize::try_from(start.unwrap_or(0)).unwrap_or(usize::MAX);
    let asked = Asked { delivery: input.params.id, arrival: arrival.unwrap_or(1), pretty: pretty == Some(true) };
    app.look_into(asked, move |body, layout, index| BodyLines {
        body_size: body.len() as u64,
        utf8: index.is_utf8(),
        pretty: layout == Layout::IndentedJson,
        line_bytes_max: LINE_BYTES_MAX as u64,
        total: index.total() as u64,
        start: start as u64,
        lines: index.lines(body, start, count as usize),
    })
    .await
    .map(Json)
}

/// `GET /deliveries/{id}/body/find`
pub async fn find_text(
    app: Arc<App>,
    input: Input<DeliveryPath, BodyFindQuery, NoBody>,
) -> Result<Json<BodyMatch>, AppError> {
    let BodyFindQuery { text, from, backwards, pretty, arrival } = input.query;
    if text.is_empty() || text.chars().count() > NEEDLE_CHARS_MAX {
        return Err(AppError::bad_query("text", format!("`text` has 1 to {NEEDLE_CHARS_MAX} characters")));
    }
    let from = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let asked = Asked { delivery: input.params.id, arrival: arrival.unwrap_or(1), pretty: pretty == Some(true) };
    app.look_into(asked, move |body, _, index| {
        let found = find(body, &text, from, backwards == Some(true));
        BodyMatch {
            offset: found.map(|found| found.offset as u64),
            line: found.map(|found| index.line_at(body, found.offset) as u64),
            matches: found.map_or(0, |found| found.matches),
            matches_are_minimum: found.is_some_and(|found| found.matches_are_minimum),
        }
    })
    .await
    .map(Json)
}

/// `GET /deliveries/{id}/body/slice`
pub async fn slice(app: Arc<App>, input: Input<DeliveryPath, BodySliceQuery, NoBody>) -> Result<RawBytes, AppError> {
    let BodySliceQuery { offset, length, arrival } = input.query;
    let length = length.unwrap_or(SLICE_BYTES_MAX);
    if !(1..=SLICE_BYTES_MAX).contains(&length) {
        return Err(AppError::bad_query("length", format!("`length` is 1 to {SLICE_BYTES_MAX}")));
    }
    let _turn = app.body_turn().await?;
    let mut answer = app.arrival_bytes(input.params.id, arrival.unwrap_or(1)).await?;
    let size = answer.bytes.len();
    let from = usize::try_from(offset.unwrap_or(0)).unwrap_or(usize::MAX).min(size);
    let to = from.saturating_add(length as usize).min(size);
    // A copy: a slice that shares would keep the whole body in memory until it is sent.
    answer.bytes = bytes::Bytes::copy_from_slice(&answer.bytes[from..to]);
    Ok(answer)
}

/// Which body is looked into, and how.
#[derive(Clone, Copy)]
struct Asked {
    delivery: DeliveryId,
    arrival: u32,
    pretty: bool,
}

impl App {
    async fn arrival_bytes(&self, id: DeliveryId, n: u32) -> Result<RawBytes, AppError> {
        let found = self
            .core
            .store
            .read(move |connection| {
                let Some(summary) = read_summary(connection, id)? else { return Ok(None) };
                Ok(Some(read_arrival(connection, summary.seq, n)?))
            })
            .await?;
        let arrival = found.ok_or_else(|| AppError::not_found("delivery", id))?;
        let (_, bytes) = arrival.ok_or_else(|| AppError::not_found("arrival", n))?;
        Ok(RawBytes { bytes, filename: format!("delivery-{id}-{n}.bin") })
    }

    async fn body_turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, AppError> {
        self.line_indexes.turns.acquire().await.map_err(|_| AppError::internal("The turns of bodies are closed"))
    }

    /// Runs `look` over a body and its index, on a thread that may block.
    async fn look_into<T: Send + 'static>(
        &self,
        asked: Asked,
        look: impl FnOnce(&[u8], Layout, &crate::app::body_lines::LineIndex) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let _turn = self.body_turn().await?;
        let body = self.arrival_bytes(asked.delivery, asked.arrival).await?.bytes;
        let indexes: Arc<LineIndexes> = Arc::clone(&self.line_indexes);
        let work = move || {
            let layout = if asked.pretty { Layout::indented_if_json(&body) } else { Layout::AsReceived };
            let key = BodyKey { delivery: asked.delivery, arrival: asked.arrival, layout };
            let index = indexes.of(key, &body);
            look(&body, layout, &index)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| AppError::internal(error.to_string()))
    }
}

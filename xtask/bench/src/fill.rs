//! `fill`: a data directory with a long history, made in a minute or two instead of by a million posts.
//!
//! Each delivery is judged by the catalogue (verdict, event name, dedupe key) and stored by the store's own writer, its
//! attempts made, started and ended there, so that counts, totals and indexes are what they would be had it come through
//! the ingress. Only the waiting is left out: many deliveries share one transaction, and no target is asked.

mod endpoints;
mod outcome;
mod row;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use creel::app::settings::{SETTINGS_NAME, Settings};
use creel::domain::Timestamp;
use creel::signature::Catalogue;
use creel::store::{DATABASE_FILE, OwnerLock, Store, StoreError};

use crate::figures::thousands;
use endpoints::FilledEndpoint;
use row::{Pool, Storing};

/// Deliveries of one transaction: enough that its commit costs nothing beside them.
const BATCH_ROWS: u64 = 1_000;
/// Batches made ahead while the writer works.
const BATCHES_AHEAD: usize = 4;
/// How far back the history goes, in milliseconds: 25 days, within what is kept by default.
const HISTORY_MS: u64 = 25 * 24 * 60 * 60 * 1000;
/// Deliveries after which progress is said.
const REPORT_EVERY: u64 = 100_000;

#[derive(Args)]
pub struct Options {
    /// Where data directories are made
    #[arg(long)]
    work: PathBuf,
    /// Said by `cargo xtask bench` to every benchmark; nothing is started here
    #[arg(long, hide = true)]
    creel: Option<PathBuf>,
    /// The directory to make [default: WORK/filled-ROWS]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// How many deliveries
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
}

pub fn fill(options: &Options) -> Result<()> {
    let named = || options.work.join(format!("filled-{}", options.rows));
    let dir = options.dir.clone().unwrap_or_else(named);
    make(&dir, options.rows)?;
    println!("  creel serve --data-dir {}", dir.display());
    println!("  (the directory's settings keep everything: no limit of rows, bytes or days)");
    Ok(())
}

/// Makes a data directory with so many deliveries, newest now.
pub fn make(dir: &std::path::Path, rows: u64) -> Result<()> {
    if dir.join(DATABASE_FILE).exists() {
        bail!("{} holds a database already; name another directory, or remove it", dir.display());
    }
    std::fs::create_dir_all(dir.parent().context("the directory has no parent")?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store = Store::open(OwnerLock::take(dir)?, Box::new(|_| {}))?;
    let done = runtime.block_on(write_all(&store, rows));
    store.close();
    done
}

async fn write_all(store: &Store, rows: u64) -> Result<()> {
    let started = Instant::now();
    let catalogue = Catalogue::embedded()?;
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let first_at = now.saturating_sub(HISTORY_MS);
    let endpoints = Arc::new(save_endpoints(store, millis(first_at), &catalogue).await?);
    let pool = Arc::new(Pool::new()?);
    let mut ahead = VecDeque::new();
    for first in (0..rows).step_by(usize::try_from(BATCH_ROWS)?) {
        let batch = first..rows.min(first + BATCH_ROWS);
        let (endpoints, pool) = (Arc::clone(&endpoints), Arc::clone(&pool));
        let at = move |number: u64| millis(first_at + HISTORY_MS / rows.max(1) * number);
        ahead.push_back(tokio::task::spawn_blocking(move || -> Result<Vec<Storing>> {
            batch.map(|number| row::storing(&endpoints, &pool, number, at(number))).collect()
        }));
        if ahead.len() >= BATCHES_AHEAD {
            write_next(store, &mut ahead).await?;
        }
        if first > 0 && first.is_multiple_of(REPORT_EVERY) {
            println!("  stored {} after {} s", thousands(first as f64), started.elapsed().as_secs());
        }
    }
    while !ahead.is_empty() {
        write_next(store, &mut ahead).await?;
    }
    println!("  stored {} in {:.1} s", thousands(rows as f64), started.elapsed().as_secs_f64());
    Ok(())
}

type Made = tokio::task::JoinHandle<Result<Vec<Storing>>>;

/// Stores the oldest batch that was made, in one transaction.
async fn write_next(store: &Store, ahead: &mut VecDeque<Made>) -> Result<()> {
    let Some(made) = ahead.pop_front() else { return Ok(()) };
    let mut batch = made.await.context("a batch could not be made")??;
    // A job may run twice; each row is made so that it can be stored again after a rollback.
    store.write(move |writing| batch.iter_mut().try_for_each(|row| row.store(writing))).await?;
    Ok(())
}

/// The endpoints with their secrets, and settings that keep every row.
async fn save_endpoints(store: &Store, at: Timestamp, catalogue: &Catalogue) -> Result<Vec<FilledEndpoint>> {
    let settings = Settings { keep_rows: 0, keep_bytes: 0, keep_days: 0, ..Settings::default() };
    let settings = serde_json::to_string(&settings)?;
    let mut endpoints = endpoints::all(at, catalogue)?;
    let saved = store
        .write(move |writing| -> Result<_, StoreError> {
            writing.save_setting(SETTINGS_NAME, &settings)?;
            for filled in &mut endpoints {
                filled.row = writing.save_endpoint(&filled.endpoint)?;
                for secret in &filled.secrets {
                    writing.add_secret(filled.row, creel::domain::SecretId::new(), secret, at)?;
                }
            }
            Ok(endpoints.clone())
        })
        .await?;
    Ok(saved)
}

fn millis(since_epoch: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(since_epoch).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;

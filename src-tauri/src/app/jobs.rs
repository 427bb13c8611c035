//! Background jobs that an operation began: how far they are.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{JobId, words};

/// Jobs remembered; the oldest is forgotten first.
const JOBS_KEPT: usize = 100;

words! {
    /// How a job stands.
    JobStatus {
        /// Under way.
        Running = "running",
        /// Came to its end.
        Done = "done",
        /// Ended early; what it did until then stands.
        Failed = "failed",
    }
}

/// A background job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// How it stands.
    pub status: JobStatus,
    /// Things to do.
    pub total: u64,
    /// Things done.
    pub done: u64,
    /// Things that could not be done.
    pub failed: u64,
}

/// The newest jobs.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: Mutex<VecDeque<Job>>,
}

impl Jobs {
    /// A new job, running.
    pub fn begin(&self) -> Job {
        let job = Job { id: JobId::new(), status: JobStatus::Running, total: 0, done: 0, failed: 0 };
        let mut jobs = self.lock();
        if jobs.len() == JOBS_KEPT {
            jobs.pop_front();
        }
        jobs.push_back(job.clone());
        job
    }

    /// A job.
    #[must_use]
    pub fn get(&self, id: JobId) -> Option<Job> {
        self.lock().iter().find(|job| job.id == id).cloned()
    }

    /// Notes progress.
    pub fn update(&self, id: JobId, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.lock().iter_mut().find(|job| job.id == id) {
            change(job);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_hundred_jobs_are_remembered() {
        let jobs = Jobs::default();
        let first = jobs.begin().id;
        let others: Vec<_> = (0..JOBS_KEPT).map(|_| jobs.begin().id).collect();
        assert_eq!(jobs.get(first), None);
        jobs.update(others[0], |job| job.done = 3);
        assert_eq!(jobs.get(others[0]).unwrap().done, 3);
    }
}

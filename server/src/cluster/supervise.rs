//! The supervisor that keeps PostgreSQL running for as long as the server runs.

use super::error::ClusterError;
use super::log;
use super::postmaster::{Launch, REMAINS_DEADLINE};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use tokio::process::Child;
use tokio::time::{Instant, interval, sleep};
use tokio_util::sync::CancellationToken;

/// The first and the longest back-off between restarts. After a kill, backends may hold the shared memory for some
/// milliseconds.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The process id of the running postmaster, 0 if there is none; read when the cluster is dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<AtomicI32>);

impl Running {
    pub(crate) fn set(&self, child: Option<&Child>) {
        let pid = child.and_then(Child::id).and_then(|id| i32::try_from(id).ok());
        self.0.store(pid.unwrap_or(0), Ordering::SeqCst);
    }

    pub(crate) fn pid(&self) -> Option<i32> {
        Some(self.0.load(Ordering::SeqCst)).filter(|pid| *pid > 0)
    }
}

/// Watches the child and restarts PostgreSQL when it ends, until cancelled.
pub(crate) async fn watch(
    launch: Launch,
    mut child: Child,
    running: Running,
    stop: CancellationToken,
) -> Result<(), ClusterError> {
    let mut hourly = interval(Duration::from_hours(1));
    loop {
        tokio::select! {
            () = stop.cancelled() => {
                let done = launch.shut_down(&mut child).await;
                running.set(None);
                return done;
            }
            _ = hourly.tick() => log::prune(&launch.home.pg()),
            status = child.wait() => {
                running.set(None);
                let status = status.map_or_else(|e| e.to_string(), |s| s.to_string());
                tracing::error!("the database ended ({status}); starting it again");
                match revive(&launch, &running, &stop).await {
                    Some(next) => child = next,
                    None => return Ok(()),
                }
            }
        }
    }
}

/// Retries until the cluster runs again; `None` if cancelled meanwhile.
async fn revive(launch: &Launch, running: &Running, stop: &CancellationToken) -> Option<Child> {
    let mut pause = FIRST_PAUSE;
    let mut failures = 0_u32;
    loop {
        let reason = match launch.spawn() {
            Ok(mut child) => {
                running.set(Some(&child));
                let ready = tokio::select! {
                    ready = launch.wait_until_ready(&mut child) => Some(ready),
                    () = stop.cancelled() => None,
                };
                if matches!(ready, Some(Ok(()))) {
                    tracing::info!("the database runs again, after {} failed attempts", failures);
                    return Some(child);
                }
                let stopped = launch.shut_down(&mut child).await;
                running.set(None);
                let Some(Err(reason)) = ready else {
                    if let Err(e) = stopped {
                        tracing::error!("{e}");
                    }
                    return None;
                };
                reason
            }
            Err(reason) => reason,
        };
        failures += 1;
        // Backends that outlive a killed postmaster make the first attempts fail; only later failures are logged.
        if failures == 5 {
            tracing::error!("the database still can't be started, trying on: {reason}");
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = sleep(pause) => {}
        }
        if let Err(e) = launch.clear_leftover().await {
            tracing::warn!("{e}");
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Starts the cluster for the first time in this process.
///
/// A postmaster that was just killed may leave backends that still hold its shared memory, or lock files that name a
/// process which hasn't ended yet. PostgreSQL then refuses to start, so the start is retried for half a minute.
pub(crate) async fn first_start(launch: &Launch) -> Result<Child, ClusterError> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut told = false;
    loop {
        let mut child = launch.spawn()?;
        let reason = match launch.wait_until_ready(&mut child).await {
            Ok(()) => return Ok(child),
            Err(reason) => reason,
        };
        launch.shut_down(&mut child).await?;
        if !is_of_remains(&reason) || began.elapsed() > REMAINS_DEADLINE {
            return Err(reason);
        }
        if !told {
            told = true;
            tracing::warn!(
                "the database can't be started over what a killed one has left; trying for {} s: {reason}",
                REMAINS_DEADLINE.as_secs()
            );
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
        launch.clear_leftover().await?;
    }
}

/// Whether a start failed because of the remains of an earlier run, which disappear by themselves.
fn is_of_remains(reason: &ClusterError) -> bool {
    let ClusterError::Start { log, .. } = reason else { return false };
    log.contains("shared memory block") || (log.contains("lock file") && log.contains("already exists"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_away_by_itself_is_waited_for() {
        for (log, waits) in [
            ("FATAL:  lock file \"postmaster.pid\" already exists\nHINT:  Is another postmaster (PID 7) running", true),
            ("FATAL:  lock file \"/data/run/.s.PGSQL.5432.lock\" already exists", true),
            ("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use", true),
            ("FATAL:  configuration file \"/pg/postgresql.conf\" contains errors", false),
            ("PANIC:  could not locate a valid checkpoint record", false),
            ("ERROR:  relation \"presses\" already exists", false),
        ] {
            let reason = ClusterError::Start { why: "exit status: 1".into(), log: log.into() };
            assert_eq!(is_of_remains(&reason), waits, "{log}");
        }
    }
}

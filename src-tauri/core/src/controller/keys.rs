//! The token, kept in the shell's vault. A keyring may take seconds or ask its owner, so it is spoken to by a task of
//! its own, one thing after the other.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::shell::{TokenPlace, Vault, VaultError};

type Token = Result<Option<Arc<str>>, VaultError>;

enum Job {
    Token(oneshot::Sender<Token>),
    Keep(String, oneshot::Sender<Result<TokenPlace, VaultError>>),
    Forget,
}

/// The way to the vault; cheap to clone.
#[derive(Clone)]
pub(super) struct Keys {
    jobs: mpsc::UnboundedSender<Job>,
}

impl Keys {
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        let (jobs, mut waiting) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            // Read once: what is kept and forgotten from here on is known.
            let mut known: Option<Option<Arc<str>>> = None;
            while let Some(job) = waiting.recv().await {
                let vault = Arc::clone(&vault);
                match job {
                    Job::Token(answer) => {
                        if known.is_none() {
                            match blocking(move || vault.token()).await {
                                Ok(token) => known = Some(token.map(Arc::from)),
                                Err(error) => {
                                    let _ = answer.send(Err(error));
                                    continue;
                                }
                            }
                        }
                        let _ = answer.send(Ok(known.clone().flatten()));
                    }
                    Job::Keep(token, answer) => {
                        let keeping = token.clone();
                        let kept = blocking(move || vault.keep(&keeping)).await;
                        known = if kept.is_ok() { Some(Some(Arc::from(token))) } else { None };
                        let _ = answer.send(kept);
                    }
                    Job::Forget => {
                        known = Some(None);
                        if let Err(error) = blocking(move || vault.forget()).await {
                            tracing::warn!(%error, "The token couldn't be removed from the vault.");
                        }
                    }
                }
            }
        });
        Self { jobs }
    }

    /// The token as it is after all that was asked before, even if the answer is waited for later.
    pub fn token(&self) -> impl Future<Output = Token> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::Token(answer));
        async move { answered.await.unwrap_or_else(|_| Err(gone())) }
    }

    /// Keeps a token.
    pub async fn keep(&self, token: String) -> Result<TokenPlace, VaultError> {
        let (answer, answered) = oneshot::channel();
        let _ = self.jobs.send(Job::Keep(token, answer));
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Forgets the token.
    pub fn forget(&self) {
        let _ = self.jobs.send(Job::Forget);
    }
}

async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    tokio::task::spawn_blocking(what).await.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> VaultError {
    VaultError("the vault doesn't answer".to_owned())
}

//! Hashing of PINs and passwords with argon2id (RFC 9106), with the crate's defaults (19 MiB, 2 passes), in PHC
//! strings.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

/// Semaphore that limits hashing to one at a time. Each hash takes a core and 19 MiB for some tens of milliseconds, and
/// a press must not wait while a whole crew signs in.
static AT_ONCE: Semaphore = Semaphore::const_new(1);

/// An error in making or reading a hash.
#[derive(Debug, thiserror::Error)]
#[error("a secret can't be hashed: {0}")]
pub struct HashError(String);

/// Dummy hash that is compared with when there is no person, so that the check takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y3Jld2JlbGwtbm9ib2R5$\
                      O8d6kYI5YTt8bcG0mcSJYHgw0S4xLrmJ0p4gNZ0oV5c";

/// Hashes a secret for storage.
///
/// # Errors
/// Returns an error if the system gave no randomness.
pub async fn hash_secret(secret: String) -> Result<String, HashError> {
    blocking(move || {
        let hash = Argon2::default().hash_password(secret.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| HashError(error.to_string()))
    })
    .await
}

/// Returns whether a secret matches a hash. It takes as long when there is no hash.
///
/// # Errors
/// Returns an error if the hash can't be read.
pub async fn secret_matches(secret: String, hash: Option<String>) -> Result<bool, HashError> {
    blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let hash = PasswordHash::new(&hash).map_err(|error| HashError(error.to_string()))?;
        Ok(Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok() && known)
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
) -> Result<T, HashError> {
    let _turn = AT_ONCE.acquire().await.map_err(|error| HashError(error.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| HashError(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_matches_its_own_hash_only() {
        let hash = hash_secret("4711".into()).await.unwrap();
        assert!(secret_matches("4711".into(), Some(hash.clone())).await.unwrap());
        assert!(!secret_matches("4712".into(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_s_secret_matches_nothing() {
        assert!(!secret_matches("4711".into(), None).await.unwrap());
    }
}

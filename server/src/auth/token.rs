//! Tokens and join codes: random secrets of which the server stores the SHA-256 hash.
//!
//! A fast hash is sufficient here, unlike for a PIN: 128 or 256 random bits can't be guessed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crewbell_shared::ids::SiteId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::Ids;

/// Bearer token of a session: the site's id and 256 random bits. With the site's id, a look-up is confined to that site
/// from the start. Opaque to clients.
#[derive(Clone)]
pub struct Token {
    site: SiteId,
    secret: [u8; 32],
}

impl Token {
    /// Creates a random token.
    pub fn new(site: SiteId, ids: &Ids) -> Self {
        Self { site, secret: ids.bytes() }
    }

    /// Parses a token. Returns `None` if the text is no token.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (site, secret) = bytes.split_at_checked(16)?;
        Some(Self { site: Uuid::from_slice(site).ok()?.into(), secret: secret.try_into().ok()? })
    }

    /// Returns the token's site.
    pub fn site(&self) -> SiteId {
        self.site
    }

    /// Returns the hash that the server stores.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.secret).to_vec()
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = Vec::with_capacity(48);
        bytes.extend_from_slice(self.site.0.as_bytes());
        bytes.extend_from_slice(&self.secret);
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("site", &self.site).finish_non_exhaustive()
    }
}

/// Creates a random code for a button or a site: 128 random bits, in letters and digits that a person can type from
/// paper.
pub fn join_code(ids: &Ids) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes: [u8; 26] = ids.bytes();
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Returns the hash of a code that the server stores.
pub fn hash_code(code: &[u8]) -> Vec<u8> {
    Sha256::digest(code).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_is_not_printed_by_accident() {
        let ids = Ids::seeded(1);
        let token = Token::new(SiteId(Uuid::from_u128(7)), &ids);
        let read = Token::parse(&token.to_string()).unwrap();
        assert_eq!((read.site(), read.hash()), (token.site(), token.hash()));
        assert!(!format!("{token:?}").contains(&token.to_string()));
        assert!(Token::parse("nonsense").is_none());
        assert!(Token::parse("").is_none());
    }
}

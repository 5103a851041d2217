//! Tells responses of the Crewbell server from responses of intermediaries.
//!
//! A captive portal answers `200` with HTML to everything, a proxy `502`, a router's web page `404`, a redirect leads
//! to a portal. All of these count as an unreachable server. Only a body that parses as a refusal, with a code that
//! this version knows, is a refusal.

use crewbell_shared::{Code, Refusal};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::engine::Fault;
use crate::screen::ConnectionError;

/// Size limit of a response body, in bytes; a voice message of a minute is 2 MB.
const LARGEST: usize = 32 * 1024 * 1024;

/// Converts a transport error to a fault; the message excludes the URL and its query.
pub fn away(error: reqwest::Error) -> Fault {
    if error.is_timeout() {
        return Fault::Away(ConnectionError::NoAnswer);
    }
    let error = error.without_url();
    let mut why = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        why = cause.to_string();
        source = cause.source();
    }
    Fault::Away(ConnectionError::Network { why })
}

fn stranger() -> Fault {
    Fault::Away(ConnectionError::Stranger)
}

/// Returns a successful response with its body unread; any other response becomes a refusal, or `Stranger`.
pub async fn success(response: Response) -> Result<Response, Fault> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = whole(response).await?;
    Err(refusal(status, &body))
}

/// Parses the body of a successful response as JSON.
pub async fn json<T: DeserializeOwned>(response: Response) -> Result<T, Fault> {
    let body = whole(success(response).await?).await?;
    serde_json::from_slice(&body).map_err(|_| stranger())
}

/// Parses the body of a successful response as JSON, where an intermediary may object to the request's content.
pub async fn json_of_content<T: DeserializeOwned>(response: Response) -> Result<T, Fault> {
    let status = response.status();
    json(response).await.map_err(|fault| match fault {
        Fault::Away(ConnectionError::Stranger) if may_be_about_content(status) => {
            Fault::Blocked { status: status.as_u16() }
        }
        fault @ (Fault::Away(_) | Fault::Refused(_) | Fault::Blocked { .. }) => fault,
    })
}

/// Returns whether an intermediary's status may concern the request's content, rather than its sender or its time.
fn may_be_about_content(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 401 | 407 | 408 | 421 | 425 | 426 | 429)
}

/// Checks for an empty success: `204`.
pub async fn nothing(response: Response) -> Result<(), Fault> {
    let response = success(response).await?;
    if response.status() == StatusCode::NO_CONTENT { Ok(()) } else { Err(stranger()) }
}

/// Returns the body of a successful response that has one of these media types.
pub async fn body(response: Response, media_types: &[&str]) -> Result<Vec<u8>, Fault> {
    let response = success(response).await?;
    if !is_of(&response, media_types) {
        return Err(stranger());
    }
    whole(response).await
}

/// Returns whether a response declares one of these media types.
pub fn is_of(response: &Response, media_types: &[&str]) -> bool {
    let said = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let said = said.and_then(|said| said.split(';').next()).map(str::trim).unwrap_or_default();
    media_types.iter().any(|media_type| said.eq_ignore_ascii_case(media_type))
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(away)? {
        body.extend_from_slice(&part);
        if body.len() > LARGEST {
            return Err(stranger());
        }
    }
    Ok(body)
}

/// Interprets the response of a failed request.
fn refusal(status: StatusCode, body: &[u8]) -> Fault {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else { return stranger() };
    // Refusals of a whole request use codes as old as the endpoints; any foreign JSON may have a `code` field.
    let known = refusal.code != Code::Unrecognised;
    // `NotSignedIn` leads to a wipe of the device, so it must come with status 401 too.
    let says_so = refusal.code != Code::NotSignedIn || status == StatusCode::UNAUTHORIZED;
    let is_ours = known && says_so && (status.is_client_error() || status.is_server_error());
    if is_ours { Fault::Refused(refusal) } else { stranger() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Result<Code, ConnectionError> {
        match refusal(StatusCode::from_u16(status).unwrap(), body.as_bytes()) {
            Fault::Refused(refusal) => Ok(refusal.code),
            Fault::Away(why) => Err(why),
            Fault::Blocked { .. } => unreachable!("it is told by the status alone"),
        }
    }

    #[test]
    fn what_a_proxy_dislikes_is_told_from_what_it_dislikes_of_whoever_asks() {
        let about = |status| may_be_about_content(StatusCode::from_u16(status).unwrap());
        assert!([400, 403, 404, 406, 413, 414, 415, 422, 431, 451].into_iter().all(about));
        assert!(![200, 302, 401, 407, 408, 429, 500, 502, 503, 504, 511].into_iter().any(about));
    }

    #[test]
    fn our_server_s_no_is_a_no() {
        let no = r#"{"code":"already_accepted","message":"Sam was first.","details":{"by":{"name":"Sam"}}}"#;
        assert_eq!(said(409, no), Ok(Code::AlreadyAccepted));
        assert_eq!(said(401, r#"{"code":"not_signed_in","message":"Sign in first."}"#), Ok(Code::NotSignedIn));
    }

    #[test]
    fn nobody_else_s_answer_is_a_no() {
        for (status, body) in [
            (404, "<html>Not Found</html>"),
            (502, "Bad Gateway"),
            (511, "<html>Sign in to the hotel's Wi-Fi</html>"),
            (302, ""),
            (401, r#"{"error":"unauthorized"}"#),
            (403, r#"{"code":"portal_login","message":"Accept our terms."}"#),
            (403, r#"{"code":403,"message":"Forbidden"}"#),
            (403, r#"{"code":"not_signed_in","message":"Accept our terms."}"#),
            (302, r#"{"code":"not_found","message":"Moved."}"#),
        ] {
            assert_eq!(said(status, body), Err(ConnectionError::Stranger), "{status} {body}");
        }
    }
}

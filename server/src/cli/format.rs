//! Text formatting shared by the subcommands: spans of time, control-free text, error sentences and the PIN prompt.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::Context;
use crewbell_shared::Refusal;
use jiff::SignedDuration;

use crate::actions::ActionError;
use crate::site_registry;

/// Formats a span of time in minutes and seconds: `0:42`, `12:05`, `1:02:05`, `2 d 03:15`. Negative spans (clock skew)
/// count as zero.
pub(super) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let seconds = seconds % 60;
    match (days, hours) {
        (0, 0) => format!("{minutes}:{seconds:02}"),
        (0, _) => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days} d {hours:02}:{minutes:02}"),
    }
}

/// Formats milliseconds, with one decimal below 100 ms.
pub(super) fn millis(span: Duration) -> String {
    let millis = span.as_secs_f64() * 1000.0;
    if millis < 100.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

/// Replaces control characters in external text, so that it stays on one line and can't steer the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

/// Converts a refusal to an error with its sentence.
pub(super) fn refused(refusal: &Refusal) -> anyhow::Error {
    anyhow::Error::msg(plain(&refusal.message))
}

/// Converts the error of an action to a sentence.
pub(super) fn not_done(error: ActionError) -> anyhow::Error {
    refused(&site_registry::refusal_from_action_error(error))
}

/// Prompts for a secret on a terminal, or else reads it from standard input. It is echoed as it is typed: hiding it
/// needs control of the terminal, which a recovery shell may not give.
///
/// # Errors
/// Returns an error if the input is empty.
pub(super) fn ask_secret(whose: &str) -> anyhow::Result<String> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        let mut out = std::io::stderr();
        write!(out, "PIN or password of {} (shown as you type): ", plain(whose))?;
        out.flush()?;
    }
    let mut line = String::new();
    input.read_line(&mut line).context("The PIN can't be read")?;
    let secret = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!secret.is_empty(), "No PIN was given; give one with --pin, or on standard input.");
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(-3, "0:00")]
    #[case(0, "0:00")]
    #[case(42, "0:42")]
    #[case(60, "1:00")]
    #[case(725, "12:05")]
    #[case(3599, "59:59")]
    #[case(3725, "1:02:05")]
    #[case(86_400, "1 d 00:00")]
    #[case(184_500, "2 d 03:15")]
    fn a_span_reads_like_a_clock(#[case] seconds: i64, #[case] expected: &str) {
        assert_eq!(span(SignedDuration::from_secs(seconds)), expected);
    }

    #[rstest]
    #[case(940, "0.9 ms")]
    #[case(12_345, "12.3 ms")]
    #[case(1_234_567, "1235 ms")]
    fn milliseconds_are_as_exact_as_they_matter(#[case] micros: u64, #[case] expected: &str) {
        assert_eq!(millis(Duration::from_micros(micros)), expected);
    }
}

//! Validation of text parameters in queries. The rules validate all text that is stored.

use crewbell_shared::Refusal;

/// Refuses a text with more than `most` characters, or with a NUL, which no text in the database has.
pub(super) fn fits(field: &str, text: Option<&str>, most: usize) -> Result<(), Refusal> {
    if text.is_some_and(|text| text.chars().count() > most) {
        return Err(Refusal::invalid(field, format!("At most {most} characters.")).with("limit", &most));
    }
    if text.is_some_and(|text| text.contains('\0')) {
        return Err(Refusal::invalid(field, "No entry has a NUL in it."));
    }
    Ok(())
}

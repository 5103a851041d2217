//! Comma-separated values (RFC 4180), protected against formula injection.

/// Appends a record.
///
/// Every cell is quoted, with quotes doubled (RFC 4180, 2.5 to 2.7), and the record ends in CRLF (2.1). A cell that a
/// spreadsheet would take for a formula gets an apostrophe in front, which makes it text: input from a guest's button
/// or a crew member's note must never be executed where the export is opened (OWASP, "CSV Injection").
pub(super) fn record<'a>(csv: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (place, cell) in cells.into_iter().enumerate() {
        csv.push_str(if place == 0 { "\"" } else { ",\"" });
        if is_formula(cell) {
            csv.push('\'');
        }
        for character in cell.chars() {
            if character == '"' {
                csv.push('"');
            }
            csv.push(character);
        }
        csv.push('"');
    }
    csv.push_str("\r\n");
}

/// Returns whether a spreadsheet may execute a cell. Some trim white space first, and take the full-width signs of East
/// Asian keyboards for the plain ones.
fn is_formula(cell: &str) -> bool {
    let starts = |text: &str| text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    cell.starts_with(['\t', '\r', '\n']) || starts(cell.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[&str]) -> String {
        let mut csv = String::new();
        record(&mut csv, cells.iter().copied());
        csv
    }

    #[test]
    fn quotes_commas_and_line_breaks_stay_in_their_cell() {
        assert_eq!(
            written(&["a", "b,c", "say \"ahoy\"", "two\r\nlines", ""]),
            concat!(r#""a","b,c","say ""ahoy""","two"#, "\r\n", r#"lines","""#, "\r\n")
        );
    }

    #[test]
    fn nothing_that_a_spreadsheet_would_run_gets_through() {
        for formula in ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1", "\n1", "  =1+1", "＝1+1"] {
            assert_eq!(written(&[formula]), format!("\"'{formula}\"\r\n"));
        }
        assert_eq!(written(&["=\"\""]), "\"'=\"\"\"\"\"\r\n");
    }

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        for text in ["4711", "Cabin 5 - aft", "Siri", "{\"a\":-1}", "2026-11-21T10:30:00Z", "ÄÖÜ 漢"] {
            assert_eq!(written(&[text]), format!("\"{}\"\r\n", text.replace('"', "\"\"")));
        }
    }
}

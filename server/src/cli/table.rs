//! Plain-text tables with aligned columns, two spaces apart.

use std::fmt;

/// A text table with a header row.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates an empty table with these column titles.
    pub fn new(titles: &[&str]) -> Self {
        Self { rows: vec![titles.iter().map(|title| title.to_uppercase()).collect()] }
    }

    /// Adds a row; an empty cell shows as `-`.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cell = |text: String| {
            if text.is_empty() { "-".to_owned() } else { super::format::plain(&text) }
        };
        self.rows.push(cells.into_iter().map(cell).collect());
    }
}

impl fmt::Display for Table {
    /// Formats the rows. Widths are counted in characters, which fits the scripts of the crews' names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths);
            let line: Vec<_> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "{}", line.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = Table::new(&["name", "role"]);
        table.row(["Siri".into(), "crew".into()]);
        table.row(["Zoë-Marie".into(), String::new()]);
        assert_eq!(table.to_string(), "NAME       ROLE\nSiri       crew\nZoë-Marie  -\n");
    }

    #[test]
    fn an_empty_table_shows_its_titles() {
        assert_eq!(Table::new(&["name", "role"]).to_string(), "NAME  ROLE\n");
    }

    #[test]
    fn a_cell_can_t_steer_the_terminal() {
        let mut table = Table::new(&["device"]);
        table.row(["a\u{1b}[2Jb\n".into()]);
        assert_eq!(table.to_string(), "DEVICE\na·[2Jb·\n");
    }
}

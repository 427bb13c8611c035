//! Aligned columns for people.

use unicode_width::UnicodeWidthStr as _;

use super::escape;

/// Widest cell in columns; more is cut with `…`. The whole value is in `show` and in `--json`.
const CELL_COLUMNS_MAX: usize = 60;
/// Columns between two columns.
const GAP: usize = 2;

/// On which side a column's text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells under a head.
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; control characters in it are escaped. Its last cell pushes nothing aside and is not cut.
    pub(super) fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        let last = self.columns.len().saturating_sub(1);
        let shown = |(column, cell): (usize, String)| {
            let cell = escape::line(&cell);
            if column == last { cell.into_owned() } else { cut(&cell) }
        };
        self.rows.push(cells.into_iter().enumerate().map(shown).collect());
    }

    /// The lines, the head first, without trailing spaces.
    pub(super) fn lines(&self) -> Vec<String> {
        let head: Vec<String> = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                std::iter::once(&head)
                    .chain(&self.rows)
                    .filter_map(|row| row.get(column))
                    .map(|cell| cell.width())
                    .max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        std::iter::once(&head).chain(&self.rows).map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), (_, align)) in row.iter().zip(widths).zip(&self.columns) {
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            match align {
                Align::Left => line.extend([cell.as_str(), &pad]),
                Align::Right => line.extend([pad.as_str(), cell]),
            }
            line.push_str(&" ".repeat(GAP));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Cuts a text to [`CELL_COLUMNS_MAX`] columns.
pub(super) fn cut(text: &str) -> String {
    if text.width() <= CELL_COLUMNS_MAX {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut columns = 0;
    for character in text.chars() {
        columns += unicode_width::UnicodeWidthChar::width(character).unwrap_or(0);
        // One column is the ellipsis's.
        if columns >= CELL_COLUMNS_MAX {
            break;
        }
        out.push(character);
    }
    out.push('…');
    out
}

/// Left-aligned in a column of this width; wider text keeps its length.
pub(super) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(&[("NAME", Align::Left), ("SIZE", Align::Right), ("ID", Align::Left)])
    }

    #[test]
    fn columns_line_up_also_under_wide_characters() {
        let mut table = table();
        table.push(["日本".into(), "7".into(), "a".into()]);
        table.push(["longer name".into(), "12345".into(), "b".into()]);
        assert_eq!(table.lines(), ["NAME          SIZE  ID", "日本             7  a", "longer name  12345  b"]);
    }

    #[test]
    fn a_cell_cannot_break_out_of_its_row() {
        let mut table = table();
        table.push(["a\nb\u{1b}[2J".into(), "1".into(), "x".into()]);
        let lines = table.lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], "a\\x0ab\\x1b[2J     1  x");
    }

    #[test]
    fn a_long_cell_is_cut_to_the_width_of_a_cell() {
        for text in ["x".repeat(200), "日".repeat(200)] {
            let short = cut(&text);
            assert!(short.width() <= CELL_COLUMNS_MAX && short.ends_with('…'), "{short}");
        }
        assert_eq!(cut(&"x".repeat(CELL_COLUMNS_MAX)), "x".repeat(CELL_COLUMNS_MAX));
    }

    #[test]
    fn only_the_last_cell_of_a_row_may_be_long() {
        let mut table = table();
        table.push(["x".repeat(200), "1".into(), "y".repeat(200)]);
        let line = &table.lines()[1];
        assert!(line.contains('…') && line.ends_with(&"y".repeat(200)), "{line}");
    }

    #[test]
    fn an_empty_table_is_its_head() {
        assert_eq!(table().lines(), ["NAME  SIZE  ID"]);
    }
}

//! Tables without lines: a row of headings, columns two blanks apart.

use comfy_table::{ColumnConstraint, ContentArrangement};

/// A table to be printed.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// A table without headings: names and values.
    pub(crate) fn of_pairs<const N: usize>(pairs: [(&str, String); N]) -> Self {
        let said = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        Self { headings: Vec::new(), rows: said.map(|(name, value)| vec![name.to_owned(), value]).collect() }
    }

    /// Adds a row; it has a cell for each heading.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.headings.len(), "a cell for each heading");
        self.rows.push(cells.into());
    }

    /// Whether it has no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as lines of at most `width` columns; long cells go on below. Empty when there is no row.
    pub(crate) fn render(&self, width: Option<u16>) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        match width {
            Some(width) => table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if !self.headings.is_empty() {
            table.set_header(&self.headings);
        }
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| plain(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        // What stands first is what the user copies: an id or a name. It is never broken.
        if let Some(first) = table.column_mut(0) {
            first.set_constraint(ColumnConstraint::ContentWidth);
        }
        table.trim_fmt() + "\n"
    }
}

/// The text without what a terminal would obey.
fn plain(cell: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    cell.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&["ID", "NAME"]);
        table.row(["job-00000001".into(), "the long name of a job".into()]);
        table.row(["job-2".into(), "二".into()]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(
            sample().render(None),
            "ID            NAME\njob-00000001  the long name of a job\njob-2         二\n"
        );
        assert_eq!(Table::new(&["ID"]).render(None), "");
    }

    #[test]
    fn a_narrow_terminal_breaks_long_cells_but_no_ids() {
        let narrow = sample().render(Some(30));
        assert!(narrow.lines().all(|line| line.chars().count() <= 30), "{narrow}");
        assert!(narrow.contains("job-00000001  the long"), "{narrow}");
    }

    #[test]
    fn pairs_without_a_value_are_left_out() {
        let pairs = Table::of_pairs([("Name", "a\u{1b}[31m".to_owned()), ("Reason", String::new())]);
        assert_eq!(pairs.render(None), "Name  a\\u{1b}[31m\n");
    }
}

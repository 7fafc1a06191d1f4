//! Tables without lines: a row of headings, columns two blanks apart.

use comfy_table::{ColumnConstraint, ContentArrangement, Width};

/// Blanks between columns.
const GAP: u16 = 2;
/// Words that are longer may be broken.
const LONG_WORD: usize = 20;

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
            column.set_padding((0, GAP));
        }
        self.keep_words_whole(&mut table, width);
        table.trim_fmt() + "\n"
    }

    /// What stands first is what the user copies, an id or a name: it is never broken. Other words are broken only
    /// where the terminal is too narrow for them.
    fn keep_words_whole(&self, table: &mut comfy_table::Table, width: Option<u16>) {
        let cells = |column: usize| {
            let rows = self.rows.iter().filter_map(move |row| row.get(column).map(String::as_str));
            rows.chain(self.headings.get(column).copied())
        };
        let words = |column: usize| cells(column).map(longest_word).max().unwrap_or(0).min(LONG_WORD);
        let least: Vec<u16> = (0..table.column_iter().count())
            .map(|column| u16::try_from(words(column)).unwrap_or(u16::MAX).saturating_add(GAP))
            .collect();
        let fits = width.is_some_and(|width| least.iter().map(|least| u32::from(*least)).sum::<u32>() <= width.into());
        for (column, least) in table.column_iter_mut().zip(least) {
            if column.index == 0 {
                column.set_constraint(ColumnConstraint::ContentWidth);
            } else if fits {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            }
        }
    }
}

/// The longest word of a text, in characters.
fn longest_word(text: &str) -> usize {
    text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0)
}

/// The text without what a terminal would obey.
pub(crate) fn plain(cell: &str) -> String {
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
    fn words_stay_whole_where_there_is_room_for_them() {
        let mut table = Table::new(&["ID", "STATE", "TASKS", "CREATED"]);
        table.row([
            "job-00000001".into(),
            "SUCCEED".into(),
            "2 RUNNING, 1 SUCCEED".into(),
            "2018-03-08 11:48:40".into(),
        ]);
        let wanted = "\
ID            STATE    TASKS     CREATED
job-00000001  SUCCEED  2         2018-03-08
                       RUNNING,  11:48:40
                       1
                       SUCCEED
";
        assert_eq!(table.render(Some(46)), wanted);
    }

    #[test]
    fn pairs_without_a_value_are_left_out() {
        let pairs = Table::of_pairs([("Name", "a\u{1b}[31m".to_owned()), ("Reason", String::new())]);
        assert_eq!(pairs.render(None), "Name  a\\u{1b}[31m\n");
    }
}

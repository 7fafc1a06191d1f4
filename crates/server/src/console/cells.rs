//! A cell for each instance of a task, coloured by its state.
//!
//! Up to [`LINKED`] cells lead to their instances. More of them are drawn as runs of equal cells, so that ten thousand
//! that stand alike cost no more than one.

use std::fmt::Write;

/// Cells that are links.
const LINKED: usize = 1_000;
/// Cells of a row.
const ROW: usize = 100;
/// The side of a cell, and of its place.
const SIDE: usize = 8;
const PLACE: usize = 10;

/// An instance: its index, its state and the state's class.
pub(super) struct Cell {
    pub(super) index: u64,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
}

/// The cells. `link` gives the address of an instance's page, made safe for an attribute.
pub(super) fn svg(cells: &[Cell], link: impl Fn(u64) -> String) -> String {
    let (columns, rows) = (cells.len().min(ROW), cells.len().div_ceil(ROW));
    let mut svg = format!(
        "<svg class=\"cells\" viewBox=\"0 0 {} {}\" width=\"{}\" role=\"group\" aria-label=\"{} instances, by state\">",
        columns * PLACE,
        rows * PLACE,
        columns * PLACE,
        cells.len(),
    );
    if cells.len() <= LINKED {
        for (at, cell) in cells.iter().enumerate() {
            let _ = write!(
                svg,
                "<a href=\"{}\" aria-label=\"instance {}, {}\"><title>{} {}</title><rect class=\"fill-{}\" x=\"{}\" \
                 y=\"{}\" width=\"{SIDE}\" height=\"{SIDE}\"/></a>",
                link(cell.index),
                cell.index,
                cell.state,
                cell.index,
                cell.state,
                cell.class,
                at % ROW * PLACE,
                at / ROW * PLACE,
            );
        }
    } else {
        svg.push_str(&runs(cells));
    }
    svg.push_str("</svg>");
    svg
}

/// One path for each class, with a piece for each run of equal cells in a row.
fn runs(cells: &[Cell]) -> String {
    let mut paths: Vec<(&'static str, String)> = Vec::new();
    for (row, cells) in cells.chunks(ROW).enumerate() {
        let mut at = 0;
        for run in cells.chunk_by(|one, other| one.class == other.class) {
            let class = run[0].class;
            let place = paths.iter().position(|(known, _)| *known == class).unwrap_or_else(|| {
                paths.push((class, String::new()));
                paths.len() - 1
            });
            let width = run.len() * PLACE - (PLACE - SIDE);
            let _ = write!(paths[place].1, "M{} {}h{width}v{SIDE}h-{width}z", at * PLACE, row * PLACE);
            at += run.len();
        }
    }
    paths.iter().map(|(class, path)| format!("<path class=\"fill-{class}\" d=\"{path}\"/>")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(count: u64) -> Vec<Cell> {
        let cell = |index| match index % 100 {
            7 => Cell { index, state: "FAILED", class: "bad" },
            _ => Cell { index, state: "SUCCEED", class: "good" },
        };
        (0..count).map(cell).collect()
    }

    #[test]
    fn few_cells_are_links() {
        let svg = svg(&cells(108), |index| format!("/i?index={index}"));
        assert_eq!(svg.matches("<a ").count(), 108);
        let seventh = "<a href=\"/i?index=107\" aria-label=\"instance 107, FAILED\"><title>107 FAILED</title><rect \
                       class=\"fill-bad\" x=\"70\" y=\"10\"";
        assert!(svg.contains(seventh), "{svg}");
    }

    #[test]
    fn many_cells_are_drawn_as_runs() {
        let svg = svg(&cells(10_000), |_| unreachable!("they are no links"));
        assert_eq!(svg.matches("<path").count(), 2);
        // Three runs in each of a hundred rows.
        assert_eq!(svg.matches('M').count(), 300);
        assert!(svg.contains("M70 990h8v8h-8z"), "{svg}");
        assert!(svg.len() < 10_000, "{}", svg.len());
    }
}

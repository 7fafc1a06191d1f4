//! When the tasks of a job could run, and until when they did.

use std::fmt::Write;

/// Tasks that are drawn; the rest stand in the graph and the lists.
const TASKS: usize = 60;
/// Heights and widths, in units of the drawing.
const ROW: usize = 22;
const NAMES: f64 = 170.0;
const BARS: f64 = 600.0;
/// Characters of a name that have room.
const NAME_CHARS: usize = 22;

/// One task.
pub(super) struct Span {
    pub(super) name: String,
    pub(super) class: &'static str,
    /// In milliseconds since the job was submitted.
    pub(super) from: u64,
    pub(super) to: u64,
}

/// The time line; nothing for tasks that have not been ready yet.
pub(super) fn svg(spans: &[Span]) -> String {
    let spans = &spans[..spans.len().min(TASKS)];
    let whole = spans.iter().map(|span| span.to).max().unwrap_or(0).max(1);
    let (width, height) = (NAMES + BARS + 80.0, spans.len() * ROW);
    let mut svg = format!(
        "<svg class=\"timeline\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" aria-label=\"when \
         each task could run, and until when it did\">"
    );
    for (at, span) in spans.iter().enumerate() {
        let scaled = |ms: u64| ms as f64 / whole as f64 * BARS;
        let (x, wide) = (NAMES + scaled(span.from), scaled(span.to.saturating_sub(span.from)).max(2.0));
        let y = at * ROW;
        let took = super::show::age(span.to.saturating_sub(span.from));
        let name: String = span.name.chars().take(NAME_CHARS).collect();
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{}\">{}</text><rect class=\"fill-{}\" x=\"{x:.1}\" y=\"{}\" width=\"{wide:.1}\" \
             height=\"{}\" rx=\"3\"/><text class=\"state\" x=\"{:.1}\" y=\"{}\">{took}</text>",
            y + 15,
            super::show::escaped(&name),
            span.class,
            y + 4,
            ROW - 8,
            x + wide + 6.0,
            y + 15,
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_stand_where_their_time_was() {
        let span = |name: &str, from, to| Span { name: name.into(), class: "good", from, to };
        let svg = svg(&[span("a<b", 0, 5_000), span("c", 5_000, 10_000)]);
        assert!(svg.contains(">a&lt;b</text><rect class=\"fill-good\" x=\"170.0\" y=\"4\" width=\"300.0\""), "{svg}");
        assert!(svg.contains("x=\"470.0\" y=\"26\" width=\"300.0\""), "{svg}");
        assert!(svg.contains(">5 s</text>"), "{svg}");
    }
}

//! Small drawings: parts of a whole, and a curve.

use std::fmt::Write;

/// A part of a whole: its class, its name, how much of it there is.
pub(super) type Part = (&'static str, &'static str, u64);

/// A bar whose parts are as long as they are large. Its label says the same in words.
pub(super) fn bar(parts: &[Part]) -> String {
    let whole: u64 = parts.iter().map(|(_, _, count)| count).sum();
    let words: Vec<String> =
        parts.iter().filter(|(_, _, count)| *count > 0).map(|(_, name, count)| format!("{count} {name}")).collect();
    let label = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let mut svg = format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{label}\">"
    );
    let mut at = 0.0;
    for (class, _, count) in parts.iter().filter(|(_, _, count)| *count > 0) {
        let width = *count as f64 / whole as f64 * 1_000.0;
        let _ = write!(svg, "<rect class=\"fill-{class}\" x=\"{at:.1}\" y=\"0\" width=\"{width:.1}\" height=\"10\"/>");
        at += width;
    }
    svg.push_str("</svg>");
    svg
}

/// A curve of percents over time. Gaps stay gaps.
pub(super) fn curve(label: &str, values: &[Option<f64>]) -> String {
    let step = 300.0 / (values.len().max(2) - 1) as f64;
    let mut lines = String::new();
    let mut draws = false;
    for (at, value) in values.iter().enumerate() {
        match value {
            None => draws = false,
            Some(value) => {
                let (x, y) = (at as f64 * step, 60.0 - value.clamp(0.0, 100.0) * 0.6);
                let _ = write!(lines, "{}{x:.1} {y:.1}", if draws { "L" } else { "M" });
                draws = true;
            }
        }
    }
    format!(
        "<svg class=\"curve\" viewBox=\"-2 -2 304 64\" role=\"img\" aria-label=\"{label}\"><path class=\"floor\" \
         d=\"M0 60H300\"/><path d=\"{lines}\"/></svg>"
    )
}

/// A column for each count, the highest as high as there is room.
pub(super) fn columns(label: &str, counts: &[u64]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let width = 300.0 / counts.len().max(1) as f64;
    let mut svg = format!(
        "<svg class=\"curve\" viewBox=\"0 0 300 62\" role=\"img\" aria-label=\"{label}; now {}, at most {}\"><path \
         class=\"floor\" d=\"M0 61H300\"/>",
        counts.last().unwrap_or(&0),
        counts.iter().max().unwrap_or(&0),
    );
    for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (x, height) = (at as f64 * width, (*count as f64 / most as f64 * 60.0).max(1.0));
        let _ = write!(
            svg,
            "<rect class=\"fill-going\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            60.0 - height,
            (width - 1.0).max(0.5)
        );
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_parts_in_proportion() {
        let svg = bar(&[("good", "succeeded", 3), ("bad", "failed", 1), ("still", "waiting", 0)]);
        assert!(svg.contains("aria-label=\"3 succeeded, 1 failed\""), "{svg}");
        assert!(svg.contains("<rect class=\"fill-bad\" x=\"750.0\" y=\"0\" width=\"250.0\""), "{svg}");
        assert!(!svg.contains("fill-still"), "{svg}");
        assert!(bar(&[]).contains("none"));
    }

    #[test]
    fn columns_are_as_high_as_their_counts() {
        let svg = columns("events", &[0, 4, 2]);
        assert!(svg.contains("aria-label=\"events; now 2, at most 4\""), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2, "{svg}");
        assert!(svg.contains("height=\"60.0\"") && svg.contains("height=\"30.0\""), "{svg}");
        assert!(!columns("events", &[0]).contains("<rect"));
    }

    #[test]
    fn a_curve_has_gaps() {
        let svg = curve("memory", &[Some(0.0), Some(100.0), None, Some(50.0)]);
        assert!(svg.contains("d=\"M0.0 60.0L100.0 0.0M300.0 30.0\""), "{svg}");
    }
}

//! A job's graph as a drawing: each task in the layer behind the last task that it waits for.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::show::escaped;

/// A task in the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) state: String,
    /// The class of its state.
    pub(super) class: &'static str,
    /// Where the task's page is.
    pub(super) link: String,
}

/// Width and height of a task, and the space between two.
const WIDTH: usize = 168;
const HEIGHT: usize = 44;
const GAP_X: usize = 56;
const GAP_Y: usize = 16;
/// Characters of a name that are shown.
const SHOWN: usize = 20;

/// The layer of each task: 0 for those that wait for none. What leads round in a circle, or to nowhere, counts as no
/// dependence; the API lets neither in.
pub(super) fn layers(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut waits = vec![0usize; count];
    let mut next: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (from, to) in edges.iter().filter(|(from, to)| *from < count && *to < count && from != to) {
        waits[*to] += 1;
        next.entry(*from).or_default().push(*to);
    }
    let mut layers = vec![0; count];
    let mut free: Vec<usize> = (0..count).filter(|task| waits[*task] == 0).collect();
    while let Some(task) = free.pop() {
        for to in next.remove(&task).unwrap_or_default() {
            layers[to] = layers[to].max(layers[task] + 1);
            waits[to] -= 1;
            if waits[to] == 0 {
                free.push(to);
            }
        }
    }
    layers
}

/// The drawing, as markup.
pub(super) fn svg(nodes: &[Node], edges: &[(usize, usize)]) -> String {
    let layers = layers(nodes.len(), edges);
    let mut heights: BTreeMap<usize, usize> = BTreeMap::new();
    let places: Vec<(usize, usize)> = layers
        .iter()
        .map(|layer| {
            let row = heights.entry(*layer).or_default();
            *row += 1;
            (layer * (WIDTH + GAP_X), (*row - 1) * (HEIGHT + GAP_Y))
        })
        .collect();
    let (across, down) = (heights.len().max(1), heights.values().copied().max().unwrap_or(1));
    let (width, height) = (across * (WIDTH + GAP_X) - GAP_X + 4, down * (HEIGHT + GAP_Y) - GAP_Y + 4);
    let mut svg = format!(
        "<svg class=\"graph\" width=\"{width}\" height=\"{height}\" viewBox=\"-2 -2 {width} {height}\" role=\"group\" \
         aria-label=\"the tasks, each behind those that it waits for\">"
    );
    for (from, to) in edges.iter().filter(|(from, to)| *from < nodes.len() && *to < nodes.len()) {
        let ((x, y), (to_x, to_y)) = (places[*from], places[*to]);
        let (x, y, to_y) = (x + WIDTH, y + HEIGHT / 2, to_y + HEIGHT / 2);
        let middle = x + to_x.saturating_sub(x) / 2;
        let _ = write!(svg, "<path class=\"edge\" d=\"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}\"/>");
    }
    for (node, (x, y)) in nodes.iter().zip(&places) {
        let (name, link, state) = (escaped(&shown(&node.name)), escaped(&node.link), escaped(&node.state));
        let (text_x, name_y, state_y) = (x + 12, y + 18, y + 34);
        let class = node.class;
        let _ = write!(
            svg,
            "<a href=\"{link}\"><rect class=\"task edge-{class}\" x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" rx=\"6\"/><rect class=\"fill-{class}\" x=\"{x}\" y=\"{y}\" width=\"5\" \
             height=\"{HEIGHT}\" rx=\"2\"/><text class=\"name\" x=\"{text_x}\" y=\"{name_y}\">{name}</text>\
             <text class=\"state\" x=\"{text_x}\" y=\"{state_y}\">{state}</text></a>"
        );
    }
    svg.push_str("</svg>");
    svg
}

fn shown(name: &str) -> String {
    if name.chars().count() <= SHOWN {
        return name.to_owned();
    }
    name.chars().take(SHOWN - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn node(name: &str) -> Node {
        Node { name: name.into(), state: "RUNNING".into(), class: "going", link: "/x?a=1&b=2".into() }
    }

    #[test]
    fn a_task_stands_behind_the_last_that_it_waits_for() {
        assert_eq!(layers(5, &[(0, 1), (1, 2), (0, 2), (3, 2)]), [0, 1, 2, 0, 0]);
        assert_eq!(layers(2, &[(0, 1), (1, 0)]), [0, 0], "a circle leads nowhere");
        assert_eq!(layers(1, &[(0, 7)]), [0]);
    }

    #[test]
    fn names_are_text_and_long_ones_are_cut() {
        let svg = svg(&[node("<b>&\"x"), node("a-name-that-is-far-too-long")], &[(0, 1)]);
        assert!(svg.contains(">&lt;b&gt;&amp;&quot;x</text>"), "{svg}");
        assert!(svg.contains(">a-name-that-is-far-…</text>"), "{svg}");
        assert!(svg.contains("href=\"/x?a=1&amp;b=2\""), "{svg}");
    }

    proptest! {
        #[test]
        fn every_edge_leads_forward(edges in proptest::collection::vec((0usize..30, 0usize..30), 0..120)) {
            let edges: Vec<(usize, usize)> = edges.into_iter().filter(|(from, to)| from < to).collect();
            let layers = layers(30, &edges);
            for (from, to) in &edges {
                prop_assert!(layers[*from] < layers[*to]);
            }
            for (task, layer) in layers.iter().enumerate().filter(|(_, layer)| **layer > 0) {
                let before = edges.iter().filter(|(_, to)| *to == task).map(|(from, _)| layers[*from] + 1).max();
                prop_assert_eq!(before, Some(*layer));
            }
        }
    }
}

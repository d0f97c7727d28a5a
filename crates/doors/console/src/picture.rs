//! The picture of the key control map: four columns joined by lines, as inline SVG.
//!
//! The table beside the picture says the same in words, so the picture itself is one image with a
//! description for those who cannot see it. Geometry is in attributes: no style is written inline.

use crate::elements::Tone;
use crate::pages::map::Path;
use maud::{Markup, html};

const COLUMN_WIDTH: usize = 214;
const COLUMN_GAP: usize = 46;
const NODE_HEIGHT: usize = 42;
const NODE_GAP: usize = 14;
const HEAD: usize = 28;
/// Longest label in a box, in characters that fit its width.
const LABEL_CHARS_MAX: usize = 29;

const HEADS: [&str; 4] = ["Data", "Lies in", "Under the key", "Readable by"];

/// A box: two lines of text and the worst tone of the paths through it.
struct Node<'a> {
    title: &'a str,
    below: &'a str,
    tone: Tone,
}

/// The picture of the first `most` paths.
pub(crate) fn draw(paths: &[Path], most: usize) -> Markup {
    let paths = paths.get(..most.min(paths.len())).unwrap_or_default();
    let mut columns: [Vec<Node<'_>>; 4] = [const { Vec::new() }; 4];
    let mut routes: Vec<([usize; 4], Tone)> = Vec::with_capacity(paths.len());
    for path in paths {
        let cells = [
            (path.data.as_str(), path.class.as_str()),
            (path.store.as_str(), path.place.as_str()),
            (path.key.as_str(), path.holder.as_str()),
            (path.readers.as_str(), ""),
        ];
        let mut route = [0; 4];
        for ((column, (title, below)), at) in columns.iter_mut().zip(cells).zip(&mut route) {
            *at = place(column, title, below, path.state.tone);
        }
        routes.push((route, path.state.tone));
    }
    // Broken lines are drawn last, so that none is hidden.
    routes.sort_by_key(|(_, tone)| std::cmp::Reverse(*tone));
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let width = 4 * COLUMN_WIDTH + 3 * COLUMN_GAP + 4;
    let height = HEAD + tallest * (NODE_HEIGHT + NODE_GAP);
    let broken = paths.iter().filter(|p| p.state.tone == Tone::Bad).count();
    let says = format!(
        "{} paths from data to reader, {broken} of them broken; the table below lists each",
        paths.len()
    );
    html! {
        svg.map width=(width) height=(height) viewBox=(format!("0 0 {width} {height}"))
            role="img" aria-label=(says) {
            @for (column, head) in HEADS.iter().enumerate() {
                text.head x=(left(column)) y="16" { (head) }
            }
            @for (route, tone) in &routes { (lines(route, *tone)) }
            @for (column, nodes) in columns.iter().enumerate() {
                @for (row, node) in nodes.iter().enumerate() { (boxed(column, row, node)) }
            }
        }
    }
}

/// The row of a node in its column; paths that share a thing share its box.
fn place<'a>(column: &mut Vec<Node<'a>>, title: &'a str, below: &'a str, tone: Tone) -> usize {
    let known = column.iter().position(|n| n.title == title && n.below == below);
    if let Some(node) = known.and_then(|row| column.get_mut(row)) {
        node.tone = node.tone.min(tone);
    }
    known.unwrap_or_else(|| {
        column.push(Node { title, below, tone });
        column.len() - 1
    })
}

const fn left(column: usize) -> usize {
    2 + column * (COLUMN_WIDTH + COLUMN_GAP)
}

const fn top(row: usize) -> usize {
    HEAD + row * (NODE_HEIGHT + NODE_GAP)
}

fn lines(route: &[usize; 4], tone: Tone) -> Markup {
    let ends = route.iter().zip(route.iter().skip(1)).enumerate();
    html! {
        @for (column, (from, to)) in ends {
            @let x1 = left(column) + COLUMN_WIDTH;
            @let x2 = left(column + 1);
            @let y1 = top(*from) + NODE_HEIGHT / 2;
            @let y2 = top(*to) + NODE_HEIGHT / 2;
            @let middle = (x1 + x2) / 2;
            path class=(tone.colour())
                d=(format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}")) {}
        }
    }
}

fn boxed(column: usize, row: usize, node: &Node<'_>) -> Markup {
    let (x, y) = (left(column), top(row));
    let title_y = if node.below.is_empty() { y + 26 } else { y + 18 };
    html! {
        g {
            title { (node.title) @if !node.below.is_empty() { ", " (node.below) } }
            rect class=(node.tone.colour()) x=(x) y=(y) width=(COLUMN_WIDTH) height=(NODE_HEIGHT)
                rx="6" {}
            text x=(x + 10) y=(title_y) { (shortened(node.title)) }
            @if !node.below.is_empty() {
                text.sub x=(x + 10) y=(y + 33) { (shortened(node.below)) }
            }
        }
    }
}

/// A label that fits its box; a wide (CJK) character takes the room of two.
fn shortened(text: &str) -> String {
    let mut room = LABEL_CHARS_MAX;
    let mut out = String::new();
    for character in text.chars() {
        let width = if character >= '\u{1100}' { 2 } else { 1 };
        if room < width + 1 {
            out.push('…');
            return out;
        }
        room -= width;
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::map::tests::{path, sample};

    #[test]
    fn paths_that_share_a_key_share_its_box() {
        let text = draw(&sample().paths, 24).into_string();
        assert_eq!(text.matches("<title>retail-files, our key</title>").count(), 1);
        assert_eq!(text.matches("<path").count(), 4 * 3);
    }

    #[test]
    fn a_box_is_as_bad_as_its_worst_path() {
        let paths = [path("Same", "HK", "k", Tone::Good), path("Same", "HK", "k", Tone::Bad)];
        let text = draw(&paths, 24).into_string();
        assert!(
            text.contains(
                "<title>Same, restricted: identity card numbers</title><rect class=\"bad\""
            )
        );
    }

    #[test]
    fn labels_fit_their_boxes() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"a".repeat(40)).chars().count(), 29);
        assert_eq!(shortened(&"密".repeat(40)).chars().count(), 15);
    }
}

//! Pages over instances that have rows and instances that have none, together and by index.

use kernel::ranges::Ranges;

use crate::page::Span;

/// One place of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) index: u32,
    /// Whether it has no row.
    pub(crate) bulk: bool,
}

/// Takes the indexes of rows, in order, and finds out which of them and of the bulk make up a span of the whole.
pub(crate) struct Merge<'a> {
    bulk: std::iter::Peekable<Box<dyn Iterator<Item = (u32, u32)> + 'a>>,
    skip: u64,
    want: u64,
    page: Vec<Place>,
}

impl<'a> Merge<'a> {
    pub(crate) fn new(bulk: &'a Ranges, span: Span) -> Self {
        let bulk: Box<dyn Iterator<Item = (u32, u32)> + 'a> = Box::new(bulk.iter());
        Self { bulk: bulk.peekable(), skip: span.offset, want: span.limit, page: Vec::new() }
    }

    /// Takes the next row's index; false: the page is complete.
    pub(crate) fn row(&mut self, index: u32) -> bool {
        self.bulk_before(index);
        self.add(index, index + 1, false);
        self.want > 0
    }

    /// The page, when there are no more rows or it is complete.
    pub(crate) fn finish(mut self) -> Vec<Place> {
        self.bulk_before(u32::MAX);
        self.page
    }

    fn bulk_before(&mut self, index: u32) {
        while self.want > 0 {
            let Some((start, end)) = self.bulk.next_if(|(start, _)| *start < index) else { return };
            self.add(start, end, true);
        }
    }

    /// Adds a run of indexes, of which the page takes what falls into its span.
    fn add(&mut self, start: u32, end: u32, bulk: bool) {
        let skipped = self.skip.min(u64::from(end - start));
        self.skip -= skipped;
        let start = u64::from(start) + skipped;
        let taken = self.want.min(u64::from(end) - start);
        self.want -= taken;
        for index in start..start + taken {
            self.page.push(Place { index: u32::try_from(index).expect("below end"), bulk });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk_without(end: u32, rows: &[u32]) -> Ranges {
        let mut bulk = Ranges::up_to(end);
        for row in rows {
            bulk.remove(*row);
        }
        bulk
    }

    /// The page as one finds it by making the whole list.
    fn plainly(bulk: &Ranges, rows: &[u32], span: Span) -> Vec<Place> {
        let mut whole: Vec<Place> = bulk.indexes().map(|index| Place { index, bulk: true }).collect();
        whole.extend(rows.iter().map(|index| Place { index: *index, bulk: false }));
        whole.sort_by_key(|place| place.index);
        whole.into_iter().skip(span.offset as usize).take(span.limit as usize).collect()
    }

    fn merged(bulk: &Ranges, rows: &[u32], span: Span) -> Vec<Place> {
        let mut merge = Merge::new(bulk, span);
        for row in rows {
            if !merge.row(*row) {
                break;
            }
        }
        merge.finish()
    }

    #[test]
    fn every_span_of_every_mixture_is_that_of_the_whole_list() {
        let end = 7;
        for mask in 0u32..1 << end {
            let rows: Vec<u32> = (0..end).filter(|bit| mask & (1 << bit) != 0).collect();
            let bulk = bulk_without(end, &rows);
            // Every second row is filtered away, too.
            let some: Vec<u32> = rows.iter().copied().step_by(2).collect();
            for offset in 0..=u64::from(end) + 1 {
                for limit in 0..=u64::from(end) + 1 {
                    let span = Span { offset, limit };
                    assert_eq!(merged(&bulk, &rows, span), plainly(&bulk, &rows, span), "{rows:?} {span:?}");
                    assert_eq!(merged(&bulk, &some, span), plainly(&bulk, &some, span), "{some:?} {span:?}");
                }
            }
        }
    }

    #[test]
    fn a_page_far_into_a_million_costs_what_it_shows() {
        let bulk = Ranges::up_to(1_000_000);
        let page = merged(&bulk, &[], Span { offset: 999_998, limit: 10 });
        assert_eq!(page.iter().map(|place| place.index).collect::<Vec<_>>(), [999_998, 999_999]);
    }
}

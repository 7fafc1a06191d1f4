//! A table of rows: a persistent map, so that a copy of the state costs nothing until it is changed.

use std::sync::Arc;

use imbl::OrdMap;

/// Rows by key. Cloning is cheap, and changing the clone leaves the original as it was.
pub struct Table<K, V>(OrdMap<K, Arc<V>>);

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Ord + std::fmt::Debug, V: std::fmt::Debug> std::fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(OrdMap::new())
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// The row.
    pub fn get(&self, key: &K) -> Option<&Arc<V>> {
        self.0.get(key)
    }

    /// Whether there is such a row.
    pub fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Rows in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Arc<V>)> {
        self.0.iter()
    }

    /// Rows with keys in a range, in order.
    pub fn range<R: std::ops::RangeBounds<K>>(&self, range: R) -> impl DoubleEndedIterator<Item = (&K, &Arc<V>)> {
        self.0.range(range)
    }

    pub(crate) fn put(&mut self, key: K, row: V) {
        self.0.insert(key, Arc::new(row));
    }

    pub(crate) fn put_shared(&mut self, key: K, row: Arc<V>) {
        self.0.insert(key, row);
    }

    pub(crate) fn edit(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(Arc::make_mut)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<Arc<V>> {
        self.0.remove(key)
    }
}

//! Reading the logs of topics: what was committed last from memory, the rest from the store.
//!
//! Messages are mostly wanted right after their commit. So the last of them are kept, all topics together up to a
//! bound; a subscription that is further behind reads the store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::topic::{StreamNo, TopicMessage};
use store::StoreError;

use crate::readers::Readers;

/// How much is kept, in bytes.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// What a message takes beside its text, about.
const MESSAGE_BYTES: usize = 256;

/// The logs of all topics. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct TopicLog {
    readers: Readers,
    tail: Arc<Tail>,
}

/// The messages that were committed last.
#[derive(Debug, Default)]
pub(crate) struct Tail(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Of each topic the last messages, without a gap.
    topics: BTreeMap<StreamNo, VecDeque<Arc<TopicMessage>>>,
    /// The topic of each kept message, in the order they came.
    order: VecDeque<StreamNo>,
    bytes: usize,
}

impl TopicLog {
    pub(crate) fn new(readers: Readers, tail: Arc<Tail>) -> Self {
        Self { readers, tail }
    }

    /// Up to `most` messages of a topic after a place, in order. Where there are fewer, there are no others up to the
    /// topic's end as any state shows it that was looked at before.
    pub(crate) async fn messages(
        &self,
        topic: StreamNo,
        after: u64,
        most: usize,
    ) -> Result<Vec<Arc<TopicMessage>>, StoreError> {
        match self.tail.after(topic, after, most) {
            Some(messages) => Ok(messages),
            None => self.readers.read(move |reader| reader.topic_messages(topic, after, most)).await,
        }
    }

    /// The connections that read the rest.
    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }
}

impl Tail {
    /// Keeps messages that have been committed. To be called before the state is published that counts them, so that
    /// nobody who has seen that state misses them here.
    pub(crate) fn add(&self, messages: &[Arc<TopicMessage>]) {
        self.add_within(messages, KEPT_BYTES);
    }

    /// Forgets everything: others have committed, and what is kept may have gaps.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }

    fn add_within(&self, messages: &[Arc<TopicMessage>], bytes: usize) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for message in messages {
            kept.bytes += size(message);
            kept.order.push_back(message.topic);
            kept.topics.entry(message.topic).or_default().push_back(message.clone());
        }
        while kept.bytes > bytes {
            kept.drop_first();
        }
    }

    /// `None`: the store is to be asked.
    fn after(&self, topic: StreamNo, after: u64, most: usize) -> Option<Vec<Arc<TopicMessage>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = kept.topics.get(&topic)?;
        let first = messages.front()?.seq;
        let from = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        (from < messages.len()).then(|| messages.iter().skip(from).take(most).cloned().collect())
    }
}

impl Kept {
    fn drop_first(&mut self) {
        let Some(topic) = self.order.pop_front() else { return };
        let Some(messages) = self.topics.get_mut(&topic) else { return };
        if let Some(message) = messages.pop_front() {
            self.bytes -= size(&message);
        }
        if messages.is_empty() {
            self.topics.remove(&topic);
        }
    }
}

fn size(message: &TopicMessage) -> usize {
    MESSAGE_BYTES + message.body.len()
}

#[cfg(test)]
mod tests {
    use kernel::time::Timestamp;

    use super::*;

    const TOPIC: StreamNo = StreamNo(1);

    fn message(topic: StreamNo, seq: u64) -> Arc<TopicMessage> {
        let (tags, routing_key) = (Vec::new(), String::new());
        let (published, body) = (Timestamp(0), "12345678".into());
        Arc::new(TopicMessage { topic, seq, published, body, tags, routing_key, previous: 0, owner: None })
    }

    fn messages(topic: StreamNo, seqs: std::ops::RangeInclusive<u64>) -> Vec<Arc<TopicMessage>> {
        seqs.map(|seq| message(topic, seq)).collect()
    }

    #[test]
    fn what_follows_a_place_is_found_as_far_as_it_is_kept() {
        let tail = Tail::default();
        tail.add(&messages(TOPIC, 5..=7));
        tail.add(&messages(TOPIC, 8..=9));
        assert_eq!(tail.after(TOPIC, 4, 2), Some(messages(TOPIC, 5..=6)));
        assert_eq!(tail.after(TOPIC, 7, 9), Some(messages(TOPIC, 8..=9)));
        assert_eq!(tail.after(TOPIC, 3, 9), None, "4 is not kept");
        assert_eq!(tail.after(TOPIC, 9, 9), None, "nothing follows here");
        assert_eq!(tail.after(StreamNo(2), 0, 9), None);
        tail.clear();
        assert_eq!(tail.after(TOPIC, 4, 2), None);
    }

    #[test]
    fn the_first_that_came_goes_first() {
        let (tail, other) = (Tail::default(), StreamNo(2));
        let three = 3 * size(&message(TOPIC, 1));
        tail.add_within(&messages(TOPIC, 1..=1), three);
        tail.add_within(&messages(other, 1..=2), three);
        tail.add_within(&messages(TOPIC, 2..=2), three);
        assert_eq!(tail.after(TOPIC, 0, 9), None);
        assert_eq!(tail.after(TOPIC, 1, 9), Some(messages(TOPIC, 2..=2)));
        assert_eq!(tail.after(other, 0, 9), Some(messages(other, 1..=2)));
        tail.add_within(&messages(TOPIC, 3..=5), three);
        assert_eq!(tail.after(other, 0, 9), None);
        assert_eq!(tail.0.lock().unwrap().topics.len(), 1);
    }
}

//! Rows that come in from the store.

use super::{Row, RowKey, State};

impl State {
    /// Takes in a row from the store, unless there is one with its key already, which is newer.
    pub fn load(&mut self, row: Row) {
        match row {
            Row::Job(row) if !self.jobs.contains(&row.id) => self.jobs.put_shared(row.id, row),
            Row::Task(row) if !self.tasks.contains(&row.key) => {
                let key = row.key;
                self.tasks.put_shared(key, row);
                self.index_task(key);
            }
            Row::Template(row) if !self.templates.contains(&row.id) => self.templates.put_shared(row.id, row),
            Row::Env(row) if !self.envs.contains(&row.id) => {
                self.index.owned.extend(row.owner.map(|owner| (owner, row.id)));
                self.envs.put_shared(row.id, row);
            }
            Row::Instance(row)
                if !self.instances.contains(&row.key) && !self.dirty.contains(&RowKey::Instance(row.key)) =>
            {
                self.load_instance(row);
            }
            Row::AccessKey(row) if !self.access_keys.contains(&row.secret_id) => {
                self.access_keys.put_shared(row.secret_id.clone(), row);
            }
            Row::JoinToken(row) if !self.join_tokens.contains(&row.digest) => {
                self.join_tokens.put_shared(row.digest.clone(), row);
            }
            Row::Machine(row) if !self.machines.contains(&row.id) => self.machines.put_shared(row.id, row),
            Row::Node(row) if !self.nodes.contains(&row.id) => {
                self.index.env_nodes.insert((row.env, row.id));
                self.nodes.put_shared(row.id, row);
            }
            Row::Activity(row) if !self.activities.contains(&row.key) => self.activities.put_shared(row.key, row),
            Row::Topic(row) if !self.topics.contains(&row.no) => {
                self.see_stream(row.no);
                self.index.topic_names.insert((row.name.to_lowercase(), row.no));
                self.topics.put_shared(row.no, row);
            }
            Row::Queue(row) if !self.queues.contains(&row.no) => {
                self.index_queue(&row);
                self.queues.put_shared(row.no, row);
            }
            Row::Subscription(row) if !self.subscriptions.contains(&row.key) => {
                self.subscriptions.put_shared(row.key, row);
            }
            Row::Message(row)
                if !self.messages.contains(&row.key) && !self.dirty.contains(&RowKey::Message(row.key)) =>
            {
                self.index.visible.insert((row.key.heap, row.visible, row.key.seq));
                self.messages.put_shared(row.key, row);
            }
            Row::Kept(row) if !self.kept.contains(&row.key) && !self.dirty.contains(&RowKey::Kept(row.key)) => {
                self.kept.put_shared(row.key, row);
            }
            Row::Token(row) if !self.tokens.contains(&row.key) => {
                self.index.token_ages.insert((row.used, row.key.clone()));
                self.tokens.put_shared(row.key.clone(), row);
            }
            _ => {}
        }
    }
}

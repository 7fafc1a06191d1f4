//! Messages of a queue, many at once.

use std::time::Duration;

use serde_json::Value;
use wire::limits::V2_BATCH;

use super::{Client, ClientError};
use crate::reply::items;

impl Client {
    /// Receives up to `most` messages, no more than a batch holds, and waits so long for the first. None are there
    /// when the queue is empty.
    ///
    /// # Errors
    /// [`ClientError`]
    pub(crate) async fn receive(&self, queue: &str, most: usize, wait: Duration) -> Result<Vec<Value>, ClientError> {
        let (number, seconds) = (most.min(V2_BATCH).to_string(), wait.as_secs().to_string());
        let params = [("queueName", queue), ("numOfMsg", &number), ("pollingWaitSeconds", &seconds)];
        match self.v2("BatchReceiveMessage", &params, wait).await {
            Ok(reply) => Ok(items(&reply, "msgInfoList").to_vec()),
            Err(error) if error.is_no_message() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Acknowledges a batch of messages by their handles: the queue forgets them.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::is_too_late`] where some of them are on their way to somebody else.
    pub(crate) async fn acknowledge(&self, queue: &str, handles: &[String]) -> Result<(), ClientError> {
        let names: Vec<String> = (0..handles.len()).map(|at| format!("receiptHandle.{at}")).collect();
        let mut params = vec![("queueName", queue)];
        params.extend(names.iter().map(String::as_str).zip(handles.iter().map(String::as_str)));
        self.v2("BatchDeleteMessage", &params, Duration::ZERO).await?;
        Ok(())
    }
}

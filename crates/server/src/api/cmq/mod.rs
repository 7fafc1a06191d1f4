//! What both ways to speak to topics and queues share, CMQ v2 and API 3.0 `tdmq`: what is right, and what is read.

pub(super) mod dead_letter;
pub(super) mod limits;
pub(super) mod manner;
pub(super) mod read;
pub(super) mod rules;
pub(super) mod words;

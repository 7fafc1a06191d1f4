//! Being written by helper B (taken over from helper A): A keeps entry, registry, batch actions and Refusal mapping for batch.

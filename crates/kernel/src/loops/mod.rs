//! Loops without IO: what is found in the store is put in, what is to be done comes out.

pub mod backoff;
pub mod expire;
pub mod push;
pub mod replay;

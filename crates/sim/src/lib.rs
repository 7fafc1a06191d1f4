//! Seeded simulation of the production kernel, loops and store.

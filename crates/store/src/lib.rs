//! Rows and statements: one synchronous trait, one engine (SQLite), and the ledger that commits through it.

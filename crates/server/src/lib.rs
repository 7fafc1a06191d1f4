//! The shells round the kernel: HTTP API, ledger thread, loops, push, node gateway, node provider.

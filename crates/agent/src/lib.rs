//! What runs on a compute node: processes, their limits, their output, heartbeats.

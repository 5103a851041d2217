//! The engine, one input at a time.

//! External broker.

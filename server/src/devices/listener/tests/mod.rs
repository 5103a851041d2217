//! Tests of the listener, with third-party clients and with invalid bytes.

mod acknowledge;
mod acks;
mod clauses;
mod connect;
mod end;
mod foreign;
mod handler;
mod limits;
mod malformed;
pub(crate) mod secure;

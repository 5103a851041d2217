//! Tests of the listener, with third-party clients and with invalid bytes.

mod acknowledge;
mod clauses;
mod connect;
mod end;
mod foreign;
mod house;
mod lamps;
mod limits;
mod malformed;
mod secure;

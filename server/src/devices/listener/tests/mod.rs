//! The listener, against clients that are not ours and against bytes that no client would send.

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

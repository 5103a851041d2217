//! The listener, against clients that are not ours and against bytes that no client would send.

mod acknowledge;
mod connect;
mod end;
mod foreign;
mod house;
mod lamps;
mod malformed;
mod secure;

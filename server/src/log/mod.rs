//! The log: append, read after a cursor, wake the readers.
//!
//! One ordered log per site is the truth that everyone reads: sockets, clients' caches, the activity, the buttons'
//! lamps. The writer hands what it committed to the site's [`Tail`], which keeps the newest entries at hand and wakes
//! whoever waits; a [`Reader`] that fell behind the tail reads the database. What another process wrote is noticed by
//! [`follow`]. Nothing here decides, and nothing here writes but through `db::append`.

mod entry;
mod follow;
mod reader;
mod settings;
mod tail;

pub use entry::LogEntry;
#[cfg(test)]
pub(crate) use entry::tests::entry;
pub use follow::follow;
pub use reader::{ReadError, Reader};
pub use settings::follow_settings;
pub use tail::Tail;

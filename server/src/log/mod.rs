//! The log: append, read after a cursor, wake the readers.
//!
//! One ordered log per site is the single source for all readers: sockets, clients' caches, the activity list, the
//! buttons' lamps. The writer passes committed entries to the site's [`RecentEntries`], which caches the newest ones and wakes
//! waiting readers. A [`Reader`] that is further behind reads the database. Entries of another process are noticed by
//! [`follow`]. This module decides nothing, and writes only through `db::append`.

mod entry;
mod follow;
mod reader;
mod recent_entries;
mod settings;

pub use entry::LogEntry;
#[cfg(test)]
pub(crate) use entry::tests::entry;
pub use follow::follow;
pub use reader::{ReadError, Reader};
pub use recent_entries::RecentEntries;
pub use settings::follow_settings;

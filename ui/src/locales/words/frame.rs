//! What stands around every page: the ways, the connection, what is out of the ordinary

use super::{Plural, Text, words};

words! {
    /// What stands around every page: the ways, the connection, what is out of the ordinary
    Frame {
        app: Text,
        navigation: Text,
        to_content: Text,
        more: Text,
        waiting_count: Plural,
        refused_count: Plural,
        open_count: Plural,
        live: Text,
        catching_up: Text,
        connecting: Text,
        fetching: Text,
        offline: Text,
        signed_out: Text,
        connection: Text,
        /// The banner while there is no connection.
        stale: Text,
        stale_never: Text,
        stale_waiting: Plural,
        connect_now: Text,
        deaf: Text,
        deaf_why: Text,
        storage_full: Text,
        storage_failing: Text,
        storage_why: Text,
        storage_full_why: Text,
        restored: Text,
        resent: Plural,
        rebuilt: Text,
        rebuilt_saved: Plural,
        revoked: Text,
        revoked_unsent: Plural,
        save_as_file: Text,
        saved_as: Text,
        update_needed: Text,
        clock_wrong: Text,
        token_in_file: Text,
        silence: Text,
        silenced: Text,
        refused_title: Text,
        to_outbox: Text,
        on_duty: Text,
        off_duty: Text,
        go_on_duty: Text,
        go_off_duty: Text,
    }
}

//! English: texts for connection errors.

use crate::locales::words::Troubles;

pub const WORDS: Troubles = Troubles {
    network: "The server can't be reached ({why}).",
    no_answer: "The server doesn't answer.",
    silent: "The server fell silent.",
    closed: "The server closed the connection.",
    restarting: "The server is starting anew.",
    too_slow: "This device was too slow for the server.",
    moved: "This device changed networks.",
    garbled: "What the server sent can't be read.",
    missed: "Something that the server sent is missing.",
    stranger: "Somebody else answers in the server's place: a Wi-Fi sign-in page, for example.",
    vault: "The sign-in can't be read from this device's keyring ({why}).",
    failed: "The app itself failed.",
    other_server: "Another Crewbell answers at this address. Is this device in the right network?",
    no_socket: "This network lets no live connection through to the server.",
    too_large: "The server sent more at once than this device takes.",
};

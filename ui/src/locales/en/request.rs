//! English: what a request's page says

use crate::locales::words::Request;

pub const WORDS: Request = Request { title: "Request" };

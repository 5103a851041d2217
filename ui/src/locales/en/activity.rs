//! English: what the page of what happened says

use crate::locales::words::Activity;

pub const WORDS: Activity = Activity { title: "Activity" };

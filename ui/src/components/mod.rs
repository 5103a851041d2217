//! Reusable components of pages. Each defines its look and behaviour, independent of its use.
//!
//! - `button` [`Button`], [`IconButton`]; `field` [`Field`], [`Select`], [`Search`], [`Switch`]; `pin_pad` [`PinPad`]
//! - `choice` [`Choice`]
//! - `presence` [`PersonName`], [`Face`], [`Who`], [`Said`]; `call` [`CallButton`]; `volume` [`Volume`]
//! - `shown` [`Chip`], [`Age`], [`Row`], [`ListHeader`], [`Freshness`], [`Empty`]
//! - `place_picker` [`PlacePicker`]; `calm` [`Calm`], the interaction lock that keeps lists still under a finger
//! - `sheet` [`Sheet`], [`Confirm`]; `icon` [`Icon`] and its [`IconName`]s

mod button;
mod call;
mod choice;
mod field;
mod icon;
mod interaction_lock;
mod pin_pad;
mod place_picker;
mod presence;
mod sheet;
mod shown;
mod volume;

pub use button::{Button, ButtonStyle, IconButton};
pub use call::CallButton;
pub use choice::Choice;
pub use field::{Field, Search, Select, Switch};
pub use icon::{Icon, IconName, Sprite};
pub use interaction_lock::Calm;
pub use pin_pad::PinPad;
pub use place_picker::PlacePicker;
pub use presence::{Face, PersonName, Said, Who, presence_words};
pub use sheet::{Confirm, Sheet, keep_focus};
pub use shown::{Age, Chip, Empty, Freshness, ListHeader, Row, Tone};
pub use volume::Volume;

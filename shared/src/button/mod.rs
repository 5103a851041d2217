//! The device in a cabin, and what it says.

mod identity;
mod press;

pub use identity::{Delivery, Judgement, Memory, judge, note_health};
pub use press::{Evidence, Key, PressKind, SeenPress, Vitals};

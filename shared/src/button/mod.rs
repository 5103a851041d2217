//! The device in a cabin, and what it says.

mod press;

pub use press::{Evidence, Key, PressKind, SeenPress, Vitals};

//! The values that the reader returns.

use serde_json::Number;

/// A value, as far as it could be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A damaged value: present, but unreadable.
    Unknown,
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Object),
}

/// The members of an object, in their original order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(pub(super) Vec<(String, Value)>);

impl Object {
    /// Looks up a member; the last of several with one name, as `serde_json` does.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// All members, in their original order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Heap size in bytes, for tests of the memory bound.
    #[cfg(test)]
    pub(super) fn heap(&self) -> usize {
        let members = self.0.iter().map(|(name, value)| name.capacity() + value.heap()).sum::<usize>();
        self.0.capacity() * size_of::<(String, Value)>() + members
    }
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unknown | Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            Self::Unknown | Self::Null | Self::Bool(_) | Self::Text(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            Self::Unknown | Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Unknown | Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    #[cfg(test)]
    fn heap(&self) -> usize {
        match self {
            Self::Unknown | Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::Text(text) => text.capacity(),
            Self::List(list) => list.capacity() * size_of::<Self>() + list.iter().map(Self::heap).sum::<usize>(),
            Self::Object(object) => object.heap(),
        }
    }
}

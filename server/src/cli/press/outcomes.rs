//! The state of the presses, from publishing to the request's end; free of I/O, so that it can be tested without a
//! server.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crewbell_shared::ids::RequestId;

use crate::devices::acks::Ack;

/// The state machine of the presses.
#[derive(Debug)]
pub(super) struct Story {
    boot: String,
    total: u32,
    /// Presses not yet published, oldest first.
    leaving: VecDeque<u32>,
    /// Published and unacknowledged presses, by packet id.
    flying: HashMap<u16, u32>,
    pressed: u32,
    acknowledged: u32,
    /// The requests of our presses, each with whether it is closed.
    requests: BTreeMap<RequestId, bool>,
    last_lit: bool,
}

impl Story {
    /// Creates the state for `total` presses of a device with this boot id.
    pub(super) fn new(boot: String, total: u32) -> Self {
        Self {
            boot,
            total,
            leaving: VecDeque::new(),
            flying: HashMap::new(),
            pressed: 0,
            acknowledged: 0,
            requests: BTreeMap::new(),
            last_lit: false,
        }
    }

    /// Returns the next press, if any: its number from 1 and its press id.
    pub(super) fn next(&mut self) -> Option<(u32, String)> {
        if self.pressed == self.total {
            return None;
        }
        self.pressed += 1;
        self.leaving.push_back(self.pressed);
        Some((self.pressed, self.id(self.pressed)))
    }

    fn id(&self, number: u32) -> String {
        format!("{}-{number}", self.boot)
    }

    /// Records that the oldest waiting press was published with this packet id.
    pub(super) fn sent(&mut self, packet_id: u16) {
        if let Some(number) = self.leaving.pop_front() {
            self.flying.insert(packet_id, number);
        }
    }

    /// Records the PUBACK of a packet id and returns the number of its press.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> Option<u32> {
        let number = self.flying.remove(&packet_id)?;
        self.acknowledged += 1;
        Some(number)
    }

    /// Counts the presses that are not acknowledged yet.
    pub(super) fn unacknowledged(&self) -> usize {
        self.leaving.len() + self.flying.len()
    }

    /// Records a lamp message; returns its text and whether it concerns one of our presses.
    pub(super) fn lit(&mut self, lamp: &Ack) -> (String, bool) {
        let ours = lamp.press_id.as_ref().is_some_and(|id| id.starts_with(&format!("{}-", self.boot)));
        let ours = ours || self.requests.contains_key(&lamp.request_id);
        let by = |words: &str| lamp.by.as_ref().map_or_else(|| words.to_owned(), |by| format!("{words} by {by}"));
        let words = match lamp.state.as_str() {
            "received" => "received".to_owned(),
            "accepted" => by("accepted"),
            "completed" => by("completed"),
            "cancelled" => by("cancelled"),
            other => other.to_owned(),
        };
        if ours {
            let closed = matches!(lamp.state.as_str(), "completed" | "cancelled");
            self.requests.insert(lamp.request_id, closed);
            self.last_lit |= lamp.press_id.as_ref() == Some(&self.id(self.total));
        }
        (words, ours)
    }

    /// Whether every press was acknowledged.
    pub(super) fn is_told(&self) -> bool {
        self.acknowledged == self.total
    }

    /// Whether the lamp showed the last press.
    pub(super) fn is_lit(&self) -> bool {
        self.last_lit
    }

    /// Whether all presses are acknowledged, the lamp showed the last one and all requests are closed.
    pub(super) fn is_over(&self) -> bool {
        self.is_told() && self.last_lit && self.requests.values().all(|closed| *closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lamp(press_id: &str, request: u128, state: &str, by: Option<&str>) -> Ack {
        Ack {
            press_id: Some(press_id.into()),
            request_id: RequestId(uuid::Uuid::from_u128(request)),
            state: state.into(),
            by: by.map(Into::into),
        }
    }

    #[test]
    fn a_press_goes_from_the_wire_to_completed() {
        let mut story = Story::new("b".into(), 1);
        assert_eq!(story.next(), Some((1, "b-1".into())));
        assert_eq!(story.next(), None);
        story.sent(7);
        assert_eq!((story.unacknowledged(), story.acknowledged(8), story.acknowledged(7)), (1, None, Some(1)));
        assert!(story.is_told() && !story.is_lit());
        assert_eq!(story.lit(&lamp("b-1", 5, "received", None)), ("received".into(), true));
        assert!(story.is_lit() && !story.is_over());
        assert_eq!(story.lit(&lamp("b-1", 5, "accepted", Some("Siri"))), ("accepted by Siri".into(), true));
        assert!(!story.is_over());
        story.lit(&lamp("b-1", 5, "completed", Some("Siri")));
        assert!(story.is_over());
    }

    #[test]
    fn the_lamp_of_an_earlier_press_is_not_ours() {
        let mut story = Story::new("b".into(), 1);
        story.next();
        assert!(!story.lit(&lamp("a-1", 4, "accepted", Some("Sam"))).1);
        assert!(!story.is_lit());
    }

    #[test]
    fn a_request_that_somebody_else_presses_for_too_stays_ours() {
        let mut story = Story::new("b".into(), 1);
        story.next();
        story.lit(&lamp("b-1", 5, "received", None));
        assert!(story.lit(&lamp("real-9", 5, "accepted", Some("Sam"))).1);
    }

    #[test]
    fn of_several_presses_the_last_one_counts() {
        let mut story = Story::new("b".into(), 2);
        story.next();
        story.lit(&lamp("b-1", 5, "received", None));
        assert!(!story.is_lit());
        story.next();
        story.lit(&lamp("b-2", 5, "received", None));
        assert!(story.is_lit());
    }

    #[test]
    fn what_the_server_tells_a_lamp_is_understood() {
        let text =
            r#"{"press_id":null,"request_id":"00000000-0000-0000-0000-000000000005","state":"received","by":null}"#;
        let read: Ack = serde_json::from_str(text).unwrap();
        assert_eq!((read.press_id, read.state.as_str()), (None, "received"));
    }
}

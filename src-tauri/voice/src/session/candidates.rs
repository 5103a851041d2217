//! ICE candidates, and the queue for those that arrive before their description.

/// An ICE candidate, like `RTCIceCandidateInit` of the WebRTC API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// The candidate attribute (RFC 8839, 5.1); empty at the end of candidates.
    pub candidate: String,
    /// The media section that it belongs to, by identification tag.
    pub sdp_mid: Option<String>,
    /// The media section that it belongs to, by index.
    pub sdp_mline_index: Option<u16>,
    /// The ICE generation that it belongs to: the `ice-ufrag` of its description.
    pub username_fragment: Option<String>,
}

/// The queue's limit, larger than any device needs.
const MOST: usize = 64;

/// Holds the other side's candidates until their description arrives.
///
/// Signals may be reordered when a socket was lost, so a candidate may come before its description, or after the next
/// one, which has replaced it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Whether a description is in effect.
    is_described: bool,
    /// The description's `ice-ufrag`, if it has one.
    current: Option<String>,
    /// The `ice-ufrag`s of replaced descriptions.
    past: Vec<String>,
    waiting: Vec<Candidate>,
}

impl Kept {
    /// Returns the candidate if it can be used now; otherwise queues or drops it.
    pub(super) fn add(&mut self, candidate: Candidate) -> Option<Candidate> {
        if !self.is_described {
            self.keep(candidate);
            return None;
        }
        match (&candidate.username_fragment, &self.current) {
            (Some(of), _) if self.past.contains(of) => None,
            (Some(of), Some(current)) if of != current => {
                self.keep(candidate);
                None
            }
            _ => Some(candidate),
        }
    }

    /// Records that the description is in effect, and returns the queued candidates for it.
    pub(super) fn described(&mut self, sdp: &str) -> Vec<Candidate> {
        let fragment = ice_ufrag(sdp);
        self.is_described = true;
        if self.current != fragment {
            self.past.extend(std::mem::replace(&mut self.current, fragment.clone()));
        }
        let is_due = |candidate: &Candidate| match (&candidate.username_fragment, &fragment) {
            (Some(of), Some(current)) => of == current,
            _ => true,
        };
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(is_due);
        self.waiting = waiting;
        due
    }

    fn keep(&mut self, candidate: Candidate) {
        if self.waiting.len() < MOST {
            self.waiting.push(candidate);
        }
    }
}

/// The first `a=ice-ufrag:` of a description (RFC 8839, 5.4).
pub(super) fn ice_ufrag(sdp: &str) -> Option<String> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).map(|value| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "v=0\r\na=ice-ufrag:one\r\n";
    const SECOND: &str = "v=0\r\na=ice-ufrag:two\r\n";

    fn of(generation: &str, name: &str) -> Candidate {
        Candidate { candidate: name.to_owned(), username_fragment: Some(generation.to_owned()), ..Candidate::default() }
    }

    #[test]
    fn a_candidate_waits_for_its_description() {
        let mut kept = Kept::default();
        assert_eq!(kept.add(of("one", "a")), None);
        assert_eq!(kept.described(FIRST), [of("one", "a")]);
        assert_eq!(kept.add(of("one", "b")), Some(of("one", "b")));
    }

    #[test]
    fn a_candidate_of_the_restart_waits_for_the_restart() {
        let mut kept = Kept::default();
        kept.described(FIRST);
        assert_eq!(kept.add(of("two", "c")), None);
        assert_eq!(kept.described(SECOND), [of("two", "c")]);
    }

    #[test]
    fn a_late_candidate_of_what_was_replaced_is_dropped() {
        let mut kept = Kept::default();
        kept.described(FIRST);
        kept.described(SECOND);
        assert_eq!(kept.add(of("one", "late")), None);
        assert_eq!(kept.described("v=0\r\na=ice-ufrag:three\r\n"), []);
    }

    #[test]
    fn a_candidate_that_names_no_generation_belongs_to_the_present_one() {
        let mut kept = Kept::default();
        let candidate = Candidate { candidate: "x".to_owned(), ..Candidate::default() };
        assert_eq!(kept.add(candidate.clone()), None);
        assert_eq!(kept.described(FIRST), std::slice::from_ref(&candidate));
        assert_eq!(kept.add(candidate.clone()), Some(candidate));
    }

    #[test]
    fn no_more_are_kept_than_a_device_can_have() {
        let mut kept = Kept::default();
        for number in 0..1000 {
            kept.add(of("one", &number.to_string()));
        }
        assert_eq!(kept.described(FIRST).len(), MOST);
    }
}

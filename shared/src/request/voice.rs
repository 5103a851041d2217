//! The voice messages of a request: a later message doesn't overwrite earlier ones.

use super::{Voice, VoiceMessage};

/// Maximum number of earlier messages in a request; all recordings are stored regardless.
const EARLIER: usize = 20;

impl Voice {
    /// Adds a message: merged into the newest if it completes that, otherwise as the next one.
    #[must_use]
    pub fn with(self, message: VoiceMessage) -> Self {
        let newest = self.newest();
        if !newest.is_completed_by(&message) {
            return self.with_next(message);
        }
        Self {
            recording_id: message.recording_id.or(newest.recording_id),
            duration_ms: message.duration_ms.or(newest.duration_ms),
            audio_url: message.audio_url.or(newest.audio_url),
            transcript: message.transcript.or(newest.transcript),
            earlier: self.earlier,
        }
    }

    /// Begins a new message, because the guest speaks again.
    #[must_use]
    pub fn spoken_again(self) -> Self {
        self.with_next(VoiceMessage::default())
    }

    /// Adds a message as the next one in any case.
    #[must_use]
    pub fn with_next(self, message: VoiceMessage) -> Self {
        let before = self.newest();
        let mut earlier = self.earlier;
        if before != VoiceMessage::default() {
            earlier.push(before);
        }
        let excess = earlier.len().saturating_sub(EARLIER);
        earlier.drain(..excess);
        let VoiceMessage { recording_id, duration_ms, audio_url, transcript } = message;
        Self { recording_id, duration_ms, audio_url, transcript, earlier }
    }

    fn newest(&self) -> VoiceMessage {
        VoiceMessage {
            recording_id: self.recording_id,
            duration_ms: self.duration_ms,
            audio_url: self.audio_url.clone(),
            transcript: self.transcript.clone(),
        }
    }

    /// The total duration in milliseconds, as far as known.
    pub fn whole_ms(&self) -> u32 {
        let earlier = self.earlier.iter().filter_map(|message| message.duration_ms);
        earlier.chain(self.duration_ms).fold(0, u32::saturating_add)
    }

    /// Whether there is a recording to play.
    pub fn is_recorded(&self) -> bool {
        let earlier = self.earlier.iter().any(|message| message.recording_id.is_some() || message.audio_url.is_some());
        earlier || self.recording_id.is_some() || self.audio_url.is_some()
    }

    /// The transcripts, oldest first.
    pub fn transcripts(&self) -> impl Iterator<Item = &str> {
        let earlier = self.earlier.iter().map(|message| message.transcript.as_deref());
        earlier.chain([self.transcript.as_deref()]).flatten()
    }
}

impl VoiceMessage {
    /// Whether another message has only parts that this one lacks.
    fn is_completed_by(&self, other: &Self) -> bool {
        let sound = |message: &Self| message.recording_id.is_some();
        !(sound(self) && sound(other)
            || self.audio_url.is_some() && other.audio_url.is_some()
            || self.transcript.is_some() && other.transcript.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    fn recording(number: u128, ms: u32) -> VoiceMessage {
        VoiceMessage { recording_id: Some(id(number)), duration_ms: Some(ms), ..VoiceMessage::default() }
    }

    fn words(text: &str) -> VoiceMessage {
        VoiceMessage { transcript: Some(text.into()), ..VoiceMessage::default() }
    }

    #[test]
    fn a_second_message_hides_none() {
        let voice = Voice::default().with(recording(1, 2000)).with(words("Tea")).with(recording(2, 3000));
        assert_eq!((voice.recording_id, voice.whole_ms()), (Some(id(2)), 5000));
        assert_eq!(voice.earlier, [VoiceMessage { transcript: Some("Tea".into()), ..recording(1, 2000) }]);
        let voice = voice.with(words("And cake")).spoken_again().with(words("Hurry"));
        assert_eq!(voice.transcripts().collect::<Vec<_>>(), ["Tea", "And cake", "Hurry"]);
        assert!(voice.is_recorded());
    }

    #[test]
    fn what_belongs_to_one_message_makes_one() {
        let voice = Voice::default().with(words("Tea")).with(recording(1, 2000));
        assert_eq!(
            (voice.transcript.as_deref(), voice.recording_id, voice.earlier.len()),
            (Some("Tea"), Some(id(1)), 0)
        );
        let silent = Voice::default().spoken_again().spoken_again();
        assert_eq!((silent.earlier.len(), silent.is_recorded()), (0, false), "a press without words is no message");
    }

    #[test]
    fn the_card_holds_the_last_twenty_and_the_newest() {
        let voice = (1..=30).fold(Voice::default(), |voice, n| voice.with(recording(n, 100)));
        assert_eq!(
            (voice.earlier.len(), voice.earlier[0].recording_id, voice.recording_id),
            (20, Some(id(10)), Some(id(30)))
        );
    }

    #[test]
    fn a_voice_of_the_version_before_is_read() {
        let before = r#"{"recording_id": null, "duration_ms": 5, "audio_url": null, "transcript": "Tea"}"#;
        let voice: Voice = serde_json::from_str(before).unwrap();
        assert_eq!((voice.duration_ms, voice.earlier.len()), (Some(5), 0));
    }
}

//! The last forty minutes of the script, counted back from now: the state when the demo starts.

use crewbell_shared::button::{ButtonKey, PressKind};
use crewbell_shared::call::CallVerb;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestVerb;
use jiff::{SignedDuration, Timestamp};

use super::cast::{ALEX, CABINS, CREW, DANA, LUCA, MIA, SAM, SIRI};
use super::request_course;
use super::timeline::{Babble, By, DemoAction, Timeline};
use crate::devices::dialects::Ignored;

/// The length of this part; the history ends before it.
pub(super) const REACHES: SignedDuration = SignedDuration::from_mins(40);

/// The index of the sun deck's button.
const ON_SUN_DECK: usize = CABINS;

/// The unrecognised messages, where an administrator looks when a button stays silent.
pub(super) const BABBLE: [Babble; 2] = [
    Babble {
        device: "gym-dial",
        why: Ignored::UnknownWord(std::borrow::Cow::Borrowed("dial_rotate_left_slow")),
        topic: "zigbee2mqtt/gym-dial",
        sample: r#"{"action":"dial_rotate_left_slow","action_time":30,"linkquality":96}"#,
        times: 31,
    },
    Babble {
        device: "tender-1",
        why: Ignored::NotJson,
        topic: "obedio/button/tender-1/pressed",
        sample: "pressed",
        times: 4,
    },
];

/// Writes the present: three open requests, two accepted, two just completed, one cabin with do-not-disturb, one
/// disconnected button.
pub(super) fn write(script: &mut Timeline) {
    let now = script.now;
    let ago = |seconds| now - SignedDuration::from_secs(seconds);
    let is = PressKind::Single;

    script.check_buttons(ago(40), Some(ago(2_280)));
    script.switches_rest(ago(2_100), 7);
    for babble in BABBLE {
        script.happens(ago(1_900), By::Server, DemoAction::Babble(babble));
    }
    // All of the crew but Mia are on duty at any hour, so that everybody who tries the demo is alerted.
    for index in 0..CREW.len() {
        let at = ago(1_800 - i64::try_from(index).unwrap_or_default() * 7);
        let person_id = script.cast.people[index].id;
        script.does(at, index, Verb::Person(PersonVerb::SetDuty { person_id, on_duty: index != MIA }));
    }

    done(script, ago(1_700), 2, (is, ButtonKey::Main), LUCA, 310);
    done(script, ago(1_260), CABINS + 1, (is, ButtonKey::Aux4), SIRI, 420);

    let request_id = script.rings(ago(690), ON_SUN_DECK, is, ButtonKey::Aux4);
    script.does(ago(610), SIRI, Verb::Request(RequestVerb::Accept { request_id }));
    request_course::note(script, ago(480), SIRI, request_id, "Two iced teas, one without sugar.");
    let request_id = script.rings(ago(395), 4, is, ButtonKey::Main);
    script.does(ago(340), SAM, Verb::Request(RequestVerb::Accept { request_id }));

    script.rings(ago(250), 1, PressKind::Long, ButtonKey::Main);
    let wish = "Could we have the small table on the terrace laid for two this evening? It's our anniversary.";
    request_course::spoken(script, ago(250), 1, wish, 6_300);
    script.rings(ago(140), 9, is, ButtonKey::Aux3);
    let request_id = script.rings(ago(62), 0, is, ButtonKey::Main);
    script.rings_again(ago(50), 0, is, ButtonKey::Main, request_id);

    // No app is open while the history is loaded, so these calls are missed.
    for (seconds, caller, callee) in [(1_420, DANA, ALEX), (900, LUCA, SIRI)] {
        let (call_id, callee_id) = (script.ids.next(ago(seconds)), script.cast.people[callee].id);
        script.does(
            ago(seconds),
            caller,
            Verb::Call(CallVerb::Start { call_id, callee_id, about: None, endpoint: None }),
        );
    }
}

fn done(script: &mut Timeline, at: Timestamp, device: usize, how: (PressKind, ButtonKey), by: usize, after: i64) {
    let request_id = script.rings(at, device, how.0, how.1);
    script.does(at + SignedDuration::from_secs(45), by, Verb::Request(RequestVerb::Accept { request_id }));
    script.does(at + SignedDuration::from_secs(after), by, Verb::Request(RequestVerb::Complete { request_id }));
}

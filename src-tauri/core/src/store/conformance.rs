//! Conformance suite of the stores: a store must load what [`Image::apply`] makes of the writes, also after it was
//! closed and reopened.
//!
//! ```ignore
//! conformance::suite(store, async |store| reopened(store)).await;
//! ```

#![expect(missing_docs, reason = "props of the tests")]

use crewbell_shared::request::RequestVerb;
use std::sync::Arc;

use crewbell_shared::ids::CommandId;
use crewbell_shared::person::PersonRef;
use crewbell_shared::protocol::live::LastSeen;
use crewbell_shared::protocol::{ActorRef, Command, Entity, Verb};
use crewbell_shared::testing::{at, cabin, gus, id, open_request, sam, siri};
use crewbell_shared::{Code, Refusal};

use super::image::MOST_LINES;
use super::{CommandStatus, Cursor, EntityKey, Image, Line, Session, Store, StoreError, Waiting, Write};

/// Runs the suite on an empty store. `reopen` closes the store and opens it again, if it supports that.
///
/// # Panics
/// Panics if the store doesn't conform.
pub async fn suite<S: Store>(store: S, mut reopen: impl AsyncFnMut(S) -> S) {
    let mut store = store;
    let mut image = Image::default();
    assert_eq!(store.load().await.as_ref(), Ok(&image), "a new store is empty");
    for writes in stories() {
        store.write(&writes).await.unwrap_or_else(|error| panic!("{error}: {writes:?}"));
        image.apply(&writes);
        assert_eq!(store.load().await.as_ref(), Ok(&image), "after {writes:?}");
        store.write(&writes).await.unwrap_or_else(|error| panic!("{error}: {writes:?}"));
        image.apply(&writes);
        store = reopen(store).await;
        assert_eq!(store.load().await.as_ref(), Ok(&image), "opened again, after twice {writes:?}");
    }
}

/// Applies writes to a store and checks that it holds the same as the image.
///
/// # Errors
/// Returns the store's error.
///
/// # Panics
/// Panics if the store holds something else.
pub async fn check(store: &mut impl Store, image: &mut Image, writes: &[Write]) -> Result<(), StoreError> {
    store.write(writes).await?;
    image.apply(writes);
    assert_eq!(store.load().await.as_ref(), Ok(&*image), "after {writes:?}");
    Ok(())
}

/// Returns batches with every write alone, and with combinations that interact.
fn stories() -> Vec<Vec<Write>> {
    let put = |number, seq, text: &str| Write::UpsertEntity { entity: request(number, text), seq };
    let forget = |number| Write::DeleteEntity(EntityKey::of(&request(number, "")));
    let lines = |from: u64| (from..from + MOST_LINES as u64 + 10).map(tell).collect();
    vec![
        vec![],
        vec![Write::SignIn(session("Siri"))],
        vec![put(1, 1, "first")],
        vec![put(1, 3, "newer")],
        vec![put(1, 2, "older")],
        vec![put(1, 3, "the same entry, later")],
        vec![put(1, 5, "a"), put(1, 4, "b"), put(2, 4, "c"), put(2, 5, "d")],
        vec![forget(1)],
        vec![forget(1), put(1, 1, "older than what was forgotten")],
        vec![put(1, 9, "gone at once"), forget(1), put(2, 1, "older"), forget(9)],
        vec![put(2, 1, "older"), forget(2), put(2, 1, "and yet")],
        vec![Write::Advance(cursor(7)), Write::Heard(at(7))],
        vec![Write::Advance(Cursor { seq: 0, event_id: None })],
        vec![Write::Seen(Vec::new()), see(&[(1, 50), (2, 40)]), see(&[(2, 30), (3, 60)])],
        vec![see(&[(1, 70)])],
        vec![tell(3), tell(2), tell(3), tell(5)],
        vec![tell(4), tell(6)],
        vec![
            Write::UpsertEntity { entity: Arc::new(Entity::from(gus())), seq: 8 },
            Write::UpsertEntity { entity: odd(), seq: 9 },
        ],
        vec![Write::UpsertCommand(waiting(1)), Write::UpsertCommand(waiting(2)), Write::UpsertCommand(waiting(3))],
        vec![Write::UpsertCommand(Waiting { doing: CommandStatus::Done { seq: 1 }, ..waiting(2) })],
        vec![Write::Mark(id(2), CommandStatus::Done { seq: 12 }), Write::Mark(id(9), CommandStatus::Waiting)],
        vec![Write::Mark(id(1), refused())],
        vec![
            Write::DeleteCommand(id(2)),
            Write::DeleteCommand(id(9)),
            Write::UpsertCommand(waiting(4)),
            Write::DeleteCommand(id(3)),
        ],
        vec![
            Write::DeleteCommand(id(4)),
            Write::UpsertCommand(waiting(4)),
            Write::Mark(id(4), refused()),
            Write::UpsertCommand(waiting(2)),
        ],
        vec![Write::Set("theme".to_owned(), Some("night".to_owned())), Write::Set("none".to_owned(), None)],
        vec![Write::Set("theme".to_owned(), None), Write::Set("it's \"odd\"\0".to_owned(), Some(String::new()))],
        vec![Write::Replace { entities: vec![request(5, "e"), request(6, "f"), request(5, "g")], cursor: cursor(20) }],
        vec![
            put(7, 21, "h"),
            tell(21),
            Write::Replace { entities: vec![request(8, "i")], cursor: cursor(22) },
            tell(3),
        ],
        lines(30),
        lines(40),
        vec![Write::SignIn(session("Sam"))],
        vec![Write::Wipe],
        vec![put(1, 1, "j"), tell(1), Write::SignIn(session("Sam")), Write::Advance(cursor(1))],
        vec![
            Write::DeleteCommand(id(1)),
            put(2, 2, "k"),
            Write::Wipe,
            Write::Set("last".to_owned(), Some("Siri".to_owned())),
            Write::SignIn(session("Siri")),
            put(3, 1, "l"),
            tell(1),
        ],
        vec![see(&[(1, 1)]), Write::Wipe, see(&[(2, 2)])],
        vec![
            Write::SignIn(session("Sam")),
            Write::Heard(at(1)),
            see(&[(3, 3)]),
            Write::UpsertCommand(waiting(11)),
            Write::Wipe,
        ],
    ]
}

/// Returns a write made from small numbers, which a property test draws and shrinks.
pub fn write((sort, number, seq): (u8, u8, u16)) -> Write {
    let (which, seq64) = (u128::from(number % 8), u64::from(seq % 64));
    match sort % 17 {
        0..=2 => Write::UpsertEntity { entity: request(which, &format!("seq {seq}")), seq: seq64 },
        3 => Write::DeleteEntity(EntityKey::of(&request(which, ""))),
        4 => {
            let entities = (0..which).map(|number| request(number, &format!("snapshot {seq}"))).collect();
            Write::Replace { entities, cursor: cursor(seq64) }
        }
        5 => Write::Advance(cursor(seq64)),
        6 => Write::Heard(at(i64::from(seq))),
        7 | 8 => Write::AppendLine(line(seq64)),
        9 | 10 => Write::UpsertCommand(waiting(which)),
        11 => Write::Mark(id(which), if seq % 2 == 0 { refused() } else { CommandStatus::Done { seq: seq64 } }),
        12 => Write::DeleteCommand(id(which)),
        13 => Write::SignIn(session(&format!("Person {number}"))),
        14 => Write::Wipe,
        15 => see(&[(which, i64::from(seq)), (which + 1, 7)]),
        _ => Write::Set(format!("setting {which}"), (seq % 3 != 0).then(|| format!("value {seq}"))),
    }
}

/// Returns a write of last-seen times, in seconds.
fn see(people: &[(u128, i64)]) -> Write {
    Write::Seen(people.iter().map(|(person, seconds)| LastSeen { person_id: id(*person), at: at(*seconds) }).collect())
}

/// Returns a request with a number and a text.
pub fn request(number: u128, text: &str) -> Arc<Entity> {
    let mut request = open_request(at(1));
    request.id = id(number);
    request.text = Some(text.to_owned());
    Arc::new(Entity::Request(request))
}

/// Returns an entity whose text needs escaping.
fn odd() -> Arc<Entity> {
    request(77, "\"quoted\" \\ {\"command\":{ \u{0} \u{7f} \u{1f6ce} a'b\n\t")
}

pub fn cursor(seq: u64) -> Cursor {
    Cursor { seq, event_id: Some(id(1000 + u128::from(seq))) }
}

pub fn line(seq: u64) -> Line {
    let seconds = i64::try_from(seq).unwrap_or(0);
    Line {
        seq,
        at: at(seconds),
        category: "requests".to_owned(),
        kind: "request_accepted".to_owned(),
        actor: ActorRef { id: Some(siri().id), name: siri().name },
        about: Some(EntityKey::of(&request(1, ""))),
        changed: vec!["state".to_owned(), "accepted_by".to_owned()],
    }
}

fn tell(seq: u64) -> Write {
    Write::AppendLine(line(seq))
}

pub fn session(name: &str) -> Session {
    let person = PersonRef { name: name.to_owned(), ..siri().as_ref() };
    let (server, site) = ("http://10.0.0.2:8080".to_owned(), "serenity".to_owned());
    Session { server, site, person, device_id: id(90), instance: Some(id(91)) }
}

/// Returns a waiting command of Sam with this number.
pub fn waiting(number: u128) -> Waiting {
    let command_id: CommandId = id(number);
    let verb = Verb::Request(RequestVerb::Create {
        request_id: id(5000 + number),
        place_id: cabin().id,
        kind: crewbell_shared::request::Kind::Call,
        service: None,
        priority: None,
        text: Some(format!("\"{number}\" towels, and {{braces}}")),
    });
    let command = Command { id: command_id, made_at: Some(at(0)), depends_on: None, verb };
    Waiting { command, by: sam().as_ref(), at: at(i64::try_from(number).unwrap_or(0)), doing: CommandStatus::Waiting }
}

fn refused() -> CommandStatus {
    let refusal = Refusal::new(Code::AlreadyAccepted, "Sam was first.").with("by", &"Sam");
    CommandStatus::Refused { refusal, at: at(3) }
}

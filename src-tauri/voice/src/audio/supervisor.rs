//! The device supervisor: keeps the chosen devices open, or the system's default as a fallback until they are back.

use std::{sync::Arc, time::Duration};

use super::{
    device::{Devices, Direction, OpenDevice, Sink, Source, Wake},
    engine::{DeviceState, Event},
    worker::Order,
};

/// The retry interval for opening a device, or the chosen one instead of the fallback.
const AGAIN: Duration = Duration::from_secs(2);

/// Supervises both devices; its work is done in calls of `look`.
pub(super) struct Supervisor {
    devices: Box<dyn Devices>,
    wake: Wake,
    input: Side<Source>,
    output: Side<Sink>,
    hand_over: Box<dyn Fn(Order) + Send>,
    events: Arc<dyn Fn(Event) + Send + Sync>,
}

impl Supervisor {
    pub(super) fn new(
        devices: Box<dyn Devices>,
        wake: Wake,
        (input, output): (Option<String>, Option<String>),
        hand_over: Box<dyn Fn(Order) + Send>,
        events: Arc<dyn Fn(Event) + Send + Sync>,
    ) -> Self {
        Self { devices, wake, input: Side::new(input), output: Side::new(output), hand_over, events }
    }

    /// Chooses another device; `None` is the system's default.
    pub(super) fn choose(&mut self, direction: Direction, name: Option<String>) {
        match direction {
            Direction::Input => self.input.choose(name),
            Direction::Output => self.output.choose(name),
        }
    }

    /// Opens and closes devices as needed. May take some 100 ms if there is something to do.
    pub(super) fn look(&mut self, now: Duration) {
        let Self { devices, wake, input, output, hand_over, events } = self;
        input.look(
            now,
            |name| devices.open_input(name, wake),
            |source| hand_over(Order::Source(source.map(Box::new))),
            |state| events(Event::Input(state)),
        );
        output.look(
            now,
            |name| devices.open_output(name, wake),
            |sink| hand_over(Order::Sink(sink.map(Box::new))),
            |state| events(Event::Output(state)),
        );
    }

    /// The names of the devices in a direction.
    pub(super) fn names(&mut self, direction: Direction) -> Vec<String> {
        self.devices.names(direction)
    }
}

/// The state of one direction.
struct Side<E> {
    choice: Option<String>,
    open: Option<Box<dyn OpenDevice>>,
    /// Whether the open device is the chosen one.
    is_choice: bool,
    next_try: Duration,
    told: Option<DeviceState>,
    _end: std::marker::PhantomData<fn() -> E>,
}

impl<E> Side<E> {
    fn new(choice: Option<String>) -> Self {
        let next_try = Duration::ZERO;
        Self { choice, open: None, is_choice: false, next_try, told: None, _end: std::marker::PhantomData }
    }

    fn choose(&mut self, choice: Option<String>) {
        if self.choice != choice {
            self.choice = choice;
            self.is_choice = false;
            self.next_try = Duration::ZERO;
        }
    }

    fn look(
        &mut self,
        now: Duration,
        mut open: impl FnMut(Option<&str>) -> Result<(Box<dyn OpenDevice>, E), String>,
        hand_over: impl Fn(Option<E>),
        tell: impl Fn(DeviceState),
    ) {
        if let Some(why) = self.open.as_mut().and_then(|open| open.fault(now)) {
            tracing::info!(why, "a call's sound device is lost");
            self.open = None;
            hand_over(None);
            // It is replaced at once.
            self.next_try = now;
        }
        if (self.open.is_some() && self.is_choice) || now < self.next_try {
            return;
        }
        self.next_try = now + AGAIN;
        let chosen = open(self.choice.as_deref());
        let state = match (chosen, &self.open) {
            (Ok((device, end)), _) => self.take(device, end, true, &hand_over),
            (Err(_), Some(device)) => {
                DeviceState::Open { name: device.name().to_owned(), instead_of: self.choice.clone() }
            }
            (Err(why), _) => match self.choice.is_some().then(|| open(None)) {
                Some(Ok((device, end))) => self.take(device, end, false, &hand_over),
                Some(Err(why)) => DeviceState::Missing { why },
                None => DeviceState::Missing { why },
            },
        };
        if self.told.as_ref() != Some(&state) {
            self.told = Some(state.clone());
            tell(state);
        }
    }

    fn take(
        &mut self,
        device: Box<dyn OpenDevice>,
        end: E,
        is_choice: bool,
        hand_over: &impl Fn(Option<E>),
    ) -> DeviceState {
        let instead_of = if is_choice { None } else { self.choice.clone() };
        let state = DeviceState::Open { name: device.name().to_owned(), instead_of };
        hand_over(Some(end));
        // The previous device is closed here.
        self.open = Some(device);
        self.is_choice = is_choice;
        state
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::audio::device::{ClockedDevice, ClockedDevices};

    struct Story {
        devices: ClockedDevices,
        keeper: Supervisor,
        told: Arc<Mutex<Vec<Event>>>,
        now: Duration,
    }

    impl Story {
        fn new(input: Option<&str>) -> Self {
            let devices = ClockedDevices::default();
            let told = Arc::new(Mutex::new(Vec::new()));
            let theirs = told.clone();
            let keeper = Supervisor::new(
                Box::new(devices.clone()),
                Wake::default(),
                (input.map(str::to_owned), None),
                Box::new(|_| ()),
                Arc::new(move |event| theirs.lock().unwrap().push(event)),
            );
            Self { devices, keeper, told, now: Duration::ZERO }
        }

        fn plug(&self, direction: Direction, name: &str) {
            self.devices.plug(direction, name, ClockedDevice::default());
        }

        /// The events within 3 s.
        fn told(&mut self) -> Vec<Event> {
            for _ in 0..30 {
                self.keeper.look(self.now);
                self.now += Duration::from_millis(100);
            }
            std::mem::take(&mut self.told.lock().unwrap())
        }
    }

    fn input(name: &str, instead_of: Option<&str>) -> Event {
        Event::Input(DeviceState::Open { name: name.to_owned(), instead_of: instead_of.map(str::to_owned) })
    }

    fn output(name: &str) -> Event {
        Event::Output(DeviceState::Open { name: name.to_owned(), instead_of: None })
    }

    #[test]
    fn chosen_device_is_replaced_by_the_default_while_it_is_gone() {
        let mut story = Story::new(Some("Headset"));
        story.plug(Direction::Input, "Built-in");
        story.plug(Direction::Input, "Headset");
        story.plug(Direction::Output, "Speaker");
        assert_eq!(story.told(), [input("Headset", None), output("Speaker")]);
        story.devices.unplug(Direction::Input, "Headset");
        assert_eq!(story.told(), [input("Built-in", Some("Headset"))]);
        assert_eq!(story.told(), [], "told once");
        story.plug(Direction::Input, "Headset");
        assert_eq!(story.told(), [input("Headset", None)]);
        story.keeper.choose(Direction::Input, None);
        assert_eq!(story.told(), [input("Built-in", None)]);
    }

    #[test]
    fn what_is_missing_is_said_and_taken_when_it_comes() {
        let mut story = Story::new(None);
        let missing = "There is no such device.".to_owned();
        let told = story.told();
        assert_eq!(
            told,
            [
                Event::Input(DeviceState::Missing { why: missing.clone() }),
                Event::Output(DeviceState::Missing { why: missing.clone() })
            ]
        );
        story.plug(Direction::Output, "Speaker");
        assert_eq!(story.told(), [output("Speaker")]);
        story.devices.unplug(Direction::Output, "Speaker");
        assert_eq!(story.told(), [Event::Output(DeviceState::Missing { why: missing })]);
    }
}

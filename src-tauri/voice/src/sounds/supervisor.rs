//! The bell's supervisor thread: keeps the device open, reopens it when it is lost, and controls playback.

use std::{
    collections::BTreeSet,
    panic::{self, AssertUnwindSafe},
    sync::{
        Mutex,
        mpsc::{Receiver, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use crewbell_shared::{ids::RequestId, request::Priority};

use super::{
    bell::{Inbox, Order, Report, Ringing, Shared, lock},
    call_tone::CallTone,
    message::Message,
    output::{Output, Period},
    pattern::pattern,
    program::{Cue, News},
};

/// The retry interval for opening a device.
const AGAIN: Duration = Duration::from_secs(5);
/// The interval between checks of the device while something sounds, or after it was opened.
const LOOK: Duration = Duration::from_millis(500);
/// The check interval of an idle device, which reports most errors itself.
const LOOK_AT_REST: Duration = Duration::from_secs(5);
/// The time without sound after which the device becomes idle. Longer than any sound that is played once.
const QUIET: Duration = Duration::from_secs(3);
/// The minimum shortfall against the header's duration for which a recording counts as truncated.
const SHORT: Duration = Duration::from_millis(100);

/// The delay before the thread's work restarts after a panic.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Handles `orders` until the bell is closed. After a panic, here or in the audio library, it restarts with the same
/// state.
pub(super) fn keep_up(orders: &Receiver<Order>, inbox: &Inbox, shared: &Mutex<Shared>, report: &dyn Fn(Report)) {
    while panic::catch_unwind(AssertUnwindSafe(|| keep(orders, inbox.clone(), shared, report))).is_err() {
        tracing::error!("The bell panicked, and begins again.");
        thread::sleep(AFTER_PANIC);
    }
}

fn keep(orders: &Receiver<Order>, inbox: Inbox, shared: &Mutex<Shared>, report: &dyn Fn(Report)) {
    inbox.wake.set(thread::current());
    let _word = LastWord { shared, report };
    let (ringing, call) = {
        let shared = lock(shared);
        (shared.ringing.clone(), shared.call)
    };
    let mut keeper = Supervisor {
        report,
        shared,
        inbox,
        output: None,
        before: None,
        outputs: 0,
        next_try: Instant::now(),
        needed: Instant::now(),
        can_rest: true,
        ringing,
        sounded: BTreeSet::new(),
        gain: 0.0,
        call,
        playing: None,
        messages: 0,
        told: None,
    };
    loop {
        keeper.look_after_output();
        loop {
            match orders.try_recv() {
                Ok(Order::Close) | Err(TryRecvError::Disconnected) => return,
                Ok(order) => keeper.follow(order),
                Err(TryRecvError::Empty) => break,
            }
        }
        keeper.hear_all();
        // Its replacement is audible by now.
        keeper.before = None;
        // Senders unpark the thread, so an order that came meanwhile prevents the sleep.
        thread::park_timeout(keeper.patience());
    }
}

struct Supervisor<'a> {
    report: &'a dyn Fn(Report),
    shared: &'a Mutex<Shared>,
    inbox: Inbox,
    output: Option<Output>,
    /// The previous device, kept open for a moment.
    before: Option<Output>,
    /// The number of outputs opened so far, which is the number of the newest.
    outputs: u64,
    next_try: Instant,
    /// The time when something was last played.
    needed: Instant,
    /// Whether the device can be opened twice at once, as switching to idle requires.
    can_rest: bool,
    ringing: Vec<Ringing>,
    /// The requests of `ringing` that were reported.
    sounded: BTreeSet<RequestId>,
    /// The gain of the present alert.
    gain: f32,
    /// The tone of the call.
    call: Option<CallTone>,
    playing: Option<Playing>,
    messages: u64,
    /// The last report of `Able` or `Unable`.
    told: Option<Report>,
}

/// The message that is playing.
struct Playing {
    request_id: RequestId,
    number: u64,
    duration: Duration,
    at: Duration,
}

impl Supervisor<'_> {
    fn follow(&mut self, order: Order) {
        match order {
            Order::Ring(ringing) => self.ring(ringing),
            Order::Call(tone) if tone != self.call => {
                self.call = tone;
                self.begin_call();
            }
            Order::Settings => self.settings(),
            Order::Test(priority) => {
                self.wake_output();
                let gain = lock(self.shared).gain(priority);
                self.cue(|rate| Cue::Once { pattern: pattern(priority, rate), gain });
            }
            Order::Play(request_id, wav) => self.play(request_id, wav),
            Order::Stop => {
                self.cue(|_| Cue::Stop);
                self.end_message(None);
            }
            // A closed device's error may come late.
            Order::Lost(number, why) if self.output.as_ref().is_some_and(|output| output.number == number) => {
                self.lose(why);
            }
            Order::Call(_) | Order::Lost(..) | Order::Close => {}
        }
    }

    fn hear_all(&mut self) {
        while let Some(news) = self.output.as_mut().and_then(|output| output.stage.news()) {
            self.hear(news);
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Sounding(requests) => {
                for request_id in requests {
                    // It may have been accepted meanwhile.
                    if self.ringing.iter().any(|one| one.request_id == request_id) && self.sounded.insert(request_id) {
                        (self.report)(Report::Sounding { request_id });
                    }
                }
            }
            News::Position { number, at } => {
                if let Some(playing) = self.playing.as_mut().filter(|playing| playing.number == number) {
                    playing.at = at;
                    (self.report)(playing.report(true, None));
                }
            }
            News::Ended { number, at } => {
                if let Some(playing) = self.playing.as_mut().filter(|playing| playing.number == number) {
                    playing.at = at;
                    let cut_off = at + SHORT < playing.duration;
                    self.end_message(cut_off.then(|| "The recording is damaged: its end is missing.".to_owned()));
                }
            }
        }
    }

    /// Opens the device when due, and closes a failed one.
    fn look_after_output(&mut self) {
        if let Some(why) = self.output.as_mut().and_then(Output::fault) {
            self.lose(why);
        }
        if self.output.is_some() {
            return self.rest();
        }
        if Instant::now() < self.next_try {
            return;
        }
        match self.open(Period::Short) {
            Ok(output) => {
                self.output = Some(output);
                (self.needed, self.can_rest) = (Instant::now(), true);
                lock(self.shared).trouble = None;
                self.tell_ability();
                self.begin_ring();
                // A busy tone would come too late.
                if self.call.is_some_and(|tone| tone.times().is_none()) {
                    self.begin_call();
                }
            }
            Err(why) => self.lose(why),
        }
    }

    fn open(&mut self, period: Period) -> Result<Output, String> {
        self.outputs += 1;
        Output::open(self.outputs, period, &self.inbox)
    }

    /// Reopens the device with longer periods if nothing has sounded for a while.
    fn rest(&mut self) {
        let is_needed = !self.ringing.is_empty() || self.call.is_some() || self.playing.is_some();
        if is_needed {
            self.needed = Instant::now();
        }
        let is_short = self.output.as_ref().is_some_and(|output| output.period == Period::Short);
        if !is_short || !self.can_rest || self.needed.elapsed() < QUIET {
            return;
        }
        match self.open(Period::Long) {
            Ok(output) => self.before = self.output.replace(output),
            // The device is exclusive, so it stays as it is.
            Err(_) => self.can_rest = false,
        }
    }

    /// Prepares the device for immediate sound: an idle one is reopened with short periods.
    fn wake_output(&mut self) {
        self.needed = Instant::now();
        if self.output.as_ref().is_none_or(|output| output.period == Period::Short) {
            return;
        }
        let opened = self.open(Period::Short).or_else(|_| {
            // The device may be exclusive.
            self.output = None;
            self.open(Period::Short)
        });
        match opened {
            Ok(output) => self.before = self.output.replace(output),
            Err(why) => {
                tracing::warn!(why, "the device at rest can't be woken");
                self.lose(why);
                self.next_try = Instant::now();
            }
        }
    }

    fn lose(&mut self, why: String) {
        // A lost device may be back soon (the sound server restarted); one that never opened is retried less often.
        let pause = if self.output.take().is_some() { LOOK } else { AGAIN };
        self.next_try = Instant::now() + pause;
        self.end_message(Some(why.clone()));
        lock(self.shared).trouble = Some(why);
        self.tell_ability();
    }

    fn patience(&self) -> Duration {
        match &self.output {
            Some(output) if output.period == Period::Long && output.opened.elapsed() > QUIET => LOOK_AT_REST,
            Some(_) => LOOK,
            None => self.next_try.saturating_duration_since(Instant::now()),
        }
    }

    fn ring(&mut self, ringing: Vec<Ringing>) {
        let joined = ringing.iter().any(|new| self.ringing.iter().all(|old| old.request_id != new.request_id));
        let before = self.greatest();
        self.ringing = ringing;
        self.sounded.retain(|id| self.ringing.iter().any(|one| one.request_id == *id));
        if self.ringing.is_empty() {
            self.cue(|_| Cue::Quiet);
        } else if joined || before != self.greatest() {
            self.begin_ring();
        }
    }

    fn greatest(&self) -> Option<Priority> {
        self.ringing.iter().map(|one| one.priority).max()
    }

    fn begin_ring(&mut self) {
        let Some(priority) = self.greatest() else { return };
        self.wake_output();
        let gain = lock(self.shared).gain(priority);
        self.gain = gain;
        let requests = self.ringing.iter().map(|one| one.request_id).filter(|id| !self.sounded.contains(id)).collect();
        self.cue(|rate| Cue::Ring { pattern: pattern(priority, rate), gain, requests });
    }

    fn begin_call(&mut self) {
        if self.call.is_some() {
            self.wake_output();
        }
        let (tone, gain) = (self.call, lock(self.shared).gain(Priority::Normal));
        self.cue(|rate| Cue::Call { tone: tone.map(|tone| (tone.pattern(rate), tone.times())), gain });
    }

    fn settings(&mut self) {
        let (ring, message, on) = {
            let shared = lock(self.shared);
            (self.greatest().map_or(0.0, |priority| shared.gain(priority)), shared.gain(Priority::Normal), shared.on)
        };
        self.cue(|_| Cue::Gains { ring, message });
        if self.gain <= 0.0 && ring > 0.0 {
            // Restarts the sound, which may be in a pause.
            self.begin_ring();
        }
        self.gain = ring;
        if !on {
            self.cue(|_| Cue::Stop);
            self.end_message(lock(self.shared).silence(Priority::Normal));
        }
        self.tell_ability();
    }

    fn play(&mut self, request_id: RequestId, wav: Vec<u8>) {
        self.end_message(None);
        self.wake_output();
        self.messages += 1;
        let mut playing = Playing { request_id, number: self.messages, duration: Duration::ZERO, at: Duration::ZERO };
        let (gain, silence) = {
            let shared = lock(self.shared);
            (shared.gain(Priority::Normal), shared.silence(Priority::Normal))
        };
        let message = match (silence, &self.output) {
            (None, Some(output)) => Message::read(wav, output.rate),
            (Some(why), _) => Err(why),
            (None, None) => Err("There is no sound output on this device.".to_owned()),
        };
        match message {
            Ok(message) => {
                playing.duration = message.duration;
                let number = playing.number;
                self.playing = Some(playing);
                self.cue(|_| Cue::Play { message: Box::new(message), number, gain });
            }
            Err(why) => {
                self.cue(|_| Cue::Stop);
                (self.report)(playing.report(false, Some(why)));
            }
        }
    }

    fn end_message(&mut self, trouble: Option<String>) {
        if let Some(playing) = self.playing.take() {
            (self.report)(playing.report(false, trouble));
        }
    }

    fn cue(&mut self, cue: impl FnOnce(u32) -> Cue) {
        if let Some(output) = &mut self.output {
            output.stage.cue(cue(output.rate));
        }
    }

    /// Reports a change in whether sound can be played.
    fn tell_ability(&mut self) {
        let silence = lock(self.shared).silence(Priority::Normal);
        let ability = silence.map_or(Report::Able, |why| Report::Unable { why });
        if self.told.as_ref() != Some(&ability) {
            self.told = Some(ability.clone());
            tracing::info!(?ability, "whether this device can be heard has changed");
            (self.report)(ability);
        }
    }
}

impl Playing {
    fn report(&self, playing: bool, trouble: Option<String>) -> Report {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Report::Playing {
            request_id: self.request_id,
            position_ms: ms(self.at),
            duration_ms: ms(self.duration),
            playing,
            trouble,
        }
    }
}

/// Reports silence if the thread panics.
struct LastWord<'a> {
    shared: &'a Mutex<Shared>,
    report: &'a dyn Fn(Report),
}

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "The sound has failed, and is started anew.".to_owned();
            lock(self.shared).trouble = Some(why.clone());
            (self.report)(Report::Unable { why });
        }
    }
}

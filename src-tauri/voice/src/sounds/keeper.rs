//! The bell's thread: holds the device, opens it again when it is lost, and has it play what is to be heard.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use crewbell_shared::{ids::RequestId, request::Priority};

use super::{
    bell::{Order, Report, Ringing, Shared, lock},
    call_tone::CallTone,
    message::Message,
    output::Output,
    pattern::pattern,
    program::{Cue, News},
};

/// Between two tries to open a device.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two looks at whether the device still takes sound.
const LOOK: Duration = Duration::from_millis(500);
/// A recording that ends so long before its header says was cut off.
const SHORT: Duration = Duration::from_millis(100);

/// Follows `orders` until one closes the bell.
pub(super) fn keep(orders: &Receiver<Order>, news: Sender<Order>, shared: &Mutex<Shared>, report: &dyn Fn(Report)) {
    let _word = LastWord { shared, report };
    let mut keeper = Keeper {
        report,
        shared,
        news,
        output: None,
        outputs: 0,
        next_try: Instant::now(),
        ringing: Vec::new(),
        sounded: BTreeSet::new(),
        gain: 0.0,
        call: None,
        playing: None,
        messages: 0,
        told: None,
    };
    loop {
        keeper.look_after_output();
        match orders.recv_timeout(keeper.patience()) {
            Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(order) => keeper.follow(order),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

struct Keeper<'a> {
    report: &'a dyn Fn(Report),
    shared: &'a Mutex<Shared>,
    news: Sender<Order>,
    output: Option<Output>,
    /// How many were opened: the number of the newest.
    outputs: u64,
    next_try: Instant,
    ringing: Vec<Ringing>,
    /// Those of `ringing` that have been reported.
    sounded: BTreeSet<RequestId>,
    /// How loud the alert is that rings.
    gain: f32,
    /// What is to be heard of a call.
    call: Option<CallTone>,
    playing: Option<Playing>,
    messages: u64,
    /// `Able` or `Unable`, as last reported.
    told: Option<Report>,
}

/// The message in hand.
struct Playing {
    request_id: RequestId,
    number: u64,
    duration: Duration,
    at: Duration,
}

impl Keeper<'_> {
    fn follow(&mut self, order: Order) {
        match order {
            Order::Ring(ringing) => self.ring(ringing),
            Order::Call(tone) if tone != self.call => {
                self.call = tone;
                self.begin_call();
            }
            Order::Settings => self.settings(),
            Order::Test(priority) => {
                let gain = lock(self.shared).gain(priority);
                self.cue(|rate| Cue::Once { pattern: pattern(priority, rate), gain });
            }
            Order::Play(request_id, wav) => self.play(request_id, wav),
            Order::Stop => {
                self.cue(|_| Cue::Stop);
                self.end_message(None);
            }
            // A device that was closed may have said something before.
            Order::News(number, news) if self.output.as_ref().is_some_and(|output| output.number == number) => {
                self.hear(news);
            }
            Order::Call(_) | Order::News(..) | Order::Close => {}
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Sounding(requests) => {
                for request_id in requests {
                    // It may have been accepted since.
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
            News::Lost(why) => self.lose(why),
        }
    }

    /// Opens the device when it is time to, closes one that is of no use.
    fn look_after_output(&mut self) {
        if let Some(why) = self.output.as_mut().and_then(Output::fault) {
            self.lose(why);
        }
        if self.output.is_some() || Instant::now() < self.next_try {
            return;
        }
        self.outputs += 1;
        match Output::open(self.outputs, &self.news) {
            Ok(output) => {
                self.output = Some(output);
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

    fn lose(&mut self, why: String) {
        // What was lost may be back at once (the sound server was started anew); what never came is not hurried.
        let pause = if self.output.take().is_some() { LOOK } else { AGAIN };
        self.next_try = Instant::now() + pause;
        self.end_message(Some(why.clone()));
        lock(self.shared).trouble = Some(why);
        self.tell_ability();
    }

    fn patience(&self) -> Duration {
        if self.output.is_some() { LOOK } else { self.next_try.saturating_duration_since(Instant::now()) }
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
        let gain = lock(self.shared).gain(priority);
        self.gain = gain;
        let requests = self.ringing.iter().map(|one| one.request_id).filter(|id| !self.sounded.contains(id)).collect();
        self.cue(|rate| Cue::Ring { pattern: pattern(priority, rate), gain, requests });
    }

    fn begin_call(&mut self) {
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
            // Heard at once, not after the pause it may be in.
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

    fn cue(&self, cue: impl FnOnce(u32) -> Cue) {
        if let Some(output) = &self.output {
            output.cue(cue(output.rate));
        }
    }

    /// Reports whether anything can be heard, when that has changed.
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

/// Says that all is silent from now on, should the thread fail.
struct LastWord<'a> {
    shared: &'a Mutex<Shared>,
    report: &'a dyn Fn(Report),
}

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "The sound has failed; start the app anew.".to_owned();
            lock(self.shared).trouble = Some(why.clone());
            (self.report)(Report::Unable { why });
        }
    }
}

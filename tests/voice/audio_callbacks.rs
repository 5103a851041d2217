//! Device callbacks allocate and free no memory: every allocation of the thread is counted.
//!
//! The callbacks are the real ones; only the device is simulated.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    num::NonZero,
    thread,
    time::Duration,
};

use crewbell_shared::{ids::RequestId, request::Priority};
use crewbell_voice::{
    audio::{
        AudioEngine, BLOCK, Direction, Options,
        device::{ClockedDevice, ClockedDevices, Wake, capture, playback},
    },
    sounds::{CallTone, Rehearsal},
};
use uuid::Uuid;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // The counter of a thread that is ending is already gone.
    let _ended = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

#[expect(unsafe_code, reason = "an allocator can't be written without")]
// SAFETY: every call is forwarded unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the number of allocations and frees during `work`.
fn allocations(work: impl FnOnce()) -> usize {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

#[test]
fn counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1_u8; 100]))) >= 2);
}

#[test]
fn microphone_and_loudspeaker_threads_allocate_nothing() {
    let mut late = (0, 0);
    for (rate, channels, period) in [(48_000, 1, 480_usize), (44_100, 2, 441), (16_000, 6, 37), (96_000, 2, 4_096)] {
        let wake = Wake::default();
        let (mut capturing, mut source) = capture(rate, channels, &wake).unwrap();
        let (mut playing, mut sink) = playback(rate, channels, u32::try_from(period).unwrap(), &wake).unwrap();
        let length = period * usize::from(channels);
        let (heard, mut played, mut integers) = (vec![0.1_f32; length], vec![0.0_f32; length], vec![0_i16; length]);
        let mut block = [0.2; BLOCK];
        for round in 0..300 {
            // At times the engine is late: the ring is full, and the loudspeaker gets nothing.
            if round % 100 < 60 {
                while source.pull(&mut block) {}
                while sink.played(&mut block) {}
                while sink.wants() {
                    sink.push(&block);
                }
            }
            let calls = allocations(|| {
                capturing.take(&heard, Duration::from_millis(10));
                playing.fill(&mut played, Duration::from_millis(10));
                playing.fill(&mut integers, Duration::from_millis(10));
            });
            assert_eq!(calls, 0, "{rate} Hz, round {round}");
        }
        late = (late.0 + source.overruns(), late.1 + sink.underruns());
    }
    assert!(late.0 > 0 && late.1 > 0, "nothing was late: {late:?}");
}

/// A second of a recording in the server's format: WAV, 16 kHz, 16 bits, mono.
fn wav() -> Vec<u8> {
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36_u32 + 32_000).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    wav.extend([16_000_u32, 32_000].map(u32::to_le_bytes).concat());
    wav.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend(32_000_u32.to_le_bytes());
    wav.resize(wav.len() + 32_000, 7);
    wav
}

#[test]
fn what_the_bell_s_device_pulls_allocates_nothing_whatever_rings_ends_or_is_told() {
    for rate in [16_000, 44_100, 48_000] {
        let mut bell = Rehearsal::new(NonZero::new(rate).unwrap());
        let mut samples = vec![0.0_f32; usize::try_from(rate / 50).unwrap()];
        let (mut told, mut loud) = (0, false);
        for round in 0..1_500_u32 {
            // Each sound begins while another plays, is replaced, and ends by itself or is stopped.
            let id = RequestId(Uuid::from_u128(u128::from(round)));
            match round % 150 {
                0 => bell.call(Some(CallTone::Busy)),
                5 | 70 | 75 | 85 => bell.play(wav()).unwrap(),
                20 => bell.test(Priority::High),
                25 | 40 => bell.test(Priority::Low),
                30 => bell.ring(Priority::Normal, id),
                31 => bell.ring(Priority::Emergency, id),
                45 => bell.call(Some(CallTone::Ring)),
                60 | 101 => bell.quiet(),
                80 => bell.stop(),
                90 => bell.call(None),
                100 => bell.ring(Priority::Low, id),
                _ => {}
            }
            let calls = allocations(|| bell.pull(&mut samples));
            assert_eq!(calls, 0, "{rate} Hz, round {round}");
            loud |= samples.iter().any(|sample| sample.abs() > 0.1);
            told += bell.tidy();
        }
        assert!(loud && told > 50, "nothing was heard: {told}");
    }
}

#[test]
fn waking_the_engine_allocates_nothing() {
    let devices = ClockedDevices::default();
    devices.plug(Direction::Input, "microphone", ClockedDevice::default());
    devices.plug(Direction::Output, "speaker", ClockedDevice::default());
    let (sender, packets) = std::sync::mpsc::channel();
    let engine =
        AudioEngine::start(&Options::default(), devices.clone(), move |packet| drop(sender.send(packet)), |_| ())
            .unwrap();
    // The devices' time is simulated, the engine's is real.
    let mut now = Duration::ZERO;
    let packet = loop {
        now += Duration::from_millis(10);
        devices.say(&[0.1; BLOCK]);
        devices.advance(now);
        match packets.recv_timeout(Duration::from_millis(10)) {
            Ok(packet) => break packet,
            Err(_) => assert!(now < Duration::from_mins(1), "no packet in a minute"),
        }
    };
    assert!(!packet.payload.is_empty());
    drop(engine);

    let parked = thread::spawn(thread::park);
    let calls = allocations(|| parked.thread().unpark());
    assert_eq!(calls, 0);
    parked.join().unwrap();
}

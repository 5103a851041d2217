//! Shared set-up of the property tests for all external input (device messages, MQTT, live frames): the number of
//! cases, and random bytes. `cargo xtask fuzz` runs them for longer.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed};

/// Returns a proptest configuration with `cases` cases from a fixed seed. `CREWBELL_FUZZ_CASES=1000000` runs that many
/// instead, with a random seed.
pub fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("CREWBELL_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    let usual =
        ProptestConfig { failure_persistence: None, rng_algorithm: RngAlgorithm::ChaCha, ..ProptestConfig::default() };
    match asked {
        Some(cases) => ProptestConfig { cases, ..usual },
        None => ProptestConfig { cases, rng_seed: RngSeed::Fixed(1), ..usual },
    }
}

/// Generates random bytes, and sequences of JSON fragments.
pub fn noise() -> impl Strategy<Value = Vec<u8>> {
    noise_with(&[])
}

/// Generates the same, with additional fragments that are meaningful to the parser under test.
pub fn noise_with(more: &[&'static str]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let pieces = [
        more,
        &[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "'",
            "\\",
            "\\u",
            "\\ud83d",
            "\0",
            "\n",
            " ",
            "nan",
            "-",
            "0",
            "1",
            "87",
            ".",
            "e",
            "true",
            "null",
            "\"kind\"",
            "\"single\"",
            "\"button\"",
            "\"pressType\"",
            "\"shake\"",
            "\"action\"",
            "é",
            "\u{feff}",
        ],
    ]
    .concat();
    let pieces = proptest::sample::select(pieces);
    let pieces = proptest::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat().into_bytes());
    let begun = pieces.clone().prop_map(|bytes| [b"{".to_vec(), bytes].concat());
    prop_oneof![2 => pieces, 3 => begun, 1 => proptest::collection::vec(any::<u8>(), 0..200)]
}

//! What the property tests of all that comes from outside have in common (devices' messages, MQTT, live frames): how many
//! cases, and bytes that nobody meant. `cargo xtask fuzz` runs them for long.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed};

/// So many cases, always the same ones. `CREWBELL_FUZZ_CASES=1000000` runs that many instead, others each time.
pub fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("CREWBELL_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    let usual =
        ProptestConfig { failure_persistence: None, rng_algorithm: RngAlgorithm::ChaCha, ..ProptestConfig::default() };
    match asked {
        Some(cases) => ProptestConfig { cases, ..usual },
        None => ProptestConfig { cases, rng_seed: RngSeed::Fixed(1), ..usual },
    }
}

/// Bytes of all sorts: any at all, and such as JSON is made of.
pub fn noise() -> impl Strategy<Value = Vec<u8>> {
    noise_with(&[])
}

/// The same, with pieces that mean something to whoever reads it.
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

//! Tests that every text meets the WCAG AA contrast of 4.5 to 1 against its background, in every theme.

use std::collections::BTreeMap;

const TOKENS: &str = include_str!("tokens.css");

/// Text colours, each with the background colours that it appears on.
const PAIRS: &[(&str, &[&str])] = &[
    ("ink", &["paper", "card", "quiet-bg", "alarm-bg", "info-bg", "mine-bg"]),
    ("ink-soft", &["paper", "card", "quiet-bg", "alarm-bg", "mine-bg"]),
    ("ink-faint", &["paper", "card"]),
    ("rail-ink", &["rail"]),
    ("brand-ink", &["brand"]),
    ("card", &["alarm", "mine", "wait"]),
    ("wait", &["wait-bg", "card", "paper"]),
    ("mine", &["mine-bg", "card", "paper"]),
    ("alarm", &["alarm-bg", "card", "paper", "mine-bg"]),
    ("quiet", &["quiet-bg", "card"]),
    ("info", &["info-bg", "card", "alarm-bg"]),
];

/// Parses the colours of a theme by name, from the block after the selector.
fn colours(selector: &str) -> BTreeMap<&'static str, [f64; 3]> {
    let start = TOKENS.find(selector).unwrap();
    let block = TOKENS[start..].split('}').next().unwrap();
    let lines = block.lines().filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": #"));
    lines.filter(|(_, value)| value.len() == 6).map(|(name, value)| (name, channels(value))).collect()
}

fn channels(hex: &str) -> [f64; 3] {
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0)
}

/// The relative luminance of WCAG 2.
fn luminance(colour: [f64; 3]) -> f64 {
    let [r, g, b] = colour.map(|part| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_can_be_read_on_its_ground_in_every_theme() {
    for theme in [":root", "[data-theme=\"dark\"]", "[data-theme=\"night\"]"] {
        let colours = colours(theme);
        for (text, grounds) in PAIRS {
            for ground in *grounds {
                let found = contrast(colours[text], colours[ground]);
                assert!(found >= 4.5, "{theme}: {text} on {ground} has {found:.2}");
            }
        }
    }
}

#[test]
fn nothing_at_night_is_any_colour_but_red() {
    for (name, [red, green, blue]) in colours("[data-theme=\"night\"]") {
        assert!(green <= red * 0.5 && blue <= red * 0.5, "{name}");
    }
}

//! The icons: line drawings on a grid of 24, in one SVG sprite that the page contains once.

use leptos::prelude::*;

macro_rules! icons {
    ($($icon:ident = $id:literal: $lines:literal),+ $(,)?) => {
        /// An icon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum IconName { $($icon),+ }

        impl IconName {
            fn id(self) -> &'static str {
                match self { $(Self::$icon => concat!("#i-", $id)),+ }
            }
        }

        const SPRITE: &str = concat!(
            $("<symbol id=\"i-", $id, "\" viewBox=\"0 0 24 24\">", $lines, "</symbol>"),+
        );
    };
}

icons! {
    Bell = "bell": r#"<path d="M6 17h12l-1.5-2v-4a4.5 4.5 0 0 0-9 0v4zM10 20a2 2 0 0 0 4 0M12 4v2"/>"#,
    BellOff = "bell-off": r#"<path d="M7.5 12v3L6 17h11M9 7.600A4.5 4.5 0 0 1 16.5 11v3M10 20a2 2 0 0 0 4 0M4 4l16 16"/>"#,
    Alarm = "alarm": r#"<path d="M12 4 21 20H3zM12 10v4M12 17v.01"/>"#,
    Microphone = "mic": r#"<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5 11a7 7 0 0 0 14 0M12 18v3"/>"#,
    Cup = "cup": r#"<path d="M5 8h11v6a5 5 0 0 1-5 5h-1a5 5 0 0 1-5-5zM16 9h2a2.5 2.5 0 0 1 0 5h-2M9 3v2M12 3v2"/>"#,
    Plate = "plate": r#"<path d="M3 17h18M5 17a7 7 0 0 1 14 0M12 8V7M7 20h10"/>"#,
    Lamp = "lamp": r#"<path d="M9 17h6M10 20h4M8.5 14a5 5 0 1 1 7 0c-.7.6-.9 1.5-1 3h-5c-.1-1.5-.3-2.4-1-3"/>"#,
    Moon = "moon": r#"<path d="M20 14.500A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.500z"/>"#,
    Star = "star": r#"<path d="m12 4 2.3 5 5.2.6-3.9 3.6 1.1 5.3-4.7-2.7-4.7 2.7 1.1-5.300L4.5 9.6 9.7 9z"/>"#,
    Log = "log": r#"<path d="M5 6h14M5 12h14M5 18h9"/>"#,
    People = "people": r#"<path d="M3 20v-1a5 5 0 0 1 5-5h2a5 5 0 0 1 5 5v1M15 14a5 5 0 0 1 6 5v1"/><circle cx="9" cy="8" r="3.5"/><path d="M15.5 5a3.5 3.5 0 0 1 0 6"/>"#,
    Guest = "guest": r#"<circle cx="12" cy="8" r="4"/><path d="M5 20v-1a6 6 0 0 1 6-5h2a6 6 0 0 1 6 5v1"/>"#,
    Button = "button": r#"<rect x="4" y="4" width="16" height="16" rx="4"/><circle cx="12" cy="12" r="3.5"/>"#,
    Place = "place": r#"<path d="M6 20V5.500L15 4v16M4 20h16M15 8h3v12M11.5 12v1"/>"#,
    Settings = "settings": r#"<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>"#,
    Outbox = "outbox": r#"<path d="M4 14v5h16v-5h-5l-1 2h-4l-1-2zM12 12V4M8.5 7.5 12 4l3.5 3.5"/>"#,
    More = "more": r#"<path d="M5 12h.01M12 12h.01M19 12h.01"/>"#,
    Plus = "plus": r#"<path d="M12 5v14M5 12h14"/>"#,
    Check = "check": r#"<path d="m5 12.5 4.5 4.500L19 7.5"/>"#,
    Cross = "cross": r#"<path d="M6 6l12 12M18 6 6 18"/>"#,
    Back = "back": r#"<path d="M10 6l-6 6 6 6M4 12h16"/>"#,
    Forward = "forward": r#"<path d="m9 6 6 6-6 6"/>"#,
    Down = "down": r#"<path d="m6 9 6 6 6-6"/>"#,
    Search = "search": r#"<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5 5"/>"#,
    Pen = "pen": r#"<path d="M4 20h4L19 9l-4-4L4 16zM13 7l4 4"/>"#,
    Clock = "clock": r#"<circle cx="12" cy="12" r="8"/><path d="M12 7v5l3 2"/>"#,
    Play = "play": r#"<path d="M7 5v14l12-7z"/>"#,
    Stop = "stop": r#"<path d="M7 7h10v10H7z"/>"#,
    CloudOff = "cloud-off": r#"<path d="M6 11a3.5 3.5 0 0 0 1 7h9M9.5 7A6 6 0 0 1 17.5 10a4 4 0 0 1 2.5 6.500M4 4l16 16"/>"#,
    Battery = "battery": r#"<rect x="3" y="8" width="15" height="8" rx="2"/><path d="M21 11v2M6 11v2"/>"#,
    Signal = "signal": r#"<path d="M5 19v-3M10 19v-6M15 19V9M20 19V5"/>"#,
    Sun = "sun": r#"<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.400M18.4 5.6 17 7M7 17l-1.4 1.4"/>"#,
    Sound = "sound": r#"<path d="M4 10v4h3l5 4V6L7 10zM16 9a4 4 0 0 1 0 6M18.5 6.500a8 8 0 0 1 0 11"/>"#,
    SoundOff = "sound-off": r#"<path d="M4 10v4h3l5 4V6L7 10zM16 10l4 4M20 10l-4 4"/>"#,
    Key = "key": r#"<circle cx="8" cy="15" r="4"/><path d="m11 12 8-8M16 7l3 3M14 9l2 2"/>"#,
    Leave = "leave": r#"<path d="M10 4H5v16h5M14 8l4 4-4 4M18 12H9"/>"#,
    Hand = "hand": r#"<path d="M4 12h11M11 8l4 4-4 4M15 5h5v14h-5"/>"#,
    Undo = "undo": r#"<path d="M8 5 4 9l4 4M4 9h9a6 6 0 0 1 0 12H9"/>"#,
    Again = "again": r#"<path d="M19 8a8 8 0 1 0 1 5M20 4v5h-5"/>"#,
    Erase = "erase": r#"<path d="M9 6h11v12H9l-6-6zM12 10l4 4M16 10l-4 4"/>"#,
    Camera = "camera": r#"<path d="M4 8h3l2-3h6l2 3h3v11H4z"/><circle cx="12" cy="13" r="3.5"/>"#,
    Download = "download": r#"<path d="M12 4v11M8 11l4 4 4-4M5 20h14"/>"#,
    Filter = "filter": r#"<path d="M4 6h16M7 12h10M10 18h4"/>"#,
    Phone = "phone": r#"<path d="M5 4h4l2 5-2.500 1.500a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2z"/>"#,
    PhoneDown = "phone-down": r#"<path d="M3 15.500v-2c5-4.700 13-4.700 18 0v2a1 1 0 0 1-1 1h-3.500l-1-3.500a13 13 0 0 0-7 0l-1 3.500H4a1 1 0 0 1-1-1z"/>"#,
    PhoneIn = "phone-in": r#"<path d="M19 5 7 17M7 8v9h9"/>"#,
    PhoneOut = "phone-out": r#"<path d="M6 18 18 6M9 6h9v9"/>"#,
    PhoneMissed = "phone-missed": r#"<path d="m4 7 8 8 8-8M4 13V7h6"/>"#,
    MicrophoneOff = "mic-off": r#"<path d="M9 9V6a3 3 0 0 1 6 0v5M9 9v2a3 3 0 0 0 4.500 2.600M5 11a7 7 0 0 0 11 5.700M19 11a7 7 0 0 1-.6 2.800M12 18v3M4 3l17 17"/>"#,
    Note = "note": r#"<path d="M5 4h14v11l-5 5H5zM14 20v-5h5M9 9h6M9 12.500h3"/>"#,
}

/// The sprite with all icons; rendered once, at the page's root.
#[component]
pub fn Sprite() -> impl IntoView {
    view! { <svg class="sprite" aria-hidden="true" inner_html=SPRITE></svg> }
}

/// An icon beside a text; hidden from screen readers.
#[component]
pub fn Icon(of: IconName) -> impl IntoView {
    view! { <svg class="icon" aria-hidden="true"><use href=of.id()></use></svg> }
}

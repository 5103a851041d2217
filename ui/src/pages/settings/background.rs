//! Alerts while the app is in the background: what each platform allows.

use leptos::prelude::*;

use super::Part;
use crate::bridge::page;
use crate::components::{Chip, Icon, IconName, Tone};
use crate::locales::{Text, words};

/// The platforms that differ in background behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Platform {
    Desktop,
    Android,
    Ios,
}

impl Platform {
    const ALL: [Self; 3] = [Self::Desktop, Self::Android, Self::Ios];

    /// Detects the platform by the user agent. An iPad reports a Macintosh, but a Macintosh has no touch points.
    fn of(agent: &str, touch_points: i32) -> Self {
        let is_apple_touch = agent.contains("Macintosh") && touch_points > 1;
        if agent.contains("Android") {
            Self::Android
        } else if is_apple_touch || ["iPhone", "iPad", "iPod"].iter().any(|name| agent.contains(name)) {
            Self::Ios
        } else {
            Self::Desktop
        }
    }

    fn words(self) -> (Text, Text) {
        let w = &words().settings;
        match self {
            Self::Desktop => (w.on_desktop, w.on_desktop_text),
            Self::Android => (w.on_android, w.on_android_text),
            Self::Ios => (w.on_ios, w.on_ios_text),
        }
    }
}

/// The section about alerts in the background.
#[component]
pub fn Background() -> impl IntoView {
    let w = &words().settings;
    let (agent, touch_points) = page::user_agent();
    let here = Platform::of(&agent, touch_points);
    let one = move |platform: Platform| {
        let (name, text) = platform.words();
        let is_here = platform == here;
        view! {
            <dt>{name}{is_here.then(|| view! { <Chip text=w.this_device tone=Tone::Info/> })}</dt>
            <dd>{text}</dd>
        }
    };
    // The platform of this device comes first.
    let mut platforms = Platform::ALL;
    platforms.sort_by_key(|platform| *platform != here);
    view! {
        <Part title=w.background icon=IconName::Moon>
            <p class="consequence"><Icon of=IconName::Alarm/><span><b>{w.background_lead}</b>" "{w.background_carry}</span></p>
            <dl class="platforms">{platforms.map(one)}</dl>
            <h3>{w.keep_screen}</h3>
            <p class="hint">{w.keep_screen_text}</p>
        </Part>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_known_by_what_its_web_view_says() {
        let agents = [
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko)", 0, Platform::Desktop),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15", 0, Platform::Desktop),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Edg/149", 10, Platform::Desktop),
            ("Mozilla/5.0 (Linux; Android 16; Pixel Tablet) AppleWebKit/537.36", 5, Platform::Android),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15", 5, Platform::Ios),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15", 5, Platform::Ios),
        ];
        for (agent, touch_points, platform) in agents {
            assert_eq!(Platform::of(agent, touch_points), platform, "{agent}");
        }
    }
}

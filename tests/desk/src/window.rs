//! What a person does to a window, and sees in it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    click::look,
    driver::call,
    process::{children, end_all},
    until,
};

/// The key under which the protocol hands out an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How the driver says that an element is no longer on the page (W3C `WebDriver`, 6.6).
const GONE: &str = "stale element reference";

/// The arrow down, for `keys`.
pub const DOWN: &str = "\u{e015}";
/// The arrow up, for `keys`.
pub const UP: &str = "\u{e013}";
/// The arrow to the left, for `keys`.
pub const LEFT: &str = "\u{e012}";
/// The arrow to the right, for `keys`.
pub const RIGHT: &str = "\u{e014}";

/// Alt, for `keys_with`.
pub const ALT: &str = "\u{e00a}";
/// Control, for `keys_with`.
pub const CONTROL: &str = "\u{e009}";

/// Says that it is done when the page has been drawn some times. A page is there before it is drawn
/// for the first time, and would be white on the picture.
const AFTER_SOME_FRAMES: &str = "
    const done = arguments[arguments.length - 1];
    let frames = 10;
    const drawn = () => frames-- > 0 ? requestAnimationFrame(drawn) : done(null);
    drawn();";

/// How long a picture waits for a page to come to rest.
const REST: Duration = Duration::from_secs(5);

/// An app's window; the app is ended on drop.
#[derive(Debug)]
pub struct Window {
    port: u16,
    session: String,
    driver: u32,
}

impl Window {
    pub(crate) fn new(port: u16, id: &str, driver: u32) -> Self {
        Self { port, session: format!("/session/{id}"), driver }
    }

    /// Presses the first element that `selector` (CSS) names, as soon as it can be pressed.
    ///
    /// # Errors
    /// When it can't be pressed in time; the message says why.
    pub fn press(&self, selector: &str) -> Result<()> {
        self.press_found(selector, &first(selector))
    }

    /// Presses what `found`, an expression in the page, finds, as soon as that can be pressed: displayed, enabled, at rest,
    /// and covered by nothing. `what` is what the test calls it.
    ///
    /// # Errors
    /// When it can't be pressed in time; the message says why.
    pub fn press_found(&self, what: &str, found: &str) -> Result<()> {
        self.once_ready(what, found, |element| self.click(element))
    }

    /// Presses the first element that `selector` names, if it can be pressed now; says whether it was. Never at the first
    /// look: whether something moves is known at the second.
    ///
    /// # Errors
    /// When the driver is gone.
    pub fn press_now(&self, selector: &str) -> Result<bool> {
        match self.ready(&first(selector))? {
            Ok(element) => Ok(self.click(&element).is_ok()),
            Err(_) => Ok(false),
        }
    }

    /// Types into the first element that `selector` names, as soon as it could be clicked.
    ///
    /// # Errors
    /// When it can't be typed into in time; the message says why.
    pub fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        self.once_ready(selector, &first(selector), |element| self.type_at(element, text))
    }

    /// Chooses a file in the first element that `selector` names, as soon as it is there: pages hide such fields, and show a
    /// button of their own.
    ///
    /// # Errors
    /// When it doesn't come, or takes no file.
    pub fn choose_file(&self, selector: &str, file: &Path) -> Result<()> {
        let mut last = None;
        let chosen = until(selector, || {
            let Some(element) = self.find(selector) else { return Ok(None) };
            Ok(self.type_at(&element, &file.display().to_string()).map_err(|error| last = Some(error)).ok())
        });
        chosen.map(drop).with_context(|| format!("{selector} takes no file: {last:?}"))
    }

    /// Presses keys, one after the other, as if on the keyboard: they go to what has the focus. Keys without a letter
    /// stand as in the protocol (W3C `WebDriver`, 17.4.2): [`DOWN`], [`UP`], [`LEFT`],
    /// [`RIGHT`].
    ///
    /// # Errors
    /// When the driver doesn't.
    pub fn keys(&self, keys: &str) -> Result<()> {
        let presses = keys
            .chars()
            .flat_map(|key| [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]);
        let actions = json!([{ "type": "key", "id": "keyboard", "actions": presses.collect::<Vec<_>>() }]);
        self.post("/actions", &json!({ "actions": actions }))?;
        Ok(())
    }

    /// Presses a key while another ([`ALT`], [`CONTROL`]) is held.
    ///
    /// # Errors
    /// When the driver doesn't.
    pub fn keys_with(&self, held: &str, key: &str) -> Result<()> {
        let strokes = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)];
        let strokes: Vec<Value> = strokes.iter().map(|(what, key)| json!({ "type": what, "value": key })).collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }))?;
        Ok(())
    }

    /// Presses a key and holds it, until [`Window::let_go_key`].
    ///
    /// # Errors
    /// When the driver doesn't.
    pub fn hold_key(&self, key: &str) -> Result<()> {
        let down = json!([{ "type": "keyDown", "value": key }]);
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": down }] }))?;
        Ok(())
    }

    /// Presses the first element that `selector` names with the pointer, as soon as it can be pressed, and holds it until
    /// [`Window::let_go`].
    ///
    /// # Errors
    /// When it can't be pressed in time; the message says why.
    pub fn hold(&self, selector: &str) -> Result<()> {
        self.once_ready(selector, &first(selector), |element| {
            let actions = json!([
                { "type": "pointerMove", "origin": { ELEMENT: element }, "x": 0, "y": 0 },
                { "type": "pointerDown", "button": 0 },
            ]);
            let pointer = json!({ "type": "pointer", "id": "mouse", "actions": actions });
            self.post("/actions", &json!({ "actions": [pointer] }))
        })
    }

    /// Lets go of a key that is held.
    ///
    /// # Errors
    /// When the driver doesn't.
    pub fn let_go_key(&self, key: &str) -> Result<()> {
        let up = json!([{ "type": "keyUp", "value": key }]);
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": up }] }))?;
        Ok(())
    }

    /// Lets go of what the pointer holds.
    ///
    /// # Errors
    /// When the driver doesn't.
    pub fn let_go(&self) -> Result<()> {
        let up = json!([{ "type": "pointerUp", "button": 0 }]);
        self.post("/actions", &json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": up }] }))?;
        Ok(())
    }

    /// Waits until the first element that `selector` names shows a text that `fits`, and returns it.
    ///
    /// # Errors
    /// When it doesn't in time; the message says what it showed last.
    pub fn wait_for_text(&self, selector: &str, fits: impl Fn(&str) -> bool) -> Result<String> {
        let mut last = None;
        let found = until(selector, || {
            // An element can be replaced between its being found and read.
            last = self.text(selector).ok().flatten();
            Ok(last.clone().filter(|text| fits(text)))
        });
        found.with_context(|| format!("{selector} shows {last:?}"))
    }

    /// Runs a script in the page and returns what it returns.
    ///
    /// # Errors
    /// When it throws.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs a script in the page and returns what it calls its last argument with.
    ///
    /// # Errors
    /// When it throws, or never does.
    pub fn run_until_done(&self, script: &str) -> Result<Value> {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Makes the window so many pixels large.
    ///
    /// # Errors
    /// When the driver or the window manager doesn't.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.post("/window/rect", &json!({ "x": 0, "y": 0, "width": width, "height": height }))?;
        let script = "return window.innerWidth";
        until("the window's size", || Ok((self.run(script)?.as_u64() == Some(u64::from(width))).then_some(())))
    }

    fn picture(&self) -> Result<Value> {
        call(self.port, "GET", &format!("{}/screenshot", self.session), &json!({}))
    }

    /// Puts the window away, so that nobody looks at it.
    ///
    /// # Errors
    /// When the driver or the window manager doesn't.
    pub fn minimize(&self) -> Result<()> {
        self.post("/window/minimize", &json!({}))?;
        Ok(())
    }

    /// Takes a picture of the page to `target/shots/NAME.png`, for a person to look at: once what is in
    /// the page has been drawn, and nothing moves any more, or 5 seconds have passed.
    ///
    /// # Errors
    /// When it can't be taken or written.
    pub fn shoot(&self, name: &str) -> Result<PathBuf> {
        self.post("/execute/async", &json!({ "script": AFTER_SOME_FRAMES, "args": [] }))?;
        let began = Instant::now();
        let mut picture = self.picture()?;
        // Meters and clocks never rest.
        while began.elapsed() < REST {
            let next = self.picture()?;
            if next == picture {
                break;
            }
            picture = next;
        }
        let picture = STANDARD.decode(picture.as_str().context("the driver gave no picture")?)?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/shots");
        fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, picture)?;
        Ok(file)
    }

    /// Ends the app as a dead battery does: by a signal that it can't heed.
    pub fn kill(self) {
        end_all(self.driver);
    }

    /// What the first element that `selector` names shows; `None` when there is none now.
    fn text(&self, selector: &str) -> Result<Option<String>> {
        let Some(element) = self.find(selector) else {
            return Ok(None);
        };
        let text = call(self.port, "GET", &format!("{}/element/{element}/text", self.session), &json!({}));
        Ok(unless_gone(text)?.and_then(|text| text.as_str().map(str::to_owned)))
    }

    /// Does something to what an expression finds, as soon as it can be clicked. Does it again when the driver says no: a
    /// page draws an element anew, or covers it, between its being looked at and clicked.
    fn once_ready(&self, what: &str, found: &str, act: impl Fn(&str) -> Result<Value>) -> Result<()> {
        let mut why = "it was never looked at".to_owned();
        let done = until(&format!("{what} to be pressed"), || match self.ready(found)? {
            Ok(element) => Ok(act(&element).map_err(|error| why = format!("{error:#}")).ok()),
            Err(not_yet) => {
                why = not_yet;
                Ok(None)
            }
        });
        done.map(drop).with_context(|| format!("{what} can't be pressed: {why}"))
    }

    /// What an expression finds, if it can be clicked now; in words why it can't otherwise.
    fn ready(&self, found: &str) -> Result<std::result::Result<String, String>> {
        let Some(seen) = unless_gone(self.run(&look(found)))? else {
            return Ok(Err("it went while it was looked at".to_owned()));
        };
        if let Some(element) = seen[ELEMENT].as_str() {
            return Ok(Ok(element.to_owned()));
        }
        Ok(Err(seen.as_str().map_or_else(|| seen.to_string(), str::to_owned)))
    }

    fn click(&self, element: &str) -> Result<Value> {
        self.post(&format!("/element/{element}/click"), &json!({}))
    }

    fn type_at(&self, element: &str, text: &str) -> Result<Value> {
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }))
    }

    fn find(&self, selector: &str) -> Option<String> {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector })).ok()?;
        found[ELEMENT].as_str().map(str::to_owned)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        call(self.port, "POST", &format!("{}{path}", self.session), body)
    }
}

/// What was answered about an element; none where the page drew anew and it went meanwhile.
fn unless_gone(answer: Result<Value>) -> Result<Option<Value>> {
    match answer {
        Err(error) if error.to_string().contains(GONE) => Ok(None),
        answer => answer.map(Some),
    }
}

/// The expression for the first element that a selector names.
fn first(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}

impl Drop for Window {
    /// Returns when the app is gone: another that is opened on the same folder meanwhile would take itself for the
    /// second one, and end.
    fn drop(&mut self) {
        drop(call(self.port, "DELETE", &self.session, &json!({})));
        let gone = until("the app to end", || Ok(children(self.driver).is_empty().then_some(())));
        if gone.is_err() {
            end_all(self.driver);
        }
    }
}

//! A window under test: input to its page, and reads from it, over `WebDriver`.

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

/// The key of an element's id in `WebDriver` messages.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The `WebDriver` error for an element that is no longer on the page (W3C `WebDriver`, 6.6).
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

/// A script that completes after ten animation frames. A page is loaded before its first frame, and would be white on
/// the screenshot.
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

    /// Presses the first element that `selector` (CSS) matches, as soon as it can be pressed.
    ///
    /// # Errors
    /// Returns an error if it can't be pressed in time; the message says why.
    pub fn press(&self, selector: &str) -> Result<()> {
        self.press_found(selector, &first(selector))
    }

    /// Presses the element that `found`, a JavaScript expression, returns, as soon as it can be pressed: displayed,
    /// enabled, at rest and uncovered. `what` is the test's name for it.
    ///
    /// # Errors
    /// Returns an error if it can't be pressed in time; the message says why.
    pub fn press_found(&self, what: &str, found: &str) -> Result<()> {
        self.once_ready(what, found, |element| self.click(element))
    }

    /// Presses the first element that `selector` matches if it can be pressed now; returns whether it was pressed. The
    /// first call always returns `false`: movement is detected by comparison with the previous call.
    ///
    /// # Errors
    /// Returns an error if the driver is gone.
    pub fn press_now(&self, selector: &str) -> Result<bool> {
        match self.ready(&first(selector))? {
            Ok(element) => Ok(self.click(&element).is_ok()),
            Err(_) => Ok(false),
        }
    }

    /// Types into the first element that `selector` matches, as soon as it can be clicked.
    ///
    /// # Errors
    /// Returns an error if it can't be typed into in time; the message says why.
    pub fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        self.once_ready(selector, &first(selector), |element| self.type_at(element, text))
    }

    /// Chooses a file in the first element that `selector` matches, as soon as it exists. It needn't be displayed:
    /// pages hide file fields and show a button of their own.
    ///
    /// # Errors
    /// Returns an error if the element doesn't appear, or takes no file.
    pub fn choose_file(&self, selector: &str, file: &Path) -> Result<()> {
        let mut last = None;
        let chosen = until(selector, || {
            let Some(element) = self.find(selector) else { return Ok(None) };
            Ok(self.type_at(&element, &file.display().to_string()).map_err(|error| last = Some(error)).ok())
        });
        chosen.map(drop).with_context(|| format!("{selector} takes no file: {last:?}"))
    }

    /// Types keys one after the other into the focused element. Keys without a character are given by the protocol's
    /// code points (W3C `WebDriver`, 17.4.2): [`DOWN`], [`UP`], [`LEFT`], [`RIGHT`].
    ///
    /// # Errors
    /// Returns an error if the driver refuses.
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
    /// Returns an error if the driver refuses.
    pub fn keys_with(&self, held: &str, key: &str) -> Result<()> {
        let strokes = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)];
        let strokes: Vec<Value> = strokes.iter().map(|(what, key)| json!({ "type": what, "value": key })).collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }))?;
        Ok(())
    }

    /// Presses a key and holds it until [`Window::let_go_key`].
    ///
    /// # Errors
    /// Returns an error if the driver refuses.
    pub fn hold_key(&self, key: &str) -> Result<()> {
        let down = json!([{ "type": "keyDown", "value": key }]);
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": down }] }))?;
        Ok(())
    }

    /// Presses the pointer on the first element that `selector` matches, as soon as it can be pressed, and holds it
    /// until [`Window::let_go`].
    ///
    /// # Errors
    /// Returns an error if it can't be pressed in time; the message says why.
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

    /// Releases a key that is held.
    ///
    /// # Errors
    /// Returns an error if the driver refuses.
    pub fn let_go_key(&self, key: &str) -> Result<()> {
        let up = json!([{ "type": "keyUp", "value": key }]);
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": up }] }))?;
        Ok(())
    }

    /// Releases the pointer.
    ///
    /// # Errors
    /// Returns an error if the driver refuses.
    pub fn let_go(&self) -> Result<()> {
        let up = json!([{ "type": "pointerUp", "button": 0 }]);
        self.post("/actions", &json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": up }] }))?;
        Ok(())
    }

    /// Waits until the first element that `selector` matches shows a text that `fits`, and returns the text.
    ///
    /// # Errors
    /// Returns an error if it doesn't in time; the message holds the last text.
    pub fn wait_for_text(&self, selector: &str, fits: impl Fn(&str) -> bool) -> Result<String> {
        let mut last = None;
        let found = until(selector, || {
            // The page can replace an element between its being found and read.
            last = self.text(selector).ok().flatten();
            Ok(last.clone().filter(|text| fits(text)))
        });
        found.with_context(|| format!("{selector} shows {last:?}"))
    }

    /// Runs a script in the page and returns its return value.
    ///
    /// # Errors
    /// Returns an error if the script throws.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs an asynchronous script in the page and returns the value that it passes to its callback, the last argument.
    ///
    /// # Errors
    /// Returns an error if the script throws, or never calls back.
    pub fn run_until_done(&self, script: &str) -> Result<Value> {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Resizes the window to a size in pixels.
    ///
    /// # Errors
    /// Returns an error if the driver or the window manager refuses.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.post("/window/rect", &json!({ "x": 0, "y": 0, "width": width, "height": height }))?;
        let script = "return window.innerWidth";
        until("the window's size", || Ok((self.run(script)?.as_u64() == Some(u64::from(width))).then_some(())))
    }

    fn picture(&self) -> Result<Value> {
        call(self.port, "GET", &format!("{}/screenshot", self.session), &json!({}))
    }

    /// Minimises the window.
    ///
    /// # Errors
    /// Returns an error if the driver or the window manager refuses.
    pub fn minimize(&self) -> Result<()> {
        self.post("/window/minimize", &json!({}))?;
        Ok(())
    }

    /// Saves a screenshot of the page to `target/shots/NAME.png`, once the page has been drawn and nothing moves, at
    /// most 5 seconds later.
    ///
    /// # Errors
    /// Returns an error if it can't be taken or written.
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

    /// Ends the app with SIGKILL, as a power failure would.
    pub fn kill(self) {
        end_all(self.driver);
    }

    /// Returns the text of the first element that `selector` matches; `None` if there is no such element now.
    fn text(&self, selector: &str) -> Result<Option<String>> {
        let Some(element) = self.find(selector) else {
            return Ok(None);
        };
        let text = call(self.port, "GET", &format!("{}/element/{element}/text", self.session), &json!({}));
        Ok(unless_gone(text)?.and_then(|text| text.as_str().map(str::to_owned)))
    }

    /// Runs `act` on an element as soon as it can be clicked, and again if the driver refuses: a page can redraw or
    /// cover an element between the check and the click.
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

    /// Returns an element if it can be clicked now, and otherwise the reason why not.
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

/// Turns the stale-element error into `None`: the page was redrawn and the element removed meanwhile.
fn unless_gone(answer: Result<Value>) -> Result<Option<Value>> {
    match answer {
        Err(error) if error.to_string().contains(GONE) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Returns the JavaScript expression for the first element that a selector matches.
fn first(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}

impl Drop for Window {
    /// Waits for the end of the app. A new instance on the same folder would otherwise take itself for the second
    /// instance, and exit.
    fn drop(&mut self) {
        drop(call(self.port, "DELETE", &self.session, &json!({})));
        let gone = until("the app to end", || Ok(children(self.driver).is_empty().then_some(())));
        if gone.is_err() {
            end_all(self.driver);
        }
    }
}

//! The demo with windows: the server, Siri's app, the button panel beside it, and another crew member's app for each
//! Enter.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, IsTerminal},
    path::{Path, PathBuf},
    process::Stdio,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::child::{self, Child};

/// The order in which crew members' windows open; the others follow.
const FIRST: [&str; 4] = ["Siri", "Sam", "Dana", "Mia"];

/// Poll interval for closed windows.
const LOOK: Duration = Duration::from_millis(200);

/// User input.
enum Wish {
    /// Open another crew member's window.
    Another,
    /// End the demo.
    End,
}

/// Starts everything, and runs until it is ended from the keyboard, by a signal, or by closing every crew window.
pub(super) fn play(server: &Path, app: &Path, args: &[String]) -> Result<()> {
    child::endings().thread_block()?;
    let wishes = listen();
    // Dropped in reverse order: the windows end before the server.
    let mut running = start_server(server, args)?;
    let ready = first_line(&mut running)?;
    let mut stage = Stage::new(app, &ready, args)?;
    let _panel = stage.open_panel()?;
    let mut windows = vec![stage.open_next()?.context("The demo has no crew.")?];
    tell(&ready);
    loop {
        match wishes.recv_timeout(LOOK) {
            Ok(Wish::Another) => match stage.open_next()? {
                Some(window) => windows.push(window),
                None => println!("Everybody aboard has a window."),
            },
            Ok(Wish::End) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some(status) = running.ended()? {
            bail!("the server ended ({status})");
        }
        let mut open = Vec::new();
        for mut window in windows {
            match window.child.ended()? {
                None => open.push(window),
                Some(status) if status.success() => println!("{}'s window was closed.", window.name),
                Some(status) => println!("{}'s app ended ({status}): see {}", window.name, window.log.display()),
            }
        }
        windows = open;
        if windows.is_empty() {
            println!("That was the last one.");
            break;
        }
    }
    println!("The demo ends.");
    Ok(())
}

/// Listens to the keyboard and to the signals that end the demo.
fn listen() -> Receiver<Wish> {
    let (say, wishes) = mpsc::channel();
    let keyboard = say.clone();
    thread::spawn(move || {
        // Without a keyboard it runs until a signal, or until the last window is closed.
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let wish = if line.trim().eq_ignore_ascii_case("q") { Wish::End } else { Wish::Another };
            if keyboard.send(wish).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        while child::endings().wait().is_ok() {
            if say.send(Wish::End).is_err() {
                return;
            }
        }
    });
    wishes
}

fn start_server(server: &Path, args: &[String]) -> Result<Child> {
    let mut command = child::command(server);
    command.args(["demo", "--headless", "--json"]).args(args);
    Child::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))
}

/// Reads the line that the server prints when it is ready: docs/demo.md.
fn first_line(server: &mut Child) -> Result<Value> {
    let out = server.process.stdout.take().context("the server has no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    if line.is_empty() {
        bail!("the server ended before it was ready; what it said is above");
    }
    serde_json::from_str(&line).with_context(|| format!("the server said {line:?}"))
}

/// A crew member's app.
#[derive(Debug)]
struct Window {
    name: String,
    child: Child,
    log: PathBuf,
}

/// The state for opening windows.
#[derive(Debug)]
struct Stage {
    app: PathBuf,
    http: String,
    site: String,
    /// People without a window, the next one last: names and PINs.
    waiting: Vec<(String, String)>,
    /// The data folder of the apps: beside the server's data, with a subfolder for each server address.
    folder: PathBuf,
}

impl Stage {
    fn new(app: &Path, ready: &Value, args: &[String]) -> Result<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned).context("the server's line lacks something");
        let http = text(&ready["http"])?;
        let mut waiting = Vec::new();
        for person in ready["people"].as_array().into_iter().flatten() {
            waiting.push((text(&person["name"])?, text(&person["pin"])?));
        }
        let rank = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
        waiting.sort_by_key(|(name, _)| rank(name));
        waiting.reverse();
        let port = http.rsplit(':').next().unwrap_or_default();
        let folder = data_dir(args).join("apps").join(port);
        fs::create_dir_all(&folder)?;
        Ok(Self { app: app.to_owned(), site: text(&ready["site"]["slug"])?, http, waiting, folder })
    }

    fn open_panel(&self) -> Result<Child> {
        let (log, out) = self.log("panel")?;
        let mut command = child::command(&self.app);
        command.arg("--panel").arg(format!("http://{}/demo", self.http));
        let started = Child::start(command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out));
        started.with_context(|| format!("the buttons' window; see {}", log.display()))
    }

    /// Opens the window of the next crew member; none if all have one.
    fn open_next(&mut self) -> Result<Option<Window>> {
        let first = self.waiting.iter().any(|(name, _)| name == FIRST[0]);
        let Some((name, pin)) = self.waiting.pop() else { return Ok(None) };
        let (log, out) = self.log(&name)?;
        let mut command = child::command(&self.app);
        command.arg("--data-dir").arg(self.folder.join(name.to_lowercase()));
        command.arg("--sign-in").arg(format!("http://{},{},{name},{pin}", self.http, self.site));
        if first {
            command.arg("--beside-panel");
        }
        let child = Child::start(command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out))?;
        println!("{name}'s window opens.");
        Ok(Some(Window { name, child, log }))
    }

    fn log(&self, name: &str) -> Result<(PathBuf, File)> {
        let log = self.folder.join(format!("{}.log", name.to_lowercase()));
        let out = File::create(&log).with_context(|| format!("{} can't be written", log.display()))?;
        Ok((log, out))
    }
}

/// The data folder from the server's arguments, or its default.
fn data_dir(args: &[String]) -> PathBuf {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        if word == "--data-dir" {
            return words.next().map(PathBuf::from).unwrap_or_default();
        }
        if let Some(folder) = word.strip_prefix("--data-dir=") {
            return folder.into();
        }
    }
    PathBuf::from(".crewbell/demo")
}

/// Prints the addresses and PINs.
fn tell(ready: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    println!("\n{} is at sea.", text(&ready["site"]["name"]));
    println!("  http     http://{}   (interface: /docs)", text(&ready["http"]));
    println!("  mqtt     {}", text(&ready["mqtt"]));
    println!("  buttons  http://{}/demo   (the window at the right; any browser shows it too)", text(&ready["http"]));
    let people = ready["people"].as_array().into_iter().flatten();
    let crew: Vec<_> = people.map(|person| format!("{} {}", text(&person["name"]), text(&person["pin"]))).collect();
    println!("  PINs     {}", crew.join(" · "));
    println!();
    if std::io::stdin().is_terminal() {
        println!("Press a button on board: the card comes up at Siri's.");
        println!("Enter: another crew member's window (Sam, then Dana, Mia, …); q and Enter, or Ctrl-C: the end.");
    } else {
        println!("Stop it with Ctrl-C.");
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use serde_json::json;

    use super::{Stage, data_dir};

    fn args(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_apps_keep_their_data_beside_the_servers() {
        assert_eq!(data_dir(&args("--http 127.0.0.1:0")), PathBuf::from(".crewbell/demo"));
        assert_eq!(data_dir(&args("--data-dir here --mqtt 127.0.0.1:0")), PathBuf::from("here"));
        assert_eq!(data_dir(&args("--data-dir=here")), PathBuf::from("here"));
    }

    #[test]
    fn siri_comes_first_then_sam_dana_mia_and_everybody_else() {
        let person = |name: &str| json!({ "name": name, "pin": "1" });
        let people: Vec<_> = ["Dana", "Sam", "Siri", "Mia", "Luca", "Tom"].map(person).into();
        let ready = json!({ "http": "127.0.0.1:8080", "site": { "slug": "serenity" }, "people": people });
        let folder = std::env::temp_dir().join(format!("crewbell-stage-{}", std::process::id()));
        let args = ["--data-dir".to_owned(), folder.display().to_string()];
        let mut stage = Stage::new(Path::new("crewbell"), &ready, &args).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let order: Vec<_> = std::iter::from_fn(|| stage.waiting.pop()).map(|(name, _)| name).collect();
        assert_eq!(order, ["Siri", "Sam", "Dana", "Mia", "Luca", "Tom"]);
    }
}

//! The app's frame: one instance for each folder, no external content, an audible sound.

use std::path::Path;

use anyhow::{Result, ensure};
use crewbell_desk::{Desk, Process, until};

use crate::crew::{APP, comes};

#[test]
fn nothing_from_elsewhere_gets_into_the_page() -> Result<()> {
    let desk = Desk::set_up()?;
    let window = desk.open(Path::new(APP), &[])?;
    window.wait_for_text("h1", |text| !text.is_empty())?;
    window.run(
        "window.stopped = [];
         document.addEventListener('securitypolicyviolation', event => window.stopped.push(event.effectiveDirective));
         const script = document.createElement('script');
         script.textContent = 'window.intruder = true';
         document.body.append(script);
         fetch('http://127.0.0.1:9/').catch(() => {});
         new Image().src = 'http://127.0.0.1:9/x.png';",
    )?;
    let stopped = until("the page's policy", || {
        let stopped = window.run("return window.stopped.sort()")?;
        Ok((stopped.as_array().is_some_and(|list| list.len() == 3)).then_some(stopped))
    })?;
    assert_eq!(stopped.to_string(), r#"["connect-src","img-src","script-src-elem"]"#);
    assert!(window.run("return window.intruder === undefined")?.as_bool() == Some(true));
    Ok(())
}

/// Script that adds a button to the page with an obstacle for 400 ms, and records the button's state at the click.
const IN_THE_WAY: &str = "
    const [kind] = [KIND];
    const button = document.createElement('button');
    const veil = document.createElement('div');
    const at = (what, place) => Object.assign(what.style, { position: 'fixed', zIndex: 9999, ...place });
    at(button, { left: '40px', top: '40px', width: '120px', height: '48px' });
    at(veil, { inset: '0px' });
    button.id = kind;
    const free = {
        covered: () => (document.body.append(veil), () => veil.remove()),
        disabled: () => (button.disabled = true, () => button.disabled = false),
        hidden: () => (button.style.display = 'none', () => button.style.display = ''),
        inert: () => (button.inert = true, () => button.inert = false),
        away: () => (at(button, { left: '-900px' }), () => at(button, { left: '40px' })),
        moving: () => {
            let step = 0;
            const moves = setInterval(() => at(button, { left: `${40 + 7 * (step += 1)}px` }), 10);
            return () => clearInterval(moves);
        },
        late: () => (button.remove(), () => document.body.append(button)),
    };
    let isFree = false;
    window.clicked = null;
    button.addEventListener('click', () => window.clicked ??= `${kind}: ${isFree}`);
    document.body.append(button);
    const end = free[kind]();
    setTimeout(() => { end(); isFree = true; }, 400);";

#[test]
fn a_click_waits_until_the_thing_can_be_clicked() -> Result<()> {
    let desk = Desk::set_up()?;
    let window = desk.open(Path::new(APP), &[])?;
    // Any page will do.
    window.wait_for_text("body", |text| !text.is_empty())?;
    for kind in ["covered", "disabled", "hidden", "inert", "away", "moving", "late"] {
        window.run(&IN_THE_WAY.replace("KIND", &format!("'{kind}'")))?;
        window.press(&format!("#{kind}"))?;
        let clicked = window.run("return window.clicked")?;
        assert_eq!(clicked, format!("{kind}: true").as_str(), "{kind}");
        window.run(&format!("document.getElementById('{kind}').remove()"))?;
    }
    Ok(())
}

#[test]
fn a_second_start_ends_only_where_the_first_has_the_same_folder() -> Result<()> {
    let desk = Desk::set_up()?;
    let (siri, sam) = (desk.folder("siri"), desk.folder("sam"));
    let start =
        |folder: &Path| Process::start(desk.command(Path::new(APP)).arg("--data-dir").arg(folder), &desk.folder(""));
    let mut first = start(&siri)?;
    until("the first app's window", || Ok(siri.join("webview").exists().then_some(())))?;

    let mut again = start(&siri)?;
    let status = until("the second start to end", || again.ended())?;
    assert!(status.success(), "{}", again.said());

    let mut other = start(&sam)?;
    until("the other app's window", || Ok(sam.join("webview").exists().then_some(())))?;
    assert_eq!((first.ended()?, other.ended()?), (None, None));
    Ok(())
}

/// Returns the processes of a program's process group that have this name.
fn of_group(leader: u32, name: &str) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_wanted = |id: &i32| {
        let about = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let Some((before, after)) = about.rsplit_once(") ") else { return false };
        // State, parent, group: proc(5).
        before.ends_with(name) && after.split(' ').nth(2) == Some(&leader.to_string())
    };
    ids.filter(is_wanted).collect()
}

#[test]
fn a_window_that_stays_blank_is_opened_anew_without_the_graphics_card_and_so_is_the_next() -> Result<()> {
    let desk = Desk::set_up()?;
    let folder = desk.folder("siri");
    let start = || {
        let mut command = desk.command(Path::new(APP));
        // As on a user's machine: with this variable set, a start is never taken for a blank one.
        command.env_remove("TAURI_AUTOMATION").arg("--data-dir").arg(&folder);
        Process::start(&mut command, &desk.folder(""))
    };
    let mut app = start()?;
    let pages = |app: &Process| of_group(app.id(), "WebKitWebProces");
    let is_plain = |app: &Process| {
        let surroundings = std::fs::read(format!("/proc/{}/environ", app.id())).unwrap_or_default();
        surroundings.split(|byte| *byte == 0).any(|one| one == b"WEBKIT_DISABLE_DMABUF_RENDERER=1")
    };
    // The page's process is stopped before it can draw.
    let first = until("the page's process", || Ok(pages(&app).first().copied()))?;
    assert!(std::process::Command::new("kill").args(["-STOP", &first.to_string()]).status()?.success());
    assert!(!is_plain(&app));
    until("the window to be opened anew", || {
        Ok((is_plain(&app) && folder.join("plain-window").exists()).then_some(()))
    })?;
    until("another page", || Ok(pages(&app).into_iter().find(|id| *id != first)))?;
    assert_eq!(app.ended()?, None);
    drop(app);

    let app = start()?;
    until("the next start to be plain at once", || Ok(is_plain(&app).then_some(())))
}

#[test]
fn a_desk_hears_what_is_played_and_nothing_else() -> Result<()> {
    let desk = Desk::set_up()?;
    let tone = desk.folder("tone.wav");
    let made = desk
        .command(Path::new("sox"))
        .args(["-n", "-r", "48000"])
        .arg(&tone)
        .args(["synth", "0.2", "sine", "880"])
        .status()?;
    assert!(made.success());
    let recording = desk.record()?;
    assert!(!recording.is_heard()?);
    assert!(desk.command(Path::new("paplay")).arg("--device=speaker").arg(&tone).status()?.success());
    until("the tone", || Ok(recording.is_heard()?.then_some(())))
}

#[test]
fn an_app_that_is_started_while_another_ends_is_there() -> Result<()> {
    let desk = Desk::set_up()?;
    let ending = desk.hold_name("org.crewbell.crew.SingleInstance")?;
    let folder = desk.folder("home");
    let mut app = Process::start(&mut desk.command(Path::new(APP)), &folder)?;
    ending.wait_for_call("ExecuteCallback")?;
    drop(ending);
    until("the app to have its folder in hand", || {
        ensure!(app.ended()?.is_none(), "it has ended: {}", app.said());
        Ok(folder.join(".local/share/org.crewbell.crew/app.lock").exists().then_some(()))
    })
}

#[test]
fn an_app_in_another_session_says_that_the_folder_is_in_use_and_leaves_it_alone() -> Result<()> {
    let (first, second) = (Desk::set_up()?, Desk::set_up()?);
    let folder = first.folder("shared");
    let start = |desk: &Desk| desk.open(Path::new(APP), &["--data-dir", &folder.display().to_string()]);
    let at_first = start(&first)?;
    at_first.wait_for_text("h1", |text| !text.is_empty())?;
    let at_second = start(&second)?;
    let says = "return /already, in another session/.test(document.body.innerText)";
    comes(&at_second, "that the folder is in use", says)?;
    at_second.shoot("frame-already-running")?;
    drop(at_second);
    assert!(at_first.run("return !/already, in another session/.test(document.body.innerText)")? == true);
    drop(at_first);
    let at_second = start(&second)?;
    comes(&at_second, "the sign-in", &format!("{says} === false && !!document.querySelector('.sign-in')"))
}

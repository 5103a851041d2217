//! The frame: one app a folder, nothing from elsewhere, a sound that can be heard.

use std::path::Path;

use anyhow::Result;
use crewbell_desk::{Desk, Process, until};

use crate::crew::APP;

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

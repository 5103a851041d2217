//! Push to talk by the space bar and by the pointer, and the volume in the call bar.

use anyhow::Result;
use crewbell_desk::{LEFT, RATE, RIGHT, Recording, until};

use crate::calls::{Two, line, speaks, talk};
use crate::crew::{comes, go, press_named};
use crate::story::{falls_silent, is_heard, stays_silent};

/// Returns the mean power of the last second and a half, in squared sample values (full scale 1).
fn power(recording: &Recording) -> Result<Option<f64>> {
    let samples = recording.samples()?;
    let some = usize::try_from(RATE)? * 3 / 2;
    let last = samples.len().checked_sub(some).map(|from| &samples[from..]);
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let count = some as f64;
    Ok(last.map(|last| last.iter().map(|sample| (f64::from(*sample) / 32_768.0).powi(2)).sum::<f64>() / count))
}

/// Waits until the power of the recording satisfies a condition.
fn is_so_loud(recording: &Recording, what: &str, fits: impl Fn(f64) -> bool) -> Result<f64> {
    let mut last = None;
    until(what, || {
        last = power(recording)?;
        Ok(last.filter(|power| fits(*power)))
    })
    .map_err(|error| error.context(format!("it is {last:?}")))
}

#[test]
fn who_has_push_to_talk_is_heard_only_while_they_hold_it_and_as_loud_as_the_other_wants() -> Result<()> {
    let Two { ship: _ship, hers, his, siri, sam } = Two::on_board()?;
    go(&siri, "settings")?;
    press_named(&siri, ".switch", "Push to talk")?;
    comes(
        &siri,
        "push to talk",
        "return [...document.querySelectorAll('.switch')].find(one => one.innerText.startsWith('Push to talk'))
             ?.getAttribute('aria-checked') === 'true'",
    )?;
    go(&siri, "requests")?;
    talk(&siri, &sam)?;
    let talks = |on: bool| {
        let script = format!("return line?.querySelector('.button.talk')?.getAttribute('aria-pressed') === '{on}'");
        line(&siri, &format!("that she is heard: {on}"), &script)
    };
    talks(false)?;
    let speaking = speaks(&hers, 9)?;
    let at_his = his.record()?;
    falls_silent(&at_his)?;
    stays_silent(&at_his, 2)?;

    siri.hold_key(" ")?;
    talks(true)?;
    is_heard(&at_his)?;
    siri.shoot("talking-1-space-is-held")?;
    // Louder than the quarter second of tone that a call begins with.
    let full = is_so_loud(&at_his, "her voice", |power| power > 1e-4)?;
    sam.run("document.querySelector('.line-volume input').focus()")?;
    sam.keys(&LEFT.repeat(18))?;
    line(&sam, "the least volume", "return line?.querySelector('.line-volume input').value === '10'")?;
    // A tenth of the volume is a hundredth of the power; speech varies in loudness.
    is_so_loud(&at_his, "a low voice", |power| power < full / 20.0)?;
    sam.shoot("talking-2-least-volume")?;
    sam.keys(&RIGHT.repeat(18))?;
    line(&sam, "the full volume", "return line?.querySelector('.line-volume input').value === '100'")?;
    is_so_loud(&at_his, "a full voice", |power| power > full / 5.0)?;
    siri.let_go_key(" ")?;
    talks(false)?;
    falls_silent(&at_his)?;
    stays_silent(&at_his, 1)?;
    drop(at_his);

    let at_his = his.record()?;
    siri.hold(".line .button.talk")?;
    talks(true)?;
    is_heard(&at_his)?;
    siri.let_go()?;
    talks(false)?;
    falls_silent(&at_his)?;

    // The page is reloaded while she holds the key: it gets no key-up event.
    siri.hold_key(" ")?;
    talks(true)?;
    siri.run("location.reload()")?;
    line(&siri, "the call in the new page", "return !!line?.querySelector('.button.talk')")?;
    talks(false)?;
    falls_silent(&at_his)?;
    stays_silent(&at_his, 1)?;
    siri.let_go_key(" ")?;
    drop(speaking);
    siri.press(".line .button.danger")?;
    line(&sam, "the end", "return !line?.querySelector('.mute')")
}

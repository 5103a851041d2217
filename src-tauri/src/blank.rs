//! A window that stays blank: `WebKitGTK` can't draw on some graphics drivers, and says nothing of it. The core rings all the
//! same. A page that hasn't said hello in the first ten seconds in which its window had the focus is opened anew, drawn without
//! DMA-BUF, and the person is told.
//!
//! `WebKit` reads its switch once in the life of a process, so the process itself is replaced (`execve`): a ring pauses for a
//! second or two. What was found out is kept in the data folder, so that the next start is plain at once; who has another
//! driver removes the file `plain-window`.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crewbell_core::engine::Input;
use crewbell_core::screen::Notice;
use tauri::{AppHandle, Manager};

use crate::core_handle::Core;
use crate::hello::Hello;

/// `WebKitGTK`'s own switch: it copies what it has drawn, where it would have shared it with the graphics card.
const PLAIN: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Set for the process that comes after a blank window.
const WAS_BLANK: &str = "CREWBELL_WINDOW_WAS_BLANK";

/// The file in a data folder whose window stayed blank.
const FILE: &str = "plain-window";

/// How long a page may take until it is drawn for the first time, while its window is looked at. A slow tablet takes three
/// seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Replaces this process where the window of this folder stayed blank before. Called before a window is opened.
pub(crate) fn begin(app: &AppHandle, folder: &Path) {
    if is_plain() || !folder.join(FILE).exists() {
        return;
    }
    eprintln!("The window stayed blank here once: it is drawn without DMA-BUF. To try again, remove {FILE}.");
    let error = replace(app, &[PLAIN]);
    eprintln!("The window can't be drawn without DMA-BUF: {error}");
}

/// Waits for the page's hello, and opens the window anew when none comes.
pub(crate) async fn watch(app: AppHandle, folder: PathBuf) {
    if std::env::var_os(WAS_BLANK).is_some() {
        app.state::<Core>().inner().clone().first_report(Input::Notice(Notice::PlainWindow)).await;
    }
    if app.state::<Hello>().comes_within(PATIENCE).await {
        return;
    }
    if is_plain() {
        eprintln!("The window is blank, also without DMA-BUF. What rings is heard.");
        return;
    }
    eprintln!("The window is blank: it is opened anew, and drawn without DMA-BUF.");
    if let Err(error) = std::fs::write(folder.join(FILE), "The window stayed blank with DMA-BUF.\n") {
        eprintln!("That can't be kept for the next start: {error}");
    }
    let error = replace(&app, &[PLAIN, WAS_BLANK]);
    eprintln!("The window can't be opened anew: {error}");
}

fn is_plain() -> bool {
    std::env::var_os(PLAIN).is_some_and(|value| value != "0")
}

/// Replaces this process by itself, with these set in its environment. Returns only when it can't.
fn replace(app: &AppHandle, set: &[&str]) -> io::Error {
    // Its name on the bus is given back first: the new one would take this one for another app of this folder, and end.
    tauri_plugin_single_instance::destroy(app);
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    Command::new(program).args(std::env::args_os().skip(1)).envs(set.iter().map(|name| (name, "1"))).exec()
}

//! Recovery of a blank window: `WebKitGTK` can't draw on some graphics drivers, and reports no error. The core rings
//! all the same. If the page hasn't called `hello` during the first ten seconds of its window's focus, it is reopened
//! without DMA-BUF, and a notice is shown.
//!
//! `WebKit` reads its environment variable once per process, so the process itself is replaced (`execve`), and ringing
//! pauses for a second or two. The result is stored in the data folder, so that the next start avoids DMA-BUF at once;
//! after a change of the driver, the file `plain-window` can be removed.

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

/// `WebKitGTK`'s variable that disables DMA-BUF: drawn frames are copied instead of shared with the graphics card.
const PLAIN: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// The variable that marks the process started after a blank window.
const WAS_BLANK: &str = "CREWBELL_WINDOW_WAS_BLANK";

/// The marker file in a data folder whose window stayed blank.
const FILE: &str = "plain-window";

/// Time that a page has for its first frame, while its window has the focus. A slow tablet takes three seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Replaces this process if the window of this folder stayed blank before. It must be called before a window is opened.
pub(crate) fn begin(app: &AppHandle, folder: &Path) {
    if is_plain() || !folder.join(FILE).exists() {
        return;
    }
    eprintln!("The window stayed blank here once: it is drawn without DMA-BUF. To try again, remove {FILE}.");
    let error = replace(app, &[PLAIN]);
    eprintln!("The window can't be drawn without DMA-BUF: {error}");
}

/// Waits for the page's `hello`, and reopens the window if it doesn't come.
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

/// Replaces this process by a new run with these variables set. Returns only on failure.
fn replace(app: &AppHandle, set: &[&str]) -> io::Error {
    // Release the D-Bus name first; otherwise the new process would take this one for another app of this folder, and
    // end.
    tauri_plugin_single_instance::destroy(app);
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    Command::new(program).args(std::env::args_os().skip(1)).envs(set.iter().map(|name| (name, "1"))).exec()
}

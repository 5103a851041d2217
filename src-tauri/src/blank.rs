//! Recovery of a blank window: `WebKitGTK` can't draw on some graphics drivers, and reports no error. The core rings
//! all the same. If the page hasn't called `hello` during the first ten seconds of its window's focus, it is reopened
//! without DMA-BUF, and a notice is shown.
//!
//! `WebKit` reads its environment variable once per process, so the process itself is replaced (`execve`), and ringing
//! pauses for a second or two. The result is stored in the data folder, so that the next start avoids DMA-BUF at once;
//! after a change of the driver, the file `plain-window` can be removed.

use std::ffi::OsString;
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

/// The variables, set to 1, of a process whose window stayed blank in an earlier run.
const AT_START: &[&str] = &[PLAIN];

/// The variables, set to 1, of the process that reopens a blank window.
const REOPENED: &[&str] = &[PLAIN, WAS_BLANK];

/// How a process draws its window, as its environment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Drawing {
    /// Whether DMA-BUF is disabled.
    is_plain: bool,
    /// Whether the process was started because the window was blank.
    was_blank: bool,
}

/// What to do after [`PATIENCE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing: the page is drawn.
    Drawn,
    /// Replace the process by one with these variables.
    Reopen(&'static [&'static str]),
    /// Nothing: the window is blank without DMA-BUF too.
    Hopeless,
}

impl Drawing {
    fn of_this_process() -> Self {
        Self::of(std::env::var_os)
    }

    fn of(variable: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let is_plain = variable(PLAIN).is_some_and(|value| value != "0");
        Self { is_plain, was_blank: variable(WAS_BLANK).is_some() }
    }

    /// Returns the variables with which to replace the process before it opens a window; none if it goes on as it is.
    fn at_start(self, stayed_blank_before: bool) -> Option<&'static [&'static str]> {
        (stayed_blank_before && !self.is_plain).then_some(AT_START)
    }

    /// Returns the notice about this window.
    fn notice(self) -> Option<Notice> {
        self.was_blank.then_some(Notice::PlainWindow)
    }

    /// Decides whether to reopen the window.
    fn verdict(self, is_drawn: bool) -> Verdict {
        match (is_drawn, self.is_plain) {
            (true, _) => Verdict::Drawn,
            (false, false) => Verdict::Reopen(REOPENED),
            (false, true) => Verdict::Hopeless,
        }
    }
}

/// Replaces this process if the window of this folder stayed blank before. It must be called before a window is opened.
pub(crate) fn begin(app: &AppHandle, folder: &Path) {
    let Some(variables) = Drawing::of_this_process().at_start(folder.join(FILE).exists()) else { return };
    eprintln!("The window stayed blank here once: it is drawn without DMA-BUF. To try again, remove {FILE}.");
    let error = replace(app, variables);
    eprintln!("The window can't be drawn without DMA-BUF: {error}");
}

/// Waits for the page's `hello`, and reopens the window if it doesn't come.
pub(crate) async fn watch(app: AppHandle, folder: PathBuf) {
    let drawing = Drawing::of_this_process();
    if let Some(notice) = drawing.notice() {
        app.state::<Core>().inner().clone().first_report(Input::Notice(notice)).await;
    }
    let variables = match drawing.verdict(app.state::<Hello>().comes_within(PATIENCE).await) {
        Verdict::Drawn => return,
        Verdict::Hopeless => return eprintln!("The window is blank, also without DMA-BUF. What rings is heard."),
        Verdict::Reopen(variables) => variables,
    };
    eprintln!("The window is blank: it is opened anew, and drawn without DMA-BUF.");
    if let Err(error) = std::fs::write(folder.join(FILE), "The window stayed blank with DMA-BUF.\n") {
        eprintln!("That can't be kept for the next start: {error}");
    }
    let error = replace(&app, variables);
    eprintln!("The window can't be opened anew: {error}");
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
    run_again(&program, set).exec()
}

/// Returns the command of a new run of the program, with the same arguments and with these variables set.
fn run_again(program: &Path, set: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).envs(set.iter().map(|name| (name, "1")));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how a process draws its window that is started with these variables set, in an environment without any
    /// of them.
    fn started_with(set: &[&str]) -> Drawing {
        let command = run_again(Path::new("crewbell"), set);
        let given = |name: &str| command.get_envs().find(|(known, _)| *known == name)?.1.map(OsString::from);
        Drawing::of(given)
    }

    #[tokio::test]
    async fn a_page_that_says_no_hello_is_opened_anew_without_dma_buf_and_the_person_is_told() {
        let (hello, first) = (Hello::default(), started_with(&[]));
        hello.looked_at(true);
        assert_eq!(first.notice(), None);
        let is_drawn = hello.comes_within(Duration::from_millis(1)).await;
        let Verdict::Reopen(variables) = first.verdict(is_drawn) else { panic!("it is blank") };
        assert!(variables.contains(&"WEBKIT_DISABLE_DMABUF_RENDERER"));

        let anew = started_with(variables);
        assert_eq!(anew.notice(), Some(Notice::PlainWindow));
        assert_eq!(anew.verdict(false), Verdict::Hopeless, "it isn't opened anew again and again");
        assert_eq!(anew.at_start(true), None);
        hello.said();
        let is_drawn = hello.comes_within(PATIENCE).await;
        assert_eq!((first.verdict(is_drawn), anew.verdict(is_drawn)), (Verdict::Drawn, Verdict::Drawn));
    }

    #[test]
    fn the_next_start_on_a_folder_whose_window_stayed_blank_is_plain_at_once_and_nobody_is_told_again() {
        let first = started_with(&[]);
        assert_eq!(first.at_start(false), None);
        let next = started_with(first.at_start(true).unwrap());
        assert_eq!(next, Drawing { is_plain: true, was_blank: false });
        assert_eq!((next.at_start(true), next.notice()), (None, None));
    }

    #[test]
    fn a_person_who_sets_the_variable_decides_and_0_is_as_if_it_were_not_set() {
        let set_to = |value: &'static str| Drawing::of(|name| (name == PLAIN).then(|| value.into()));
        assert_eq!((set_to("1").at_start(true), set_to("1").verdict(false)), (None, Verdict::Hopeless));
        assert_eq!(
            (set_to("0").at_start(true), set_to("0").verdict(false)),
            (Some(AT_START), Verdict::Reopen(REOPENED))
        );
    }
}

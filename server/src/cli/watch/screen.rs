//! The terminal output of `watch`: one line after the other, or the board.

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;

use super::board::{self, LINES, Link};
use super::model::Model;

/// Control sequences of xterm: alternate screen, no line wrapping, hidden cursor.
const OPEN: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const CLOSE: &str = "\x1b[?25h\x1b[?7h\x1b[?1049l";

/// The output of the event lines.
#[derive(Debug)]
pub(super) struct Screen {
    board: bool,
    happened: Vec<String>,
    link: Link,
}

impl Screen {
    /// Opens the output; the board is used only if standard output is a terminal.
    pub(super) fn open(board: bool) -> io::Result<Self> {
        let board = board && io::stdout().is_terminal();
        if board {
            write!(io::stdout(), "{OPEN}")?;
        }
        Ok(Self { board, happened: Vec::new(), link: Link::Live })
    }

    /// Whether it shows the board, which is redrawn as time passes.
    pub(super) fn is_board(&self) -> bool {
        self.board
    }

    /// Prints a line, or adds it to the board's latest lines.
    pub(super) fn line(&mut self, line: String) -> io::Result<()> {
        if !self.board {
            return writeln!(io::stdout(), "{line}");
        }
        if self.happened.len() >= LINES {
            self.happened.remove(0);
        }
        self.happened.push(line);
        Ok(())
    }

    /// Marks the connection as lost, with the time of day of the shown state. Printed once.
    pub(super) fn lost(&mut self, as_of: String) -> io::Result<()> {
        if self.link != Link::Live {
            return Ok(());
        }
        if !self.board {
            writeln!(io::stdout(), "          connection lost, showing {as_of}")?;
        }
        self.link = Link::Lost(as_of);
        Ok(())
    }

    /// Marks the connection as restored. Printed once after a loss.
    pub(super) fn back(&mut self) -> io::Result<()> {
        if self.link != Link::Live && !self.board {
            writeln!(io::stdout(), "          back")?;
        }
        self.link = Link::Live;
        Ok(())
    }

    /// Draws the board, if it is shown.
    pub(super) fn draw(&self, model: &Model, now: Timestamp) -> io::Result<()> {
        if !self.board {
            return Ok(());
        }
        // Each line is cleared to its end and the rest of the screen after it, which avoids flicker.
        let text = board::draw(model, now, &self.link, &self.happened).replace('\n', "\x1b[K\r\n");
        let mut out = io::stdout().lock();
        write!(out, "\x1b[H{text}\x1b[J")?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.board {
            let _ = write!(io::stdout(), "{CLOSE}");
            let _ = io::stdout().flush();
        }
    }
}

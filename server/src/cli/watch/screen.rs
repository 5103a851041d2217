//! Where the lines go: one after the other, or on the board.

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;

use super::board::{self, LINES, Link};
use super::model::Model;

/// The other screen, no wrapping, no cursor (xterm's control sequences).
const OPEN: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const CLOSE: &str = "\x1b[?25h\x1b[?7h\x1b[?1049l";

/// Where the lines go.
#[derive(Debug)]
pub(super) struct Screen {
    board: bool,
    happened: Vec<String>,
    link: Link,
}

impl Screen {
    /// A screen; with the board only where standard output is a terminal.
    pub(super) fn open(board: bool) -> io::Result<Self> {
        let board = board && io::stdout().is_terminal();
        if board {
            write!(io::stdout(), "{OPEN}")?;
        }
        Ok(Self { board, happened: Vec::new(), link: Link::Live })
    }

    /// Whether it has to be drawn again as time goes on.
    pub(super) fn is_board(&self) -> bool {
        self.board
    }

    /// Shows a line.
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

    /// The connection is lost; what is shown was the case at that time of day. Said once.
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

    /// The connection stands. Said once after it was lost.
    pub(super) fn back(&mut self) -> io::Result<()> {
        if self.link != Link::Live && !self.board {
            writeln!(io::stdout(), "          back")?;
        }
        self.link = Link::Live;
        Ok(())
    }

    /// Draws the board, where there is one.
    pub(super) fn draw(&self, model: &Model, now: Timestamp) -> io::Result<()> {
        if !self.board {
            return Ok(());
        }
        // Each line is cleared to its end and the rest of the screen after it, so that nothing flickers.
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

//! Parser of SQLite's write-ahead log, as specified in sqlite.org/fileformat2.html (section 4).
//!
//! SQLite reads a log up to the first damaged frame, and silently treats the rest as an unfinished commit. For data
//! that only this device has, the damage must be detected, and the rest recovered.

/// Size of the log's header, and of a frame's header.
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Page size to assume if the log's header is damaged: SQLite's default, which all files of this app use.
const PAGE: usize = 4096;

/// A parsed log.
#[derive(Debug, Default)]
pub(super) struct Wal<'a> {
    /// The frames up to the last commit.
    frames: Vec<Frame<'a>>,
    /// Whether a committed part of the log is damaged.
    pub is_damaged: bool,
    /// Whether there are frames after the last commit.
    pub has_tail: bool,
}

#[derive(Debug)]
struct Frame<'a> {
    /// The page number, counted from 1.
    page: usize,
    /// Whether the frame ends a commit.
    commits: bool,
    content: &'a [u8],
}

impl<'a> Wal<'a> {
    /// Parses a log. An empty one has no frames.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut wal = Self::default();
        let Some((header, rest)) = bytes.split_at_checked(HEADER) else { return wal };
        let big_endian = number(header, 0) & 1 == 1;
        let mut before = checksum((0, 0), &header[..24], big_endian);
        let is_whole = number(header, 0) >> 1 == 0x377f_0682 >> 1 && before == pair(header, 24);
        let page_size = if is_whole { usize::try_from(number(header, 8)).unwrap_or(PAGE) } else { PAGE };
        // Frames from before the last checkpoint, which SQLite overwrites, have another salt.
        let salt = pair(if is_whole { &header[16..] } else { rest.get(8..).unwrap_or_default() }, 0);
        let mut gap = false;
        let mut bad = None;
        for frame in rest.chunks(FRAME_HEADER + page_size).filter(|frame| frame.len() > FRAME_HEADER) {
            let (head, content) = frame.split_at(FRAME_HEADER);
            let sum = checksum(checksum(before, &head[..8], big_endian), content, big_endian);
            let follows = sum == pair(head, 16);
            before = pair(head, 16);
            let is_ours = pair(head, 8) == salt;
            // A frame whose checksum continues the previous frame's belongs to this log too, in spite of its salt.
            if is_ours || (follows && !gap) {
                let is_good = is_ours && follows && !gap;
                bad = bad.or((!is_good).then_some(wal.frames.len()));
                let page = usize::try_from(number(head, 0)).unwrap_or(0);
                wal.frames.push(Frame { page, commits: number(head, 4) != 0, content });
            }
            gap |= !is_ours;
        }
        let committed = wal.frames.iter().rposition(|frame| frame.commits).map_or(0, |last| last + 1);
        // Frames after the last commit belong to a failed or interrupted one, and may have any content.
        wal.is_damaged = committed > 0 && (!is_whole || bad.is_some_and(|bad| bad < committed));
        wal.has_tail = committed < wal.frames.len();
        wal.frames.truncate(committed);
        wal
    }

    /// Returns the file with the log's pages applied, damaged ones included.
    pub fn onto(&self, mut file: Vec<u8>) -> Vec<u8> {
        // A damaged page number must not create a file of terabytes.
        let most = file.len() / PAGE + self.frames.len() + 1;
        let page_size = self.frames.first().map_or(PAGE, |frame| frame.content.len());
        let fits = |frame: &&Frame<'_>| frame.content.len() == page_size && (1..=most).contains(&frame.page);
        for frame in self.frames.iter().filter(fits) {
            let end = frame.page * page_size;
            if file.len() < end {
                file.resize(end, 0);
            }
            file[end - page_size..end].copy_from_slice(frame.content);
        }
        file
    }
}

/// Reads four bytes as a number; 0 beyond the end.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn pair(bytes: &[u8], at: usize) -> (u32, u32) {
    (number(bytes, at), number(bytes, at + 4))
}

/// Continues a checksum over further bytes.
fn checksum((mut one, mut two): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |at| if big_endian { number(bytes, at) } else { number(bytes, at).swap_bytes() };
    for at in (0..bytes.len()).step_by(8) {
        one = one.wrapping_add(word(at)).wrapping_add(two);
        two = two.wrapping_add(word(at + 4)).wrapping_add(one);
    }
    (one, two)
}

//! A write-ahead log, frame by frame, as sqlite.org/fileformat2.html lays it down (section 4).
//!
//! SQLite reads a log up to the first frame that is damaged, and takes what follows for a commit that never came to its
//! end: it says nothing. For what only this device knows that isn't good enough: the damage must be seen, and what
//! follows it be had.

/// The header of the log, and that of a frame.
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The size of a page when the log's header can't be trusted: SQLite's default, which all our files have.
const PAGE: usize = 4096;

/// A log, taken apart.
#[derive(Debug, Default)]
pub(super) struct Wal<'a> {
    /// Up to the last commit.
    frames: Vec<Frame<'a>>,
    /// Something in it isn't as it was written.
    pub is_damaged: bool,
    /// There are frames behind the last commit.
    pub has_tail: bool,
}

#[derive(Debug)]
struct Frame<'a> {
    /// Counted from 1.
    page: usize,
    /// It ends a commit.
    commits: bool,
    content: &'a [u8],
}

impl<'a> Wal<'a> {
    /// Takes a log apart. An empty one has no frames.
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut wal = Self::default();
        let Some((header, rest)) = bytes.split_at_checked(HEADER) else { return wal };
        let big_endian = number(header, 0) & 1 == 1;
        let mut before = checksum((0, 0), &header[..24], big_endian);
        let is_whole = number(header, 0) >> 1 == 0x377f_0682 >> 1 && before == pair(header, 24);
        let page_size = if is_whole { usize::try_from(number(header, 8)).unwrap_or(PAGE) } else { PAGE };
        // Frames of before the last checkpoint, which SQLite writes over, have another salt.
        let salt = pair(if is_whole { &header[16..] } else { rest.get(8..).unwrap_or_default() }, 0);
        let mut gap = false;
        let mut bad = None;
        for frame in rest.chunks(FRAME_HEADER + page_size).filter(|frame| frame.len() > FRAME_HEADER) {
            let (head, content) = frame.split_at(FRAME_HEADER);
            let sum = checksum(checksum(before, &head[..8], big_endian), content, big_endian);
            let follows = sum == pair(head, 16);
            before = pair(head, 16);
            let is_ours = pair(head, 8) == salt;
            // One that follows the one before it, but for its salt, is ours, too.
            if is_ours || (follows && !gap) {
                let is_good = is_ours && follows && !gap;
                bad = bad.or((!is_good).then_some(wal.frames.len()));
                let page = usize::try_from(number(head, 0)).unwrap_or(0);
                wal.frames.push(Frame { page, commits: number(head, 4) != 0, content });
            }
            gap |= !is_ours;
        }
        let committed = wal.frames.iter().rposition(|frame| frame.commits).map_or(0, |last| last + 1);
        // Frames behind the last commit are of one that failed, or was cut short: they may be of any kind.
        wal.is_damaged = committed > 0 && (!is_whole || bad.is_some_and(|bad| bad < committed));
        wal.has_tail = committed < wal.frames.len();
        wal.frames.truncate(committed);
        wal
    }

    /// The file with the log's pages in it, the damaged ones, too.
    pub fn onto(&self, mut file: Vec<u8>) -> Vec<u8> {
        // A number that is damaged must not make a file of terabytes.
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

/// Four bytes as a number; 0 where there are none.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn pair(bytes: &[u8], at: usize) -> (u32, u32) {
    (number(bytes, at), number(bytes, at + 4))
}

/// The checksum of these bytes behind those that have this one.
fn checksum((mut one, mut two): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |at| if big_endian { number(bytes, at) } else { number(bytes, at).swap_bytes() };
    for at in (0..bytes.len()).step_by(8) {
        one = one.wrapping_add(word(at)).wrapping_add(two);
        two = two.wrapping_add(word(at + 4)).wrapping_add(one);
    }
    (one, two)
}

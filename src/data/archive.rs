//! Archives of files in the zip format, as NumPy writes them.
//!
//! In: bytes. Out: the names of the files in them, and the bytes of one, packed by deflate or not at all. The list at the end of
//! an archive says where each file lies; what the files say of themselves in front is passed over. Encrypted archives and
//! those in several parts are deliberately absent.

use std::io::Read;

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// The files of an archive.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
}

/// What the list says of a file.
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    start: u64,
}

/// The mark of the end of the list, which is all but the last thing of an archive.
const END: &[u8] = b"PK\x05\x06";
/// The same where a count needs eight bytes.
const LONG_END: &[u8] = b"PK\x06\x06";
const LONG_END_PLACE: &[u8] = b"PK\x06\x07";
/// Of a file in the list.
const LISTED: &[u8] = b"PK\x01\x02";
/// Of a file itself.
const FILE: &[u8] = b"PK\x03\x04";
/// The end without the comment that may follow it.
const END_LENGTH: usize = 22;

impl<'a> Archive<'a> {
    /// Reads the list; what is wrong with it is said in words.
    pub fn open(bytes: &'a [u8]) -> Result<Archive<'a>, String> {
        if !bytes.starts_with(b"PK") {
            return Err("it is no zip archive".to_owned());
        }
        Self::list(bytes).ok_or_else(|| "the list of its files is not whole".to_owned())
    }

    fn list(bytes: &'a [u8]) -> Option<Archive<'a>> {
        let from = bytes.len().checked_sub(END_LENGTH)?;
        // A comment of up to 65535 bytes may stand behind it.
        let end = (from.saturating_sub(usize::from(u16::MAX))..=from).rev().find(|at| bytes[*at..].starts_with(END))?;
        let (mut count, mut at) = (number(bytes, end + 10, 2)?, number(bytes, end + 16, 4)?);
        if let Some(place) = end.checked_sub(20).filter(|place| bytes[*place..].starts_with(LONG_END_PLACE)) {
            let long = usize::try_from(number(bytes, place + 8, 8)?).ok()?;
            if bytes.get(long..)?.starts_with(LONG_END) {
                (count, at) = (number(bytes, long + 32, 8)?, number(bytes, long + 48, 8)?);
            }
        }
        let mut at = usize::try_from(at).ok()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            if !bytes.get(at..)?.starts_with(LISTED) {
                return None;
            }
            let field = |place: usize, width: usize| number(bytes, at + place, width);
            let (named, extra, comment) = (field(28, 2)? as usize, field(30, 2)? as usize, field(32, 2)? as usize);
            let name = String::from_utf8_lossy(bytes.get(at + 46..at + 46 + named)?).into_owned();
            let mut entry = Entry {
                name,
                method: field(10, 2)? as u16,
                crc: field(16, 4)? as u32,
                packed: field(20, 4)?,
                size: field(24, 4)?,
                start: field(42, 4)?,
            };
            entry.widen(bytes.get(at + 46 + named..at + 46 + named + extra)?)?;
            entries.push(entry);
            at += 46 + named + extra + comment;
        }
        Some(Archive { bytes, entries })
    }

    /// The names of its files, in the order of the list.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The bytes of the file at a place of the list; what is wrong with it is said in words.
    pub fn file(&self, at: usize) -> Result<Vec<u8>, String> {
        let entry = &self.entries[at];
        let packed = self.packed(entry).ok_or("it ends too early")?;
        let mut bytes = Vec::new();
        match entry.method {
            0 => bytes.extend_from_slice(packed),
            // No more than the list says comes out, so a crafted file fills no memory.
            8 => match DeflateDecoder::new(packed).take(entry.size.saturating_add(1)).read_to_end(&mut bytes) {
                Ok(_) => {}
                Err(_) => return Err("what is packed is damaged".to_owned()),
            },
            method => return Err(format!("it is packed in a way that is not read, number {method}")),
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        if bytes.len() as u64 != entry.size || crc.sum() != entry.crc {
            return Err("its bytes are not those that were written".to_owned());
        }
        Ok(bytes)
    }

    fn packed(&self, entry: &Entry) -> Option<&'a [u8]> {
        let at = usize::try_from(entry.start).ok()?;
        let file = self.bytes.get(at..)?;
        if !file.starts_with(FILE) {
            return None;
        }
        let start = 30 + number(file, 26, 2)? as usize + number(file, 28, 2)? as usize;
        file.get(start..start.checked_add(usize::try_from(entry.packed).ok()?)?)
    }
}

impl Entry {
    /// Sizes of eight bytes stand apart: in a field with the number 1, those alone whose four bytes are all ones.
    fn widen(&mut self, mut extra: &[u8]) -> Option<()> {
        while extra.len() >= 4 {
            let (id, length) = (number(extra, 0, 2)?, number(extra, 2, 2)? as usize);
            let field = extra.get(4..4 + length)?;
            if id == 1 {
                let mut at = 0;
                for value in [&mut self.size, &mut self.packed, &mut self.start] {
                    if *value == u64::from(u32::MAX) {
                        *value = number(field, at, 8)?;
                        at += 8;
                    }
                }
            }
            extra = &extra[4 + length..];
        }
        Some(())
    }
}

/// A number of so many bytes, the least first.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let word = bytes.get(at..at.checked_add(width)?)?;
    Some(word.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

//! Members of a tar archive, one after the other.
//!
//! Only what names a member is taken from extended headers; their size is bounded, so that none fills the memory.

use std::io::{self, Read};

use tar::{Archive, EntryType};

use crate::text::inert_bytes;

/// Longest extended header that is looked at.
const MAX_HEADER_BYTES: u64 = 64 << 10;

/// Calls `visit` with the name and content of each regular file of the archive, in its order.
pub(crate) fn for_each_member<E>(
    stream: impl Read,
    mut visit: impl FnMut(String, &mut dyn Read) -> Result<(), E>,
) -> Result<io::Result<()>, E> {
    let mut archive = Archive::new(stream);
    let entries = match archive.entries() {
        Ok(entries) => entries.raw(true),
        Err(error) => return Ok(Err(error)),
    };
    let mut long_name = None;
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Ok(Err(error)),
        };
        match entry.header().entry_type() {
            EntryType::GNULongName => long_name = read_name(&mut entry),
            EntryType::XHeader => long_name = read_pax_path(&mut entry),
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            EntryType::Regular | EntryType::Continuous => {
                let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                visit(inert_bytes(&name), &mut entry)?;
            }
            _ => long_name = None,
        }
    }
    Ok(Ok(()))
}

fn read_header(entry: &mut dyn Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A header that cannot be read leaves the member its short name; the archive's next header tells the error.
    let _ = entry.take(MAX_HEADER_BYTES).read_to_end(&mut bytes);
    bytes
}

fn read_name(entry: &mut dyn Read) -> Option<Vec<u8>> {
    let bytes = read_header(entry);
    bytes.split(|&byte| byte == 0).next().filter(|name| !name.is_empty()).map(<[u8]>::to_vec)
}

/// Records are `LENGTH KEY=VALUE\n`.
fn read_pax_path(entry: &mut dyn Read) -> Option<Vec<u8>> {
    let bytes = read_header(entry);
    let records = bytes.split(|&byte| byte == b'\n');
    let mut paths = records.filter_map(|record| {
        let space = memchr::memchr(b' ', record)?;
        record.get(space + 1..)?.strip_prefix(b"path=").map(<[u8]>::to_vec)
    });
    paths.next_back()
}

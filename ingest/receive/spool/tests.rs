use std::fs;

use super::*;
use crate::receive::kind::{Payload, Protocol};

const KIND: Kind = Kind { protocol: Protocol::Grpc, payload: Payload::Traces };

fn small() -> SpoolLimits {
    SpoolLimits { segment_bytes: 100, group_wait: Duration::from_millis(1), ..SpoolLimits::default() }
}

fn open(folder: &Path, stored: Position, limits: SpoolLimits) -> Spool {
    Spool::open(folder, stored, limits).unwrap()
}

fn append(spool: &Spool, bytes: &[u8]) -> Result<(), Refused> {
    spool.shared.append(KIND, Bytes::copy_from_slice(bytes))?.blocking_recv().unwrap()
}

/// Returns all requests behind `from`, and where reading stands then.
fn read(spool: &Spool, from: Position) -> (Vec<Vec<u8>>, Position) {
    let (mut reader, end) = (spool.reader(from), spool.shared.lock().end);
    let mut found = Vec::new();
    while let Some((record, _)) = reader.next(end).unwrap() {
        assert_eq!(record.kind, KIND);
        found.push(record.bytes);
    }
    assert_eq!(reader.take_damages(), [""; 0]);
    (found, reader.position())
}

#[test]
fn every_code_stands_for_one_kind() {
    let kinds: Vec<Kind> = (0..=u8::MAX).filter_map(Kind::of_code).collect();
    assert_eq!(kinds.len(), 4 * 7);
    assert!(kinds.iter().all(|kind| Kind::of_code(kind.code()) == Some(*kind)));
    assert_eq!((KIND.code(), Kind::of_code(0)), (0x11, None));
}

#[test]
fn requests_come_back_in_order_from_any_place_and_across_openings() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), Position::default(), small());
    let all: Vec<Vec<u8>> = (0..20_u8).map(|number| vec![number; usize::from(number) * 3]).collect();
    all[..10].iter().for_each(|bytes| append(&spool, bytes).unwrap());
    let (first, middle) = read(&spool, Position::default());
    assert_eq!(first, all[..10]);
    assert!(middle.segment > 1, "several segments");
    spool.close();
    assert_eq!(append(&spool, b"late"), Err(Refused::Closing));
    let spool = open(folder.path(), Position::default(), small());
    all[10..].iter().for_each(|bytes| append(&spool, bytes).unwrap());
    assert_eq!(read(&spool, Position::default()).0, all);
    assert_eq!(read(&spool, middle).0, all[10..]);
}

#[test]
fn a_torn_end_is_cut_and_nothing_whole_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), Position::default(), SpoolLimits { segment_bytes: 1 << 20, ..small() });
    [b"one", b"two"].iter().for_each(|bytes| append(&spool, &bytes[..]).unwrap());
    spool.close();
    let path = segment::path(folder.path(), 1);
    let whole = fs::read(&path).unwrap();
    let second = whole.len() / 2;
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let spool = open(folder.path(), Position::default(), small());
        append(&spool, b"new").unwrap();
        let expected: &[&[u8]] = if len < second { &[b"new"] } else { &[b"one", b"new"] };
        assert_eq!(read(&spool, Position::default()).0, expected, "cut at {len}");
        drop(spool);
        fs::remove_file(segment::path(folder.path(), 2)).unwrap();
    }
}

#[test]
fn a_damaged_segment_is_said_and_the_next_one_read() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), Position::default(), SpoolLimits { segment_bytes: 1, ..small() });
    [b"one", b"two"].iter().for_each(|bytes| append(&spool, &bytes[..]).unwrap());
    let path = segment::path(folder.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let (mut reader, end) = (spool.reader(Position::default()), spool.shared.lock().end);
    assert_eq!(reader.next(end).unwrap().unwrap().0.bytes, b"two");
    assert!(reader.take_damages()[0].contains("damaged at byte 0: 24 bytes"));
}

#[test]
fn a_full_spool_refuses_until_rows_were_stored() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SpoolLimits { unstored_bytes: 100, waiting_bytes: 1_000, ..small() };
    let spool = open(folder.path(), Position::default(), limits);
    append(&spool, &[0; 60]).unwrap();
    assert_eq!(spool.unstored_bytes(), 81);
    assert_eq!(append(&spool, &[0; 60]), Err(Refused::Unstored));
    assert_eq!(append(&spool, &[0; 2_000]), Err(Refused::Waiting));
    spool.stored(81);
    append(&spool, &[0; 60]).unwrap();
    drop(spool);
    assert_eq!(open(folder.path(), Position::default(), limits).unstored_bytes(), 162);
    assert_eq!(open(folder.path(), Position { segment: 1, offset: 81 }, limits).unstored_bytes(), 81);
}

#[test]
fn segments_go_once_they_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.spool");
    let spool = open(&path, Position::default(), SpoolLimits { segment_bytes: 1, ..small() });
    (0..3).for_each(|_| append(&spool, b"some").unwrap());
    spool.remove_before(Position { segment: 3, offset: 0 }).unwrap();
    assert_eq!(segment::numbers(&path).unwrap(), [3]);
    spool.remove(Position { segment: 3, offset: 0 }).unwrap();
    assert!(path.exists(), "not all of it is stored");
    let end = spool.shared.lock().end;
    spool.remove(end).unwrap();
    assert!(!path.exists());
    let again = open(&path, end, small());
    assert!(again.shared.lock().end > end, "positions only grow");
}

#[test]
fn what_cannot_be_written_is_refused_and_the_next_segment_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.spool");
    let spool = open(&path, Position::default(), small());
    append(&spool, b"one").unwrap();
    fs::create_dir(segment::path(&path, 2)).unwrap();
    let filler = [0; 200];
    append(&spool, &filler).unwrap();
    assert!(matches!(append(&spool, b"two"), Err(Refused::Disk { .. })));
    fs::remove_dir(segment::path(&path, 2)).unwrap();
    append(&spool, b"three").unwrap();
    assert_eq!(read(&spool, Position::default()).0, [b"one".to_vec(), filler.to_vec(), b"three".to_vec()]);
}

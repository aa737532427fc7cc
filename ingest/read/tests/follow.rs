//! Files that grow, are rotated and cut while they are read.

use std::fs::{File, OpenOptions};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::*;

/// What a follower has read so far, and how it is told to stop.
struct Follower {
    ids: Arc<Mutex<Vec<u64>>>,
    stop: Arc<std::sync::atomic::AtomicBool>,
    thread: Option<thread::JoinHandle<Vec<(u64, u64)>>>,
}

impl Follower {
    fn start(input: &Path) -> Self {
        let (ids, stop) = (Arc::<Mutex<Vec<u64>>>::default(), Arc::<std::sync::atomic::AtomicBool>::default());
        let (seen, stopped, inputs) = (ids.clone(), stop.clone(), path_input(input));
        let thread = thread::spawn(move || {
            let mut stretches = Vec::new();
            follow(&inputs, &options(2), &NoHistory, &mut |event| {
                if let Event::Batch(batch) = &event {
                    seen.lock().unwrap().extend(&batch.spans.span_id);
                    stretches.push((batch.from_offset, batch.to_offset));
                    assert_eq!(batch.rejects.count, 0, "{:?}", batch.rejects.kept);
                }
                if stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            stretches
        });
        Self { ids, stop, thread: Some(thread) }
    }

    /// Waits until the spans of the requests `numbers` are there, in this order and nothing else.
    fn wait_for(&self, numbers: impl Iterator<Item = usize>) {
        let expected: Vec<u64> = numbers.map(|number| number as u64 + 1).collect();
        let begun = Instant::now();
        while *self.ids.lock().unwrap() != expected {
            assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", self.ids.lock().unwrap());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns the stretches of the streams that were read.
    fn stop(mut self) -> Vec<(u64, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| request(number) + "\n").collect()
}

#[test]
fn what_is_added_is_read_with_offsets_that_join() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    append(&path, &lines(0..3));
    let follower = Follower::start(&path);
    follower.wait_for(0..3);
    let fourth = lines(3..4);
    let (half, rest) = fourth.split_at(40);
    append(&path, half);
    thread::sleep(Duration::from_millis(500));
    follower.wait_for(0..3);
    append(&path, &(rest.to_owned() + &lines(4..6)));
    follower.wait_for(0..6);
    let stretches = follower.stop();
    let read: Vec<_> = stretches.iter().filter(|(from, to)| from < to).collect();
    assert_eq!(read.first().unwrap().0, 0);
    assert!(read.windows(2).all(|pair| pair[0].1 == pair[1].0), "{stretches:?}");
    assert_eq!(read.last().unwrap().1, std::fs::metadata(&path).unwrap().len());
}

#[test]
fn a_rotated_file_is_read_to_its_end_and_the_new_one_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("app.log"), folder.path().join("app.log.1"));
    append(&path, &lines(0..2));
    let follower = Follower::start(&path);
    follower.wait_for(0..2);
    append(&path, &lines(2..4));
    std::fs::rename(&path, &old).unwrap();
    // Who logs still has the old file open.
    append(&old, &lines(4..5));
    follower.wait_for(0..5);
    append(&path, &lines(5..6));
    follower.wait_for(0..6);
    append(&old, &lines(6..7));
    follower.wait_for(0..7);
    append(&path, &lines(7..8));
    follower.wait_for(0..8);
    follower.stop();
}

#[test]
fn a_file_that_was_cut_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    append(&path, &lines(0..3));
    let follower = Follower::start(&path);
    follower.wait_for(0..3);
    File::create(&path).unwrap();
    thread::sleep(Duration::from_millis(400));
    append(&path, &lines(3..4));
    follower.wait_for(0..4);
    // Cut and longer than before between two looks.
    std::fs::write(&path, lines(4..9)).unwrap();
    follower.wait_for(0..9);
    follower.stop();
}

#[test]
fn files_that_come_into_a_folder_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let follower = Follower::start(folder.path());
    append(&folder.path().join("a.jsonl"), &lines(0..1));
    follower.wait_for(0..1);
    append(&folder.path().join("b.jsonl"), &lines(1..2));
    follower.wait_for(0..2);
    append(&folder.path().join("a.jsonl"), &lines(2..3));
    follower.wait_for(0..3);
    follower.stop();
}

//! Files, folders, pipes, and what is packed in them.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn lines(numbers: std::ops::Range<usize>) -> Vec<u8> {
    numbers.map(|number| request(number) + "\n").collect::<String>().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tarball(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What was reported of each source: name, container, span ids, why it stopped.
fn summary(events: Vec<Event>) -> Vec<(String, String, Vec<u64>, Option<String>)> {
    let mut sources: Vec<(String, String, Vec<u64>, Option<String>)> = Vec::new();
    for event in events {
        match event {
            Event::Opened(info) => sources.push((info.name, info.container, Vec::new(), None)),
            Event::Batch(batch) => sources.last_mut().unwrap().2.extend(&batch.spans.span_id),
            Event::Closed(end) => sources.last_mut().unwrap().3 = end.stopped,
            Event::Failed { name, error } => sources.push((name, "failed".into(), Vec::new(), Some(error.to_string()))),
            Event::Progress(_) => {}
        }
    }
    sources
}

fn read_path(path: &Path) -> Vec<(String, String, Vec<u64>, Option<String>)> {
    summary(read_events(&path_input(path), &options(2), &NoHistory))
}

#[test]
fn wrappings_are_recognised_by_their_content() {
    let plain = lines(0..50);
    let two_members = [gzip(&lines(0..20)), gzip(&lines(20..50))].concat();
    let two_frames = [zstd(&lines(0..20)), zstd(&lines(20..50))].concat();
    let long_name = "folder/".repeat(30) + "spans";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("", plain.clone()),
        ("gzip", gzip(&plain)),
        ("gzip", two_members),
        ("zstd", two_frames),
        ("xz", xz(&plain)),
        ("gzip+zstd", zstd(&gzip(&plain))),
        ("tar", tarball(&[(&long_name, &plain)])),
        ("tar+xz", xz(&tarball(&[("a", &plain)]))),
        ("gzip+tar+gzip", gzip(&tarball(&[("a", &gzip(&plain))]))),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (container, bytes) in cases {
        let path = folder.path().join("input.txt");
        fs::write(&path, bytes).unwrap();
        let sources = read_path(&path);
        let [(name, seen, ids, stopped)] = &sources[..] else { panic!("{container}: {sources:?}") };
        assert_eq!((seen.as_str(), stopped), (container, &None));
        assert_eq!(*ids, (1..=50).collect::<Vec<u64>>(), "{container}");
        assert!(name.starts_with(path.to_str().unwrap()) && (name.contains('!') == container.contains("tar")));
    }
}

#[test]
fn members_of_an_archive_are_sources_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all");
    fs::write(&path, tarball(&[("a.json", &lines(0..3)), ("README", b"read me"), ("b.json", &gzip(&lines(3..5)))]))
        .unwrap();
    let sources = read_path(&path);
    let names: Vec<&str> = sources.iter().map(|source| source.0.rsplit_once('!').unwrap().1).collect();
    assert_eq!(names, ["a.json", "README", "b.json"]);
    assert_eq!((&sources[0].2[..], &sources[2].2[..]), (&[1, 2, 3][..], &[4, 5][..]));
    assert!(sources[1].3.as_ref().unwrap().contains("\"read me\""), "{sources:?}");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("b.jsonl"), lines(0..2)).unwrap();
    fs::write(at("unknown"), b"\x7fELF\x02\x01\x01").unwrap();
    let inputs = ["missing", "unknown", "*.none", "b*", "[", "b.jsonl"]
        .map(|name| Input::Path(at(name).to_string_lossy().into_owned()));
    let sources = summary(read_events(&inputs, &options(1), &NoHistory));
    let stopped: Vec<&str> = sources.iter().map(|source| source.3.as_deref().unwrap_or("read")).collect();
    let expected = ["No such file", "7f 45 4c 46", "no file matches", "read", "bad file pattern", "read"];
    assert_eq!(stopped.len(), expected.len(), "{stopped:?}");
    for (stopped, expected) in stopped.iter().zip(expected) {
        assert!(stopped.contains(expected), "{stopped} / {expected}");
    }
    let asked = ReadOptions { format: Some("nonsense".into()), ..options(1) };
    let refused = summary(read_events(&path_input(&at("b.jsonl")), &asked, &NoHistory));
    assert!(refused[0].3.as_ref().unwrap().contains("otlp-proto-framed"), "{refused:?}");
}

#[test]
fn folders_are_walked_in_order_and_links_in_circles_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("b/c")).unwrap();
    fs::write(at("z"), lines(0..1)).unwrap();
    fs::write(at("b/c/y"), lines(1..2)).unwrap();
    fs::write(at("a"), b"").unwrap();
    fs::write(at(".hidden"), lines(5..6)).unwrap();
    symlink(folder.path(), at("b/up")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    let sources = read_path(folder.path());
    let seen: Vec<(&str, &[u64])> =
        sources.iter().map(|source| (source.0.rsplit_once('/').unwrap().1, &source.2[..])).collect();
    assert_eq!(seen, [("a", &[][..]), ("y", &[2]), ("dangling", &[]), ("z", &[1])]);
    assert_eq!(sources[0].3.as_deref(), Some("empty"));
    assert!(sources[2].3.as_ref().unwrap().contains("No such file"));
}

#[test]
fn an_archive_that_is_cut_off_keeps_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    for (name, whole) in [("gz", gzip(&lines(0..5_000))), ("zst", zstd(&lines(0..5_000))), ("xz", xz(&lines(0..5_000)))]
    {
        let path = folder.path().join(name);
        fs::write(&path, &whole[..whole.len() - 40]).unwrap();
        let sources = read_path(&path);
        assert!(sources[0].3.is_some(), "{name}");
        assert!(name == "xz" || !sources[0].2.is_empty(), "{name}: {} ids", sources[0].2.len());
    }
}

#[test]
fn an_expansion_without_measure_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb");
    let spaces = vec![b' '; 1 << 20];
    let mut encoder = zstd::Encoder::new(File::create(&path).unwrap(), 3).unwrap();
    encoder.write_all(request(0).as_bytes()).unwrap();
    (0..64).for_each(|_| encoder.write_all(&spaces).unwrap());
    encoder.finish().unwrap();
    let limits = Limits { expanded_bytes: 8 << 20, expansion: 100, ..Limits::default() };
    let sources = summary(read_events(&path_input(&path), &ReadOptions { limits, ..options(1) }, &NoHistory));
    assert!(sources[0].3.as_ref().unwrap().starts_with("refused: it expands"), "{:?}", sources[0].3);
    assert_eq!(sources[0].2, [1]);
    let allowed = summary(read_events(&path_input(&path), &options(1), &NoHistory));
    assert_eq!((allowed[0].3.as_ref(), &allowed[0].2[..]), (None, &[1][..]));
}

#[test]
fn a_pipe_shows_what_came_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (seen, wait) = bounded::<()>(1);
    let writer = {
        let path = path.clone();
        thread::spawn(move || {
            let mut pipe = File::options().write(true).open(path).unwrap();
            let text = lines(0..2);
            pipe.write_all(&text[..text.len() - 10]).unwrap();
            // The rest is written only when the first line was seen.
            wait.recv().unwrap();
            pipe.write_all(&text[text.len() - 10..]).unwrap();
        })
    };
    let mut ids = Vec::new();
    read(&path_input(&path), &options(1), &NoHistory, &mut |event| {
        if let Event::Batch(batch) = event {
            if ids.is_empty() && batch.num_records() > 0 {
                seen.send(()).unwrap();
            }
            ids.extend(batch.spans.span_id);
        }
        ControlFlow::Continue(())
    });
    writer.join().unwrap();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn a_report_that_breaks_ends_reading_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans");
    fs::write(&path, lines(0..20_000)).unwrap();
    let mut num_events = 0;
    read(&path_input(&path), &options(2), &NoHistory, &mut |event| {
        num_events += usize::from(!matches!(event, Event::Progress(_)));
        if num_events == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(num_events, 2);
}

/// The stretch of one stream that an earlier reading committed.
struct Earlier(Vec<Committed>);

impl History for Earlier {
    fn committed(&self, _head_hash: u64) -> Vec<Committed> {
        self.0.clone()
    }
}

#[test]
fn what_is_committed_is_skipped_where_it_is_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans");
    let text = lines(0..3_000);
    fs::write(&path, gzip(&text)).unwrap();
    let first = batches(read_events(&path_input(&path), &options(2), &NoHistory));
    assert!(first.len() > 2, "{}", first.len());
    for batch in &first {
        let committed = Committed { offset: batch.to_offset, prefix_hash: batch.prefix_hash };
        let wrong = Committed { offset: text.len() as u64 + 1, prefix_hash: 0 };
        let events = read_events(&path_input(&path), &options(2), &Earlier(vec![wrong, committed]));
        let Some(Event::Closed(end)) = events.last() else { panic!() };
        assert_eq!((end.bytes, end.skipped_bytes), (text.len() as u64, batch.to_offset));
        let before: usize = first.iter().filter(|one| one.to_offset <= batch.to_offset).map(Batch::num_records).sum();
        let ids: Vec<u64> = batches(events).iter().flat_map(|batch| batch.spans.span_id.clone()).collect();
        assert_eq!(ids, (before as u64 + 1..=3_000).collect::<Vec<u64>>());
    }
    let changed = Committed { offset: first[0].to_offset, prefix_hash: first[0].prefix_hash ^ 1 };
    let events = read_events(&path_input(&path), &options(1), &Earlier(vec![changed]));
    let Some(Event::Closed(end)) = events.last() else { panic!() };
    assert_eq!((end.skipped_bytes, batches(events).iter().map(Batch::num_records).sum::<usize>()), (0, 3_000));
}

#[test]
fn a_request_larger_than_the_window_is_read_record_by_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one");
    let span = |number: usize| {
        format!(r#"{{"traceId":"{0:032x}","spanId":"{0:016x}","name":"{1}"}}"#, number + 1, "n".repeat(80))
    };
    let spans: Vec<String> = (0..4_000).map(span).collect();
    let whole = format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}],"schemaUrl":"late"}}],"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}}}}]}}"#,
        spans.join(",\n")
    );
    fs::write(&path, &whole).unwrap();
    let limits = Limits { record_bytes: 64 << 10, ..Limits::default() };
    let events = read_events(&path_input(&path), &ReadOptions { limits, ..options(2) }, &NoHistory);
    let batches = batches(events);
    let ids: Vec<u64> = batches.iter().flat_map(|batch| batch.spans.span_id.clone()).collect();
    assert_eq!(ids, (1..=4_000).collect::<Vec<u64>>());
    let all_from_shop = batches.iter().all(|batch| batch.resources.iter().all(|resource| resource.service == "shop"));
    assert!(all_from_shop && batches.iter().all(|batch| batch.scopes.iter().all(|scope| scope.schema_url == "late")));
    let last = batches.last().unwrap();
    assert_eq!((last.to_offset, last.prefix_hash), (whole.len() as u64, xxhash_rust::xxh3::xxh3_64(whole.as_bytes())));
}

#[test]
fn a_record_larger_than_the_window_is_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long");
    let long = request(0).replacen("GET /", &"x".repeat(300_000), 1);
    fs::write(&path, format!("{}\n{long}\n{}\n", request(1), request(2))).unwrap();
    let limits = Limits { record_bytes: 64 << 10, ..Limits::default() };
    let batches = batches(read_events(&path_input(&path), &ReadOptions { limits, ..options(1) }, &NoHistory));
    let ids: Vec<u64> = batches.iter().flat_map(|batch| batch.spans.span_id.clone()).collect();
    let rejects: u64 = batches.iter().map(|batch| batch.rejects.count).sum();
    assert_eq!((ids, rejects), (vec![2, 3], 1));
}

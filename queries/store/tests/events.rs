//! Events of kernels, tracers and sockets: typed tables, one view over all.

use riftline_ingest::batch::Batch;
use riftline_ingest::column::{IntColumn, TextColumn, UnsignedColumn};
use riftline_ingest::event::{Clock, EventClass, Field, FieldValues, FlowKind, Gap};

use super::support::*;
use crate::cancel::Cancel;
use crate::store::{Access, Store};

fn class(name: &str) -> EventClass {
    EventClass { provider: "lttng-kernel".to_owned(), name: name.to_owned(), clock: "monotonic".to_owned() }
}

fn field<'a>(class: &'a mut riftline_ingest::event::ClassBatch, name: &str, new: FieldValues) -> &'a mut FieldValues {
    let at = class.fields.iter().position(|field| field.name == name).unwrap_or_else(|| {
        class.fields.push(Field { name: name.to_owned(), values: new });
        class.fields.len() - 1
    });
    &mut class.fields[at].values
}

/// A read that takes 30 ns, seen on thread 7 of CPU 0, with fields of every kind.
fn batch(store: &Store) -> Batch {
    let mut batch = Batch::new(&store.conventions());
    for (name, time) in [("syscall_entry_read", 100), ("sched_switch", 110), ("syscall_exit_read", 130)] {
        let number = batch.events.class(&class(name));
        let class = batch.events.begin(number, time).unwrap();
        class.cpu.push(0);
        class.tid.push(7);
        class.comm.push("nginx\u{1b}");
        if name == "sched_switch" {
            let FieldValues::Text(texts) = field(class, "prev_comm", FieldValues::Text(TextColumn::default())) else {
                panic!()
            };
            texts.push("say \"hi\"");
            let FieldValues::Unsigned(numbers) = field(class, "Addr", FieldValues::Unsigned(UnsignedColumn::default()))
            else {
                panic!()
            };
            numbers.push(u64::MAX);
            let FieldValues::Int(numbers) = field(class, "addr", FieldValues::Int(IntColumn::default())) else {
                panic!()
            };
            numbers.push(-1);
            let FieldValues::Json(texts) = field(class, "args", FieldValues::Json(TextColumn::default())) else {
                panic!()
            };
            texts.push("[1,\"2\"]");
            class.trace_hi.push(0x4bf9);
            class.trace_lo.push(0x36);
            class.span_id.push(0xb7);
        }
    }
    batch.flows.time_ns.push(120);
    batch.flows.kind.push(FlowKind::Retransmit);
    batch.flows.dst.push("127.0.0.1");
    batch.flows.dst_port.push(8080);
    batch.gaps.push(Gap {
        from_ns: 1,
        to_ns: 2,
        stream: "cpu 0".to_owned(),
        lost: Some(12),
        what: "events".to_owned(),
    });
    batch.clocks.push(Clock {
        name: "monotonic".to_owned(),
        offset_ns: None,
        frequency: 1_000_000_000,
        origin: "metadata".to_owned(),
    });
    batch.close();
    batch.to_offset = 3;
    batch
}

/// The one text that `sql` answers with.
fn text(store: &Store, sql: &str) -> String {
    texts(store, sql).remove(0)
}

fn write(store: &Store, batch: Batch) {
    let mut group = store.begin().unwrap();
    let mut source = group.source(&source_info("trace"), batch.from_offset).unwrap();
    group.append(&mut source, batch).unwrap();
    group.save(&mut source).unwrap();
    group.commit().unwrap();
}

const EVENTS: &str = "SELECT string_agg(concat_ws(' ', name, cpu, tid, comm, coalesce(CAST(duration_ns AS VARCHAR), '-'), fields, trace_id, span_id), '|' ORDER BY \"row\") FROM kernel_events";

#[test]
fn events_of_all_classes_are_one_view() {
    let store = Store::temporary().unwrap();
    let batch = batch(&store);
    write(&store, batch);
    store.settle(&Cancel::default()).unwrap();
    assert_eq!(
        text(&store, EVENTS),
        "syscall_entry_read 0 7 nginx\u{1b} 30 {}|sched_switch 0 7 nginx\u{1b} - \
         {\"prev_comm\":\"say \\\"hi\\\"\",\"Addr\":18446744073709551615,\"addr\":-1,\"args\":[1,\"2\"]} \
         0000000000004bf90000000000000036 00000000000000b7|syscall_exit_read 0 7 nginx\u{1b} - {}"
    );
    assert_eq!(text(&store, "SELECT kind || ' ' || dst || ' ' || dst_port FROM flows"), "retransmit 127.0.0.1 8080");
    assert_eq!(text(&store, "SELECT stream || ' ' || lost || ' ' || what FROM gaps"), "cpu 0 12 events");
    assert_eq!(text(&store, "SELECT name || ' ' || origin FROM clocks"), "monotonic metadata");
    assert_eq!(text(&store, "SELECT CAST(num_events AS VARCHAR) FROM sources"), "3");
    assert_eq!(
        text(&store, "SELECT prev_comm || CAST(addr AS VARCHAR) FROM events.\"lttng-kernel:sched_switch\""),
        "say \"hi\"18446744073709551615"
    );
}

#[test]
fn pairs_are_found_across_commits_and_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.rift");
    let single = |store: &Store, name: &str, time: i64| {
        let mut batch = Batch::new(&store.conventions());
        (batch.from_offset, batch.to_offset) = (u64::try_from(time).unwrap(), u64::try_from(time + 1).unwrap());
        let number = batch.events.class(&class(name));
        batch.events.begin(number, time).unwrap().tid.push(7);
        batch.close();
        write(store, batch);
        store.settle(&Cancel::default()).unwrap();
    };
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    single(&store, "irq_handler_entry", 0);
    drop(store);
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    single(&store, "irq_handler_exit", 1);
    single(&store, "irq_handler_exit", 2);
    let sql = "SELECT CAST(count(*) AS VARCHAR) || ' ' || CAST(sum(duration_ns) AS VARCHAR) FROM kernel_events";
    assert_eq!(text(&store, sql), "3 1");
    store.save_as(&folder.path().join("copy.rift")).unwrap();
    let copy = Store::open(&folder.path().join("copy.rift"), Access::ReadWrite).unwrap();
    assert_eq!(text(&copy, sql), "3 1");
}

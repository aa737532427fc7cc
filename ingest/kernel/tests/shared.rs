//! Facts about the shared captures.

use super::{class, class_row, decode, decode_shared, flow_row, shared};
use crate::batch::Batch;
use crate::clock::BOOTTIME;

fn num_events(batches: &[Batch], name: &str) -> usize {
    let classes = batches.iter().flat_map(|batch| &batch.events.classes);
    classes.filter(|class| class.class.name == name).map(crate::event::ClassBatch::len).sum()
}

fn num_rejects(batches: &[Batch]) -> u64 {
    batches.iter().map(|batch| batch.rejects.count).sum()
}

#[test]
fn states_of_sockets_become_events_flows_and_utc() {
    let name = "correlated/healthy/kernel/tcpstates.bt.json.gz";
    let Some(batches) = decode_shared(name, "bpftrace-json") else { return };
    assert_eq!((num_events(&batches, "tcpstates"), num_rejects(&batches)), (11_686, 0));
    assert_eq!(batches.iter().map(|batch| batch.flows.len()).sum::<usize>(), 11_686);
    let first = class(&batches[0], "tcpstates");
    // 2537441202702 since boot, and 1795175100528425513 between boot and UTC.
    assert_eq!((first.time_ns[0], first.class.clock.as_str()), (1_795_177_637_969_628_215, BOOTTIME));
    assert_eq!(batches[0].clocks[0].offset_ns, Some(1_795_175_100_528_425_513));
    assert!(
        flow_row(&batches[0], 0).contains(r#"state (Some("127.0.0.1"), Some(18398), Some("0.0.0.0"), Some(0))"#),
        "{}",
        flow_row(&batches[0], 0)
    );
}

#[test]
fn heads_of_http_give_their_trace() {
    let name = "correlated/healthy/kernel/traceparent.bt.json.gz";
    let Some(batches) = decode_shared(name, "bpftrace-json") else { return };
    assert_eq!(num_rejects(&batches), 0);
    let row = batches.iter().flat_map(|batch| &batch.events.classes).find_map(|class| {
        (0..class.len())
            .find(|&row| class.span_id.get(row) == Some(0x0d62_6546_e93a_d33c))
            .map(|row| class_row(class, row))
    });
    let row = row.unwrap();
    assert!(row.contains(r#"("bpf", "sendto", "boottime")"#), "{row}");
    assert!(row.contains("(None, Some(9931), Some(10012), Some(\"python\"), None)"), "{row}");
    assert!(row.contains("a754909ef473baee"), "{row}");
    assert!(row.contains(r#"http_method="GET" http_target="/stock/1014""#), "{row}");
}

#[test]
fn the_scheduler_of_perf_is_typed() {
    let Some(batches) = decode_shared("kernel/perf/perf.script.sched.txt.gz", "perf-script") else { return };
    assert_eq!(num_rejects(&batches), 0);
    let row = class_row(class(&batches[0], "sched_switch"), 0);
    assert_eq!(
        row,
        "(\"perf\", \"sched_switch\", \"sched\") 2221337665000 (Some(0), None, Some(31184), Some(\"perf\"), None) (None, None, None) \
         next_comm=\"migration/0\" next_pid=18 next_prio=0 prev_comm=\"perf\" prev_pid=31184 prev_prio=120 prev_state=\"D\" subsystem=\"sched\""
    );
}

#[test]
fn ftrace_is_read_whole() {
    let Some((path, bytes)) = shared("kernel/ftrace/trace_pipe.sched.txt.gz") else { return };
    let bytes = &bytes[..crate::lines::whole(&bytes[..1 << 20])];
    let batches = decode("ftrace", Some(&path), bytes, usize::MAX);
    assert_eq!(num_rejects(&batches), 0);
    assert_eq!(
        batches.iter().map(|batch| batch.events.len()).sum::<usize>(),
        memchr::memchr_iter(b'\n', bytes).count()
    );
    let Some(batches) = decode_shared("kernel/ftrace/trace_pipe.marker.txt.gz", "ftrace") else { return };
    let marks = class(&batches[0], "tracing_mark_write");
    let ids = (marks.trace_hi.get(0), marks.trace_lo.get(0), marks.span_id.get(0));
    assert_eq!(ids, (Some(0xf014_eb20_d59d_f30c), Some(0x6588_0880_00b6_f761), Some(0xa6de_37e9_d866_4941)));
}

#[test]
fn tables_of_libbpf_tools_are_typed() {
    let Some(batches) = decode_shared("kernel/libbpf-tools/tcplife.txt.gz", "bcc") else { return };
    assert_eq!(num_rejects(&batches), 0);
    let row = flow_row(&batches[0], 0);
    assert!(row.contains(r#"close (Some("127.0.0.1"), Some(39658), Some("127.0.0.1"), Some(18081))"#), "{row}");
    assert!(row.contains("(Some(15584), Some(0), Some(0), Some(50000))"), "{row}");
    let Some(batches) = decode_shared("kernel/libbpf-tools/runqslower.txt.gz", "bcc") else { return };
    let row = class_row(class(&batches[0], "runqslower"), 0);
    assert!(row.contains("(None, None, Some(15), Some(\"rcu_preempt\"), Some(345161000))"), "{row}");
}

#[test]
fn stacks_and_histograms_are_kept() {
    let Some(batches) = decode_shared("kernel/libbpf-tools/offcputime.txt.gz", "bcc") else { return };
    let row = class_row(class(&batches[0], "offcputime"), 0);
    assert!(row.contains("Some(19834), None, Some(\"python\"), Some(11992000)"), "{row}");
    let Some(batches) = decode_shared("kernel/libbpf-tools/runqlat.txt.gz", "bcc") else { return };
    assert_eq!((batches[0].metrics.len(), batches[0].metrics.name.get(0)), (3, Some("runqlat")));
    assert_eq!(
        batches[0].metrics.count.get(0),
        Some(32 + 56 + 91 + 156 + 37 + 33 + 19 + 8 + 12 + 25 + 38 + 280 + 129 + 119 + 72)
    );
}

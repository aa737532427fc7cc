//! How times become UTC.

use super::{WRITTEN_NS, class, decode, decode_text};
use crate::kernel::stamp::DAY_NS;

const LINE: &str = "Attaching 1 probe...\n2541728048801 1 a->b 127.0.0.1:1 127.0.0.1:2\n";

#[test]
fn a_file_beside_the_capture_tells_the_offset() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        (r#"{"realtime_minus_boottime_ns": 1795175100528425513}"#, 1_795_177_642_256_474_314),
        (r#"{"boottime_ns": 1000, "realtime_ns": 1795175100528426513}"#, 1_795_177_642_256_474_314),
        (r#"{"realtime_minus_monotonic_ns": 1795175100528425513}"#, 2_541_728_048_801),
        ("{broken", 2_541_728_048_801),
    ];
    for (text, expected) in files {
        std::fs::write(folder.path().join("clock.json"), text).unwrap();
        let batches = decode("bpftrace-text", Some(&folder.path().join("x.bt.txt")), LINE.as_bytes(), usize::MAX);
        assert_eq!(class(&batches[0], "tcpstates").time_ns[0], expected, "{text}");
        assert_eq!(batches[0].clocks[0].offset_ns.is_some(), expected > 1 << 60, "{text}");
    }
}

#[test]
fn a_line_with_both_clocks_tells_the_offset() {
    let begin = "Attaching 1 probe...\nclock boottime_ns=1000 realtime_ns=1795175100528426513\n";
    let batch = decode_text("bpftrace-text", "x", &LINE.replace("Attaching 1 probe...\n", begin));
    assert_eq!(class(&batch, "tcpstates").time_ns[0], 1_795_177_642_256_474_314);
    assert!(batch.clocks.iter().any(|clock| clock.name == "boottime" && clock.origin.contains("both clocks")));
}

#[test]
fn times_of_day_lie_before_the_file_was_written() {
    for (time, day) in [("06:30:11", 0), ("06:30:12", 0), ("06:30:13", 1), ("23:59:59.5", 1), ("00:00:00", 0)] {
        let text = format!("TIME     COMM             TID           LAT(us)\n{time} python 7 30\n");
        let batch = decode_text("bcc", "runqslower.txt", &text);
        let at = class(&batch, "runqslower").time_ns[0];
        let days = WRITTEN_NS.div_euclid(DAY_NS) - at.div_euclid(DAY_NS);
        assert!(at <= WRITTEN_NS && days == day, "{time}: {at}");
    }
}

#[test]
fn lines_without_a_time_say_so() {
    let batch = decode_text("bcc", "opensnoop.txt", "PID    COMM              FD ERR PATH\n1 a 3 0 /x y\n");
    let opened = class(&batch, "opensnoop");
    assert_eq!((opened.time_ns[0], opened.class.clock.as_str()), (WRITTEN_NS, "written"));
    assert!(batch.clocks[0].origin.contains("last written"));
}

//! `bpftrace -f json`: an object a line, `{"type": …, "data": …}`.
//!
//! What `printf` and `time` print is joined to lines and read as [`Text`] reads them; maps, histograms and statistics become
//! metric points.

use serde_json::{Map, Value as Json};

use crate::bpf::text::Text;
use crate::clock::WRITTEN;
use crate::kernel::lines::Lines;
use crate::kernel::out::{Out, Stamp};
use crate::kernel::point::{self, Bucket, Point, key_attributes};
use crate::kernel::stamp;
use crate::kernel::value::{Value, number};

/// Longest line that is joined.
const MAX_LINE: usize = 1 << 20;

/// Reads the objects of one stream.
pub(super) struct Objects {
    text: Text,
    /// What was printed of a line that has not ended.
    begun: String,
}

impl Objects {
    pub(super) fn new(text: Text) -> Self {
        Self { text, begun: String::new() }
    }

    fn object(&mut self, out: &mut Out, object: &Map<String, Json>) -> Option<()> {
        let kind = object.get("type")?.as_str()?;
        let data = object.get("data").unwrap_or(&Json::Null);
        match (kind, data) {
            ("attached_probes", _) => {}
            ("time", Json::String(text)) if stamp::leading(text).is_some_and(|(_, rest)| rest.is_empty()) => {
                let stamp = stamp::leading(text).map(|(stamp, _)| stamp)?;
                self.end_text(out);
                self.text.set_block(stamp);
            }
            ("lost_events", _) => self.text.lost(out, data.get("events").and_then(Json::as_u64), "events"),
            ("map" | "hist" | "stats" | "value", Json::Object(maps)) => {
                self.end_text(out);
                maps.iter().for_each(|(name, value)| self.map(out, name, value));
            }
            ("value", Json::Number(_)) => self.entry(out, "value", "", data),
            ("helper_error", _) => self.helper_error(out, object),
            (_, Json::String(text)) => self.print(out, text),
            _ => self.other(out, kind, data),
        }
        Some(())
    }

    /// Takes what was printed: lines that end in it, and the beginning of the next.
    fn print(&mut self, out: &mut Out, text: &str) {
        self.begun.push_str(text);
        if !text.contains('\n') && self.begun.len() < MAX_LINE {
            return;
        }
        let begun = std::mem::take(&mut self.begun);
        let (lines, rest) = begun.rsplit_once('\n').unwrap_or((&begun, ""));
        for line in lines.split('\n') {
            let _ = self.text.line(out, line);
        }
        rest.clone_into(&mut self.begun);
    }

    fn end_text(&mut self, out: &mut Out) {
        let begun = std::mem::take(&mut self.begun);
        if !begun.trim().is_empty() {
            let _ = self.text.line(out, &begun);
        }
    }

    fn stamp(&self) -> Stamp {
        self.text.block().unwrap_or(Stamp { clock: WRITTEN, ns: 0 })
    }

    /// Takes a map: a value, or values by key.
    fn map(&mut self, out: &mut Out, name: &str, value: &Json) {
        match value {
            Json::Object(entries) if !is_stats(entries) => {
                entries.iter().for_each(|(key, value)| self.entry(out, name, key, value));
            }
            _ => self.entry(out, name, "", value),
        }
    }

    fn entry(&mut self, out: &mut Out, name: &str, key: &str, value: &Json) {
        let stamp = self.stamp();
        let attributes = if key.is_empty() { String::new() } else { key_attributes(key) };
        let point = Point { name, unit: "", attributes: &attributes, stamp };
        match value {
            Json::Number(one) => match one.as_i64() {
                Some(one) => point::gauge(out, point, Value::Int(one)),
                None => point::gauge(out, point, Value::Double(one.as_f64().unwrap_or_default())),
            },
            Json::Object(stats) if is_stats(stats) => {
                let count = stats.get("count").and_then(Json::as_i64).unwrap_or_default();
                point::summary(out, point, count, stats.get("total").and_then(Json::as_f64));
            }
            Json::Array(all) if !all.is_empty() && all.iter().all(|one| bucket(one).is_some()) => {
                let buckets: Vec<Bucket> = all.iter().filter_map(bucket).collect();
                point::histogram(out, point, &buckets);
            }
            Json::String(text) if number(text).is_some() => point::gauge(out, point, Value::of(text)),
            _ => map_event(out, name, key, value, stamp),
        }
    }

    /// A call of a helper that failed: an event, and a gap where a map was full.
    fn helper_error(&mut self, out: &mut Out, object: &Map<String, Json>) {
        const FULL: [i64; 3] = [-7, -12, -28];
        let text = |name: &str| object.get(name).and_then(Json::as_str).unwrap_or_default();
        let code = object.get("retcode").and_then(Json::as_i64);
        if text("helper") == "map_update_elem" && code.is_some_and(|code| FULL.contains(&code)) {
            self.text.lost(out, None, "map entries");
        }
        let stamp = self.stamp();
        let Some(mut row) = out.event("helper_error", stamp) else { return };
        for (key, value) in object.iter().filter(|(key, _)| *key != "type") {
            match (value.as_i64(), value) {
                (Some(number), _) => row.field(key, Value::Int(number)),
                (None, Json::String(text)) => row.field(key, Value::Text(text)),
                _ => row.field(key, Value::Json(&value.to_string())),
            }
        }
    }

    /// An object of a type that is not known.
    fn other(&mut self, out: &mut Out, kind: &str, data: &Json) {
        let stamp = self.stamp();
        if let Some(mut row) = out.event(kind, stamp) {
            row.field("data", Value::Json(&data.to_string()));
        }
    }
}

fn map_event(out: &mut Out, name: &str, key: &str, value: &Json, stamp: Stamp) {
    let Some(mut row) = out.event("map", stamp) else { return };
    row.field("map", Value::Text(name));
    if !key.is_empty() {
        row.field("key", Value::Text(key));
    }
    match value {
        Json::String(text) => row.field("text", Value::Text(text)),
        _ => row.field("value", Value::Json(&value.to_string())),
    }
}

fn is_stats(object: &Map<String, Json>) -> bool {
    object.contains_key("count") && object.contains_key("average") && object.values().all(Json::is_number)
}

fn bucket(value: &Json) -> Option<Bucket> {
    let count = value.get("count")?.as_u64()?;
    let bound = |name: &str| value.get(name).and_then(Json::as_i64);
    Some(Bucket { min: bound("min"), max: bound("max"), count })
}

impl Lines for Objects {
    fn line(&mut self, out: &mut Out, line: &str) -> Result<(), &'static str> {
        if !line.starts_with('{') {
            return self.text.line(out, line);
        }
        match serde_json::from_str(line) {
            Ok(Json::Object(object)) => self.object(out, &object).ok_or("object without a type"),
            _ => Err("not a JSON object of bpftrace"),
        }
    }

    fn finish(&mut self, out: &mut Out) {
        self.end_text(out);
        self.text.finish(out);
    }

    fn is_open(&self) -> bool {
        !self.begun.is_empty() || self.text.is_open()
    }

    fn continues(&self, _line: &[u8]) -> bool {
        self.is_open()
    }
}

//! What eBPF tools print, line by line: tells tables, maps, histograms, stacks and printed lines apart.

use crate::bpf::hist;
use crate::bpf::map::{self, Entry};
use crate::bpf::notice::{Notice, notice};
use crate::bpf::printf;
use crate::bpf::stack::{self, Stack};
use crate::bpf::table::Table;
use crate::bpf::tool;
use crate::clock::WRITTEN;
use crate::format::Opening;
use crate::kernel::lines::{Lines, first};
use crate::kernel::out::{Out, Place, Stamp};
use crate::kernel::point::{self, Bucket, Point, key_attributes};
use crate::kernel::stamp;
use crate::kernel::value::Value;
use crate::otlp::text::{write_member, write_string};

/// Most buckets of a histogram.
const MAX_BUCKETS: usize = 4_096;

/// Reads what a tool prints.
#[derive(Default)]
pub(super) struct Text {
    /// The header that the stream begins with: pieces begin below it.
    header: Option<Table>,
    /// What the file is called after.
    stem: String,
    /// The tool that greeted or whose command stands above.
    tool: String,
    table: Option<Table>,
    /// The time that holds for what follows: a line of its own, or the last one.
    block: Option<Stamp>,
    entry: Entry,
    histogram: Option<Histogram>,
    /// Names and values that stand above a histogram.
    labels: Vec<(String, String)>,
    stack: Stack,
    /// The row that a stack may follow.
    row: Option<Place>,
}

struct Histogram {
    name: String,
    unit: String,
    attributes: String,
    stamp: Option<Stamp>,
    buckets: Vec<Bucket>,
}

impl Text {
    pub(super) fn new(opening: &Opening) -> Self {
        let header = first(&opening.head, true).find_map(Table::of);
        let stem = opening.path.as_deref().and_then(tool::of_path).unwrap_or_default().to_owned();
        let greeting = first(&opening.head, true).find_map(tool::of_greeting).unwrap_or_default();
        let mut text = Self { header, stem, ..Self::default() };
        greeting.clone_into(&mut text.tool);
        text.table = text.header.clone();
        text
    }

    /// Sets the time that holds for what follows.
    pub(super) fn set_block(&mut self, stamp: Stamp) {
        self.block = Some(stamp);
    }

    pub(super) fn block(&self) -> Option<Stamp> {
        self.block
    }

    fn tool_or<'a>(&'a self, known: Option<&'a str>, other: &'a str) -> &'a str {
        let names = [known.unwrap_or_default(), &self.tool, &self.stem, other];
        names.into_iter().find(|name| !name.is_empty()).unwrap_or(other)
    }

    /// Takes what goes on over several lines; tells whether `line` was part of it.
    fn goes_on(&mut self, out: &mut Out, line: &str) -> bool {
        if let Entry::Key(begun) = std::mem::replace(&mut self.entry, Entry::Done) {
            self.begin_entry(out, &format!("{begun}\n{line}"));
            return true;
        }
        let row = self.histogram.is_some().then(|| hist::row(line)).flatten();
        if let (Some(bucket), Some(histogram)) = (row, &mut self.histogram) {
            if histogram.buckets.len() < MAX_BUCKETS {
                histogram.buckets.push(bucket);
            }
            return true;
        }
        self.close_histogram(out);
        false
    }

    fn begin_entry(&mut self, out: &mut Out, text: &str) {
        match map::entry(out, text, self.block) {
            Some(Entry::Histogram { name, key }) => {
                let attributes = if key.is_empty() { String::new() } else { key_attributes(&key) };
                self.open_histogram(name, String::new(), attributes);
            }
            Some(entry) => self.entry = entry,
            None => {
                printf::line(out, text, self.block);
            }
        }
    }

    fn open_histogram(&mut self, name: String, unit: String, attributes: String) {
        self.histogram = Some(Histogram { name, unit, attributes, stamp: self.block, buckets: Vec::new() });
    }

    fn close_histogram(&mut self, out: &mut Out) {
        let Some(histogram) = self.histogram.take().filter(|histogram| !histogram.buckets.is_empty()) else { return };
        let stamp = histogram.stamp.unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
        let (name, unit, attributes) = (&histogram.name, &histogram.unit, &histogram.attributes);
        point::histogram(out, Point { name, unit, attributes, stamp }, &histogram.buckets);
    }

    /// Ends a stack: an event of its own, or part of the row above it.
    fn close_stack(&mut self, out: &mut Out) {
        let (lines, row) = (self.stack.take(), self.row.take());
        if lines.is_empty() || stack::event(out, self.tool_or(None, "stack"), &lines, self.block) {
            return;
        }
        if let Some(mut row) = row.and_then(|place| out.row_at(place)) {
            let frames: Vec<&str> = lines.iter().map(String::as_str).collect();
            row.field("frames", Value::Json(&stack::frames(&frames)));
            return;
        }
        for line in lines {
            self.other(out, &line);
        }
    }

    fn labels_json(&mut self) -> String {
        let mut json = Vec::new();
        for (name, text) in std::mem::take(&mut self.labels) {
            json.push(if json.is_empty() { b'{' } else { b',' });
            let mut member = Vec::from(b"{");
            write_member(&mut member, &name);
            write_string(&mut member, text.as_bytes());
            json.extend_from_slice(member.get(1..).unwrap_or_default());
        }
        if !json.is_empty() {
            json.push(b'}');
        }
        String::from_utf8(json).unwrap_or_default()
    }

    /// Takes lines that say something about those below them.
    fn heading(&mut self, line: &str, text: &str) -> bool {
        if let Some(value) = hist::header(text) {
            let unit = hist::unit(value).to_owned();
            let fallback = if unit.is_empty() { value } else { "histogram" };
            let (name, attributes) = (self.tool_or(None, fallback).to_owned(), self.labels_json());
            self.open_histogram(name, unit, attributes);
            return true;
        }
        if let Some(table) = Table::of(text) {
            self.table = Some(table);
            return true;
        }
        if let Some(tool) = tool::of_prompt(line) {
            (self.tool, self.table, self.block) = (tool.to_owned(), None, None);
            return true;
        }
        self.time_alone(text) || self.label(text)
    }

    /// `12:20:11`, `[12:20:11]`, `19:46:24 loadavg: …`.
    fn time_alone(&mut self, text: &str) -> bool {
        match stamp::leading(text) {
            Some((stamp, rest)) if rest.is_empty() && text.contains(':') || rest.starts_with("loadavg:") => {
                self.block = Some(stamp);
                true
            }
            _ => false,
        }
    }

    /// `disk = 'xvda1'`, `pid = 123 bash`: what the histogram below is of.
    fn label(&mut self, text: &str) -> bool {
        let Some((name, value)) = text.split_once(" = ") else { return false };
        let is_name = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_label = is_name && value.len() <= 128 && self.labels.len() < 8 && self.table.is_none();
        if is_label {
            self.labels.push((name.to_owned(), value.trim_matches(['\'', '"']).trim_start_matches("b'").to_owned()));
        }
        is_label
    }

    /// Takes a line that stands for itself.
    fn other(&mut self, out: &mut Out, text: &str) {
        self.labels.clear();
        if stack::folded(text).is_some() {
            let tool = self.tool_or(None, "stack").to_owned();
            if stack::folded_event(out, &tool, text, self.block) {
                return;
            }
        }
        if let Some(stamp) = printf::line(out, text, self.block) {
            self.block = Some(stamp);
        }
    }

    fn table_row(&mut self, out: &mut Out, text: &str) -> bool {
        let Some(table) = self.table.take() else { return false };
        let tool = self.tool_or(table.tool, "table").to_owned();
        let place = table.row(out, &tool, text, self.block);
        self.table = Some(table);
        self.row = place.or(self.row);
        place.is_some()
    }

    /// Takes a notice of the tool; tells whether the line was one.
    fn notice(&mut self, out: &mut Out, text: &str) -> bool {
        match notice(text) {
            None => return false,
            Some(Notice::Noise) => {}
            Some(Notice::Lost { count, what }) => self.lost(out, count, what),
        }
        if let Some(tool) = tool::of_greeting(text) {
            tool.clone_into(&mut self.tool);
        }
        true
    }

    /// Notes a gap at the time of the lines around it.
    pub(super) fn lost(&mut self, out: &mut Out, count: Option<u64>, what: &str) {
        let time_ns = out.time(self.block.unwrap_or(Stamp { clock: WRITTEN, ns: 0 }));
        let stream = self.tool_or(None, "bpf").to_owned();
        out.gap(time_ns, time_ns, &stream, count, what);
    }
}

impl Lines for Text {
    fn line(&mut self, out: &mut Out, line: &str) -> Result<(), &'static str> {
        if self.goes_on(out, line) {
            return Ok(());
        }
        let text = line.trim();
        if text.is_empty() {
            self.close_stack(out);
            return Ok(());
        }
        let is_indented = line.starts_with([' ', '\t']);
        if !is_indented || self.stack.is_empty() {
            if !is_indented {
                self.close_stack(out);
            }
            if self.notice(out, text) || self.heading(line, text) || self.table_row(out, text) {
                return Ok(());
            }
        }
        let after_time = stamp::leading(text).filter(|(_, rest)| map::is_begin(rest));
        if let Some((stamp, rest)) = after_time {
            self.block = Some(stamp);
            self.begin_entry(out, rest);
        } else if map::is_begin(text) {
            self.begin_entry(out, text);
        } else if is_indented {
            self.stack.push(line);
        } else {
            self.other(out, text);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out) {
        if let Entry::Key(begun) = std::mem::replace(&mut self.entry, Entry::Done) {
            self.other(out, &begun);
        }
        self.close_histogram(out);
        self.close_stack(out);
        (self.table, self.block) = (self.header.clone(), None);
        self.labels.clear();
    }

    fn is_open(&self) -> bool {
        self.entry != Entry::Done || self.histogram.is_some() || !self.stack.is_empty() || !self.labels.is_empty()
    }

    fn continues(&self, line: &[u8]) -> bool {
        let is_indented = line.first().is_some_and(u8::is_ascii_whitespace);
        let is_row = || {
            let line = std::str::from_utf8(line).unwrap_or_default();
            self.table.as_ref().is_some_and(|table| table.is_row(line))
        };
        self.is_open() || (self.row.is_some() && is_indented && !is_row())
    }
}

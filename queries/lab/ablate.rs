//! Tears traces in known ways: takes ids, parents, kinds, attributes, headers or spans out of rows of the view `spans`, moves
//! clocks, packs traces closer in time, and keeps the truth.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use crate::chance::Chance;
use crate::table::{Cell, Table, Values};

/// What is done to the spans.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is taken out or not")]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ablation {
    pub trace_id: bool,
    pub parent_span_id: bool,
    pub kind: bool,
    pub attributes: bool,
    pub headers: bool,
    pub at: Place,
    /// Share of the calls at `at` that it happens to.
    pub rate: f64,
    /// Share of all spans that are lost.
    pub loss: f64,
    /// Each service's clock is moved by up to this many nanoseconds.
    pub skew_ns: i64,
    /// How many times closer in time traces begin.
    pub pack: f64,
    pub seed: u64,
}

/// Where it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// Wherever one service calls another.
    #[default]
    Everywhere,
    /// Where the first calls the second.
    Edge(String, String),
    /// Inside a service: its own calls begin traces.
    Inside(String),
}

impl Place {
    /// Reads `CALLER->CALLEE` or a service.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once("->") {
            Some((caller, callee)) => Self::Edge(caller.trim().to_owned(), callee.trim().to_owned()),
            None => Self::Inside(text.trim().to_owned()),
        }
    }
}

/// Torn rows, and one line of JSON for each span that lost its parent.
#[derive(Debug, Default)]
pub struct Torn {
    pub table: Table,
    pub truth: Vec<String>,
}

/// The columns that decide.
struct Spans {
    trace: Vec<u128>,
    span: Vec<u64>,
    /// 0 where there is none.
    parent_id: Vec<u64>,
    parent: Vec<Option<usize>>,
    service: Vec<String>,
    kind: Vec<String>,
    start_ns: Vec<i64>,
}

/// Tears `table`, which has the columns of the view `spans`. `repetition` gives fresh ids, and times behind the last's.
#[must_use]
pub fn ablate(table: &Table, ablation: &Ablation, repetition: u32) -> Torn {
    let spans = Spans::read(table);
    let mut chance = Chance::new(ablation.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(repetition)));
    let torn: Vec<bool> =
        (0..spans.len()).map(|at| spans.is_at(at, &ablation.at) && chance.share() < ablation.rate).collect();
    let kept: Vec<bool> = (0..spans.len()).map(|_| chance.share() >= ablation.loss).collect();
    let ids = Ids::new(&spans, ablation, &torn, repetition, &mut chance);
    let times = times(&spans, ablation, repetition, &mut chance);
    let truth = (0..spans.len()).filter(|&at| torn[at] && (ablation.trace_id || ablation.parent_span_id));
    let truth = truth.map(|at| ids.truth(&spans, at, &kept)).collect();
    let mut table = table.clone();
    for column in &mut table.columns {
        let cut = Cut { spans: &spans, ablation, torn: &torn, ids: &ids, times: &times };
        cut.change(&column.name, &mut column.values);
    }
    let rows: Vec<usize> = (0..spans.len()).filter(|&at| kept[at]).collect();
    Torn { table: table.pick(&rows), truth }
}

impl Spans {
    fn read(table: &Table) -> Self {
        let text = |at: usize, name: &str| match table.get(at, name) {
            Cell::Text(text) => text.to_owned(),
            _ => String::new(),
        };
        let rows = 0..table.num_rows();
        let number = |at: usize| if let Cell::Int(time) = table.get(at, "start_ns") { time } else { 0 };
        let mut spans = Self {
            trace: rows.clone().map(|at| u128::from_str_radix(&text(at, "trace_id"), 16).unwrap_or(0)).collect(),
            span: rows.clone().map(|at| u64::from_str_radix(&text(at, "span_id"), 16).unwrap_or(0)).collect(),
            parent_id: rows
                .clone()
                .map(|at| u64::from_str_radix(&text(at, "parent_span_id"), 16).unwrap_or(0))
                .collect(),
            parent: Vec::new(),
            service: rows.clone().map(|at| text(at, "service")).collect(),
            kind: rows.clone().map(|at| text(at, "kind")).collect(),
            start_ns: rows.map(number).collect(),
        };
        let places: HashMap<(u128, u64), usize> =
            (0..spans.len()).map(|at| ((spans.trace[at], spans.span[at]), at)).collect();
        let parent =
            |at: usize| places.get(&(spans.trace[at], spans.parent_id[at])).copied().filter(|&parent| parent != at);
        spans.parent = (0..spans.len()).map(parent).collect();
        spans
    }

    fn len(&self) -> usize {
        self.trace.len()
    }

    fn is_at(&self, at: usize, place: &Place) -> bool {
        let Some(parent) = self.parent[at] else { return false };
        let (from, to) = (&self.service[parent], &self.service[at]);
        match place {
            Place::Everywhere => from != to,
            Place::Edge(caller, callee) => from == caller && to == callee,
            Place::Inside(service) => {
                from == service && to == service && matches!(self.kind[at].as_str(), "client" | "producer")
            }
        }
    }

    /// The nearest span up the tree, itself too, that `is` holds of. Bounded, so that a ring ends.
    fn nearest(&self, at: usize, is: &[bool]) -> Option<usize> {
        let (mut at, mut steps) = (at, 0);
        while !is[at] {
            at = self.parent[at].filter(|_| steps < 10_000)?;
            steps += 1;
        }
        Some(at)
    }
}

/// The ids after tearing.
struct Ids {
    trace: Vec<u128>,
    /// Changes span ids, the same for all of a repetition.
    span_mask: u64,
}

impl Ids {
    fn new(spans: &Spans, ablation: &Ablation, torn: &[bool], repetition: u32, chance: &mut Chance) -> Self {
        let (trace_mask, span_mask) = if repetition == 0 { (0, 0) } else { (chance.trace_id(), chance.number() >> 1) };
        let mut fresh: BTreeMap<usize, u128> = BTreeMap::new();
        let trace = |at: usize| {
            let root = if ablation.trace_id { spans.nearest(at, torn) } else { None };
            match root {
                Some(root) => *fresh.entry(root).or_insert_with(|| chance.trace_id()),
                None => spans.trace[at] ^ trace_mask,
            }
        };
        Self { trace: (0..spans.len()).map(trace).collect(), span_mask }
    }

    fn span(&self, id: u64) -> u64 {
        if id == 0 { 0 } else { (id ^ self.span_mask).max(1) }
    }

    fn truth(&self, spans: &Spans, at: usize, kept: &[bool]) -> String {
        let parent = spans.parent[at].unwrap_or(at);
        json!({
            "child_trace": format!("{:032x}", self.trace[at]),
            "child_span": format!("{:016x}", self.span(spans.span[at])),
            "parent_trace": format!("{:032x}", self.trace[parent]),
            "parent_span": format!("{:016x}", self.span(spans.span[parent])),
            "original_trace": format!("{:032x}", spans.trace[at]),
            "both_kept": kept[at] && kept[parent],
        })
        .to_string()
    }
}

/// Start times after packing, moving clocks and repeating.
fn times(spans: &Spans, ablation: &Ablation, repetition: u32, chance: &mut Chance) -> Vec<i64> {
    let mut begin: HashMap<u128, i64> = HashMap::new();
    for at in 0..spans.len() {
        let start = begin.entry(spans.trace[at]).or_insert(i64::MAX);
        *start = (*start).min(spans.start_ns[at]);
    }
    let first = begin.values().copied().min().unwrap_or(0);
    let last = spans.start_ns.iter().copied().max().unwrap_or(0);
    let length = last.saturating_sub(first).saturating_add(1_000_000_000);
    let mut clocks: BTreeMap<&str, i64> = spans.service.iter().map(|service| (service.as_str(), 0)).collect();
    clocks.values_mut().for_each(|clock| *clock = ((chance.share() * 2.0 - 1.0) * ablation.skew_ns as f64) as i64);
    let pack = if ablation.pack > 0.0 { ablation.pack } else { 1.0 };
    let moved = |at: usize| {
        let begin = begin[&spans.trace[at]];
        let closer = ((begin.saturating_sub(first)) as f64 * (1.0 - 1.0 / pack)) as i64;
        let later = (length as f64 / pack) as i64 * i64::from(repetition);
        spans.start_ns[at]
            .saturating_sub(closer)
            .saturating_add(clocks[spans.service[at].as_str()])
            .saturating_add(later)
    };
    (0..spans.len()).map(moved).collect()
}

/// What is written into the columns.
struct Cut<'a> {
    spans: &'a Spans,
    ablation: &'a Ablation,
    torn: &'a [bool],
    ids: &'a Ids,
    times: &'a [i64],
}

impl Cut<'_> {
    fn change(&self, name: &str, values: &mut Values) {
        let all = 0..self.spans.len();
        let hex = |id: u64| (id != 0).then(|| format!("{id:016x}").into());
        match name {
            "trace_id" => {
                *values = Values::Text(all.map(|at| Some(format!("{:032x}", self.ids.trace[at]).into())).collect());
            }
            "span_id" => *values = Values::Text(all.map(|at| hex(self.ids.span(self.spans.span[at]))).collect()),
            "parent_span_id" => {
                let parent =
                    |at: usize| if self.loses_parent(at) { 0 } else { self.ids.span(self.spans.parent_id[at]) };
                *values = Values::Text(all.map(|at| hex(parent(at))).collect());
            }
            "start_ns" => *values = Values::Int(all.map(|at| Some(self.times[at])).collect()),
            // Their times are not moved along.
            "events" if self.times != self.spans.start_ns => *values = Values::Json(all.map(|_| None).collect()),
            "kind" if self.ablation.kind => *values = Values::Text(all.map(|_| Some("unspecified".into())).collect()),
            "attributes" => self.attributes(values),
            "links" if self.ablation.headers => *values = Values::Json(all.map(|_| None).collect()),
            _ => {}
        }
    }

    fn loses_parent(&self, at: usize) -> bool {
        self.torn[at] && (self.ablation.trace_id || self.ablation.parent_span_id)
    }

    fn attributes(&self, values: &mut Values) {
        let Values::Json(all) = values else { return };
        if self.ablation.attributes {
            all.iter_mut().for_each(|value| *value = None);
        } else if self.ablation.headers {
            all.iter_mut().flatten().for_each(|value| *value = without_headers(value));
        }
    }
}

fn without_headers(attributes: &str) -> Box<str> {
    let Ok(Value::Object(members)) = serde_json::from_str(attributes) else { return attributes.into() };
    let is_header = |key: &str| key.contains(".request.header.") || key.contains(".metadata.");
    let kept: Map<String, Value> = members.into_iter().filter(|(key, _)| !is_header(key)).collect();
    Value::Object(kept).to_string().into()
}

#[cfg(test)]
mod tests;

//! Values that tell one request from another: numbers, UUIDs and other ids in URLs, attributes and log records.
//!
//! A value on both sides of a torn edge says that they belong together the more surely the fewer others have it. Which value is
//! rare enough is for those to say who ask: see [`Keys::num_traces`].

use hashbrown::HashMap;

use crate::trace::window::{NONE, Rows, Symbol, Window, key};

mod scan;

/// A value on so many traces that it tells nothing is left out.
const MAX_TRACES: u32 = 1 << 10;

/// The values of all spans and traces. A value is known by a number; equal values have equal numbers.
#[derive(Debug, Default)]
pub struct Keys {
    texts: Vec<String>,
    num_traces: Vec<u32>,
    spans: Rows<u32>,
    traces: Rows<u32>,
}

impl Keys {
    /// Looks through the URLs, ids and log records of all spans.
    #[must_use]
    pub fn find(window: &Window) -> Self {
        let mut finder = Finder::default();
        for span in window.spans() {
            finder.span(window, span);
        }
        finder.logs(window);
        finder.finish(window)
    }

    /// Returns the values of a span and of the log records that name it, ascending.
    #[must_use]
    pub fn of_span(&self, span: u32) -> &[u32] {
        self.spans.get(span as usize)
    }

    /// Returns the values of all spans and log records of a trace (an index into [`Window::traces`]), ascending.
    #[must_use]
    pub fn of_trace(&self, trace: u32) -> &[u32] {
        self.traces.get(trace as usize)
    }

    /// Returns how many traces have a value.
    #[must_use]
    pub fn num_traces(&self, value: u32) -> u32 {
        self.num_traces.get(value as usize).copied().unwrap_or(0)
    }

    /// Returns the value as text, in lower case.
    #[must_use]
    pub fn text(&self, value: u32) -> &str {
        self.texts.get(value as usize).map_or("", String::as_str)
    }

    /// Returns the first value that both lists have.
    #[must_use]
    pub fn shared(one: &[u32], other: &[u32]) -> Option<u32> {
        let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
        short.iter().copied().find(|value| long.binary_search(value).is_ok())
    }
}

#[derive(Debug, Default)]
struct Finder {
    numbers: HashMap<String, u32>,
    /// Values of texts that were looked through before: symbols repeat.
    urls: HashMap<Symbol, Vec<u32>>,
    bodies: HashMap<Symbol, Vec<u32>>,
    ids: HashMap<Symbol, Vec<u32>>,
    is_id: HashMap<Symbol, bool>,
    /// Span, value.
    spans: Vec<(u32, u32)>,
    /// Trace, value.
    traces: Vec<(u32, u32)>,
}

impl Finder {
    fn span(&mut self, window: &Window, span: u32) {
        for &(key, value) in window.attributes(span) {
            let values = if is_url(key) { self.url(window, value) } else { self.attribute(window, key, value) };
            self.push(window, span, &values);
        }
    }

    fn push(&mut self, window: &Window, span: u32, values: &[u32]) {
        let Some(&trace) = window.trace.get(span as usize) else { return };
        self.spans.extend(values.iter().map(|&value| (span, value)));
        self.traces.extend(values.iter().map(|&value| (trace, value)));
    }

    fn url(&mut self, window: &Window, symbol: Symbol) -> Vec<u32> {
        let numbers = &mut self.numbers;
        let found = self.urls.entry(symbol);
        found.or_insert_with(|| collect(numbers, |found| scan::url(window.text(symbol), found))).clone()
    }

    fn body(&mut self, window: &Window, symbol: Symbol) -> Vec<u32> {
        let numbers = &mut self.numbers;
        let found = self.bodies.entry(symbol);
        found.or_insert_with(|| collect(numbers, |found| scan::text(window.text(symbol), found))).clone()
    }

    fn attribute(&mut self, window: &Window, key: Symbol, value: Symbol) -> Vec<u32> {
        if !*self.is_id.entry(key).or_insert_with(|| scan::is_id_key(window.text(key))) {
            return Vec::new();
        }
        let numbers = &mut self.numbers;
        let found = self.ids.entry(value);
        found.or_insert_with(|| collect(numbers, |found| scan::id(window.text(value), found))).clone()
    }

    /// Log records speak for the span that they name, or for its trace where the span is not there.
    fn logs(&mut self, window: &Window) {
        if window.logs.time_ns.is_empty() {
            return;
        }
        let places = places(window);
        let traces: HashMap<u128, u32> = window.traces.iter().zip(0..).map(|(&id, at)| (id, at)).collect();
        for log in 0..window.logs.time_ns.len() {
            let id = window.logs.trace_id.get(log).copied().unwrap_or(0);
            let Some(&trace) = traces.get(&id) else { continue };
            let span_id = window.logs.span_id.get(log).copied().unwrap_or(0);
            let span = places.get(&(trace, span_id)).copied().unwrap_or(NONE);
            let values = self.log(window, log);
            self.traces.extend(values.iter().map(|&value| (trace, value)));
            if span != NONE {
                self.spans.extend(values.iter().map(|&value| (span, value)));
            }
        }
    }

    fn log(&mut self, window: &Window, log: usize) -> Vec<u32> {
        let body = window.logs.body.get(log).copied().unwrap_or_default();
        let mut values = self.body(window, body);
        for &(key, value) in window.log_attributes(log) {
            values.extend(self.attribute(window, key, value));
        }
        values
    }

    fn finish(mut self, window: &Window) -> Keys {
        self.traces.sort_unstable();
        self.traces.dedup();
        let mut num_traces = vec![0; self.numbers.len()];
        self.traces.iter().for_each(|&(_, value)| num_traces[value as usize] += 1);
        let is_rare = |pair: &(u32, u32)| num_traces[pair.1 as usize] <= MAX_TRACES;
        self.traces.retain(is_rare);
        self.spans.retain(is_rare);
        self.spans.sort_unstable();
        self.spans.dedup();
        let mut texts = vec![String::new(); self.numbers.len()];
        self.numbers.into_iter().for_each(|(text, number)| texts[number as usize] = text);
        Keys {
            spans: rows(window.len(), &self.spans),
            traces: rows(window.traces.len(), &self.traces),
            texts,
            num_traces,
        }
    }
}

fn collect(numbers: &mut HashMap<String, u32>, scan: impl FnOnce(&mut dyn FnMut(&str))) -> Vec<u32> {
    let mut values = Vec::new();
    scan(&mut |text| {
        let next = numbers.len() as u32;
        values.push(*numbers.entry(text.to_ascii_lowercase()).or_insert(next));
    });
    values
}

fn is_url(key: Symbol) -> bool {
    [key::URL_FULL, key::URL_PATH, key::URL_QUERY, key::HTTP_TARGET].contains(&key)
}

fn places(window: &Window) -> HashMap<(u32, u64), u32> {
    let mut places = HashMap::with_capacity(window.len());
    for span in window.spans() {
        places.entry((window.trace[span as usize], window.span_id[span as usize])).or_insert(span);
    }
    places
}

/// Takes sorted pairs of row and value.
fn rows(num: usize, pairs: &[(u32, u32)]) -> Rows<u32> {
    let mut rows = Rows::default();
    let mut rest = pairs;
    for row in 0..num as u32 {
        let (here, after) = rest.split_at(rest.partition_point(|pair| pair.0 <= row));
        rows.push(here.iter().map(|pair| pair.1));
        rest = after;
    }
    rows
}

#[cfg(test)]
mod tests;

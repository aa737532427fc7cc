//! One trace as a page that needs nothing else: no script, no network, readable for years.

use std::io::{self, Write};

use riftline_ingest::text::inert;
use riftline_queries::table::{Cell, Table};
use riftline_queries::trace::assemble::Place;

use super::rows::{ERROR, Trace, text};
use super::tree::counted;
use crate::humane::{self, Zone};

/// Deeper spans are not indented further.
const MAX_INDENT: u32 = 24;
/// Columns that stand in the summary line already, or say nothing to people.
const SUMMARY_COLUMNS: [&str; 7] = ["trace_id", "service", "name", "start_ns", "duration_ns", "source_id", "run_id"];

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--bar:#4a86c8;--bad:#d0433b}\
body{font:14px/1.45 system-ui,sans-serif;margin:1.5rem;max-width:110rem}\
h1{font-size:1.2rem;margin:0}code,td,.time{font-family:ui-monospace,monospace}\
p{margin:.3rem 0 1rem;opacity:.75}\
summary{display:grid;grid-template-columns:minmax(14rem,38%) 1fr 6.5rem;gap:.8rem;align-items:center;\
padding:.15rem .3rem;border-bottom:1px solid var(--line);cursor:pointer;list-style:none}\
summary:hover{background:#8882}.label{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}\
.service{opacity:.7}.lane{position:relative;height:.8rem}\
.bar{position:absolute;top:0;bottom:0;min-width:2px;background:var(--bar);border-radius:2px}\
.error .bar{background:var(--bad)}.error .label,.note{color:var(--bad)}.time{text-align:right}\
table{border-collapse:collapse;margin:.3rem 0 .8rem 1.5rem}td{padding:.1rem .6rem;vertical-align:top;font-size:12px;\
overflow-wrap:anywhere;border-bottom:1px solid var(--line)}td:first-child{opacity:.7;white-space:nowrap}";

/// Prints the page.
pub fn print(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    let (start, end) = trace.extent();
    let root = trace.tree.order.first().map(|&span| trace.spans.name(span as usize)).unwrap_or_default();
    let (id, root) = (escaped(trace.id()), escaped(root));
    write!(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{root} {id}</title>\n")?;
    out.write_all(
        b"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    )?;
    write!(out, "<style>{STYLE}</style></head><body>\n<h1>{root}</h1>\n<p><code>{id}</code> · ")?;
    let counts = [(trace.spans.len(), "span"), (trace.num_services(), "service"), (trace.num_errors(), "error")];
    let counts = counts.map(|(number, noun)| counted(number, noun)).join(" · ");
    write!(out, "{} · {counts} · ", humane::duration(end.saturating_sub(start)))?;
    writeln!(out, "{}</p>", humane::rfc3339(start, Zone::Utc))?;
    trace.tree.order.iter().try_for_each(|&span| print_span(trace, span as usize, (start, end), out))?;
    out.write_all(b"</body></html>\n")
}

fn print_span(trace: &Trace, span: usize, extent: (i64, i64), out: &mut dyn Write) -> io::Result<()> {
    let spans = &trace.spans;
    let class = if spans.status.get(span) == Some(&ERROR) { " class=\"error\"" } else { "" };
    let depth = trace.tree.depth.get(span).copied().unwrap_or_default().min(MAX_INDENT);
    let (left, width) = place_of_bar(trace, span, extent);
    write!(out, "<details{class}><summary><span class=\"label\" style=\"padding-left:{depth}rem\">")?;
    write!(out, "<span class=\"service\">{}</span> {}", escaped(spans.service(span)), escaped(spans.name(span)))?;
    write!(out, "{}</span>", note(trace, span))?;
    write!(out, "<span class=\"lane\"><span class=\"bar\" style=\"left:{left:.3}%;width:{width:.3}%\"></span></span>")?;
    let duration = humane::duration(spans.duration_ns.get(span).copied().unwrap_or_default());
    writeln!(out, "<span class=\"time\">{duration}</span></summary><table>")?;
    print_details(&trace.table, span, out)?;
    out.write_all(b"</table></details>\n")
}

/// Returns where a bar begins and how wide it is, in percent of the trace.
fn place_of_bar(trace: &Trace, span: usize, (start, end): (i64, i64)) -> (f64, f64) {
    let total = end.saturating_sub(start).max(1) as f64;
    let share = |time_ns: i64| (time_ns.saturating_sub(start) as f64 / total * 100.0).clamp(0.0, 100.0);
    let left = share(trace.spans.start_ns.get(span).copied().unwrap_or_default());
    (left, share(trace.spans.end_ns(span)) - left)
}

fn note(trace: &Trace, span: usize) -> &'static str {
    match trace.tree.place.get(span) {
        Some(Place::Orphan) => " <span class=\"note\">✂ its parent is not here</span>",
        Some(Place::CycleCut) => " <span class=\"note\">↻ parents form a ring, cut here</span>",
        Some(Place::Root | Place::Child) | None => "",
    }
}

/// Prints every value that the span has; attributes one a line.
fn print_details(table: &Table, span: usize, out: &mut dyn Write) -> io::Result<()> {
    for (index, column) in table.columns.iter().enumerate() {
        let cell = table.cell(span, index);
        let is_convention = index > 0 && !super::nested::is_shown(&column.name);
        if cell == Cell::Null || is_convention || SUMMARY_COLUMNS.contains(&column.name.as_str()) {
            continue;
        }
        let object: Option<serde_json::Map<String, serde_json::Value>> =
            matches!(column.name.as_str(), "attributes" | "resource")
                .then(|| serde_json::from_str(text(cell)).ok())
                .flatten();
        match object {
            Some(object) => {
                object.iter().try_for_each(|(key, value)| print_detail(key, &plain(value), out))?;
            }
            None => print_detail(&column.name, &crate::format::exact(cell).unwrap_or_default(), out)?,
        }
    }
    Ok(())
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn print_detail(key: &str, value: &str, out: &mut dyn Write) -> io::Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    writeln!(out, "<tr><td>{}</td><td>{}</td></tr>", escaped(key), escaped(value))
}

/// Returns text that a browser takes for nothing but text.
fn escaped(text: &str) -> String {
    let shown = inert(text);
    let mut escaped = String::with_capacity(shown.len());
    for letter in shown.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

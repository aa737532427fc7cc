//! Puts what is known of one event into the columns of its class.

use crate::column::{BoolColumn, DoubleColumn, IntColumn, TextColumn};
use crate::event::{ClassBatch, Field, FieldValues};
use crate::kernel::value::Value;
use crate::otlp::attribute::cut;

/// Most fields of a class; a line that has more names than any tool prints is no line of a tool.
const MAX_FIELDS: usize = 512;

/// Longest name of a field.
const MAX_NAME: usize = 128;

/// The row of the event that was begun last.
pub(crate) struct Row<'a> {
    class: &'a mut ClassBatch,
    number: usize,
    /// Where the next field is, if this event has the fields of the one before it.
    next: usize,
    max_text: usize,
}

macro_rules! set_int {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        pub(crate) fn $name(&mut self, value: i64) {
            put_int(&mut self.class.$name, self.number, value);
        }
    };
}

impl<'a> Row<'a> {
    pub(crate) fn new(class: &'a mut ClassBatch, max_text: usize) -> Self {
        let row = class.row();
        Self::at(class, row, max_text)
    }

    pub(crate) fn at(class: &'a mut ClassBatch, row: usize, max_text: usize) -> Self {
        Self { class, number: row, next: 0, max_text }
    }

    set_int!(cpu, "Sets the CPU.");
    set_int!(pid, "Sets the process, unless it is known.");
    set_int!(tid, "Sets the thread, unless it is known.");
    set_int!(duration_ns, "Sets how long the event took, unless that is known.");

    /// Sets the name of the task, unless it is known.
    pub(crate) fn comm(&mut self, comm: &str) {
        put_text(&mut self.class.comm, self.number, comm, self.max_text);
    }

    /// Sets the ids of trace and span; 0 is unknown.
    pub(crate) fn ids(&mut self, (hi, lo, span): (u64, u64, u64)) {
        let columns = [&mut self.class.trace_hi, &mut self.class.trace_lo, &mut self.class.span_id];
        for (column, value) in columns.into_iter().zip([hi, lo, span]) {
            if column.len() <= self.number && value != 0 {
                column.pad(self.number);
                column.push(value);
            }
        }
    }

    /// Puts a value under a name; the first of a name counts.
    pub(crate) fn field(&mut self, name: &str, value: Value<'_>) {
        let Some(at) = self.find(name, value) else { return };
        self.next = at + 1;
        if let Some(field) = self.class.fields.get_mut(at) {
            put(&mut field.values, self.number, value, self.max_text);
        }
    }

    fn find(&mut self, name: &str, value: Value<'_>) -> Option<usize> {
        let is_it = |field: &Field| field.name == name && fits(&field.values, value);
        if self.class.fields.get(self.next).is_some_and(is_it) {
            return Some(self.next);
        }
        if let Some(at) = self.class.fields.iter().position(is_it) {
            return Some(at);
        }
        if self.class.fields.len() >= MAX_FIELDS || name.len() > MAX_NAME {
            return None;
        }
        self.class.fields.push(Field { name: name.to_owned(), values: empty(value) });
        Some(self.class.fields.len() - 1)
    }
}

#[inline]
fn fits(values: &FieldValues, value: Value<'_>) -> bool {
    matches!(
        (values, value),
        (FieldValues::Int(_), Value::Int(_))
            | (FieldValues::Double(_), Value::Double(_))
            | (FieldValues::Bool(_), Value::Bool(_))
            | (FieldValues::Text(_), Value::Text(_))
            | (FieldValues::Json(_), Value::Json(_))
    )
}

fn empty(value: Value<'_>) -> FieldValues {
    match value {
        Value::Int(_) => FieldValues::Int(IntColumn::default()),
        Value::Double(_) => FieldValues::Double(DoubleColumn::default()),
        Value::Bool(_) => FieldValues::Bool(BoolColumn::default()),
        Value::Text(_) => FieldValues::Text(TextColumn::default()),
        Value::Json(_) => FieldValues::Json(TextColumn::default()),
    }
}

#[inline]
fn put(values: &mut FieldValues, row: usize, value: Value<'_>, max_text: usize) {
    match (values, value) {
        (FieldValues::Int(column), Value::Int(value)) => put_int(column, row, value),
        (FieldValues::Double(column), Value::Double(value)) if column.len() <= row => {
            column.pad(row);
            column.push(value);
        }
        (FieldValues::Bool(column), Value::Bool(value)) if column.len() <= row => {
            column.pad(row);
            column.push(value);
        }
        (FieldValues::Text(column), Value::Text(value)) => put_text(column, row, value, max_text),
        (FieldValues::Json(column), Value::Json(value)) => put_text(column, row, value, usize::MAX),
        _ => {}
    }
}

/// Puts a number into `row`, unless it has one.
#[inline]
pub(crate) fn put_int(column: &mut IntColumn, row: usize, value: i64) {
    if column.len() <= row {
        column.pad(row);
        column.push(value);
    }
}

/// Puts a text into `row`, unless it has one; the end of a long one is left out.
#[inline]
pub(crate) fn put_text(column: &mut TextColumn, row: usize, value: &str, max_text: usize) {
    if column.len() > row {
        return;
    }
    column.pad(row);
    if value.len() <= max_text {
        column.push(value);
    } else {
        column.bytes.extend_from_slice(cut(value.as_bytes(), max_text));
        column.push("…");
    }
}

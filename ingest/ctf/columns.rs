//! Writes the fields of an event into the columns of its class.

use super::bits::{Bits, Fault};
use super::model::Encoding;
use super::plan::{Flat, IntNode, Kind, Node, Sink, Step, Table};
use super::value::{State, float, int, json, label, scan, text, utf8};
use crate::column::{BoolColumn, DoubleColumn, IntColumn, TextColumn, UnsignedColumn};
use crate::event::{ClassBatch, Field, FieldValues};

/// Gives a new class of a batch the columns of its table.
pub(crate) fn prepare(class: &mut ClassBatch, table: &Table) {
    if class.fields.is_empty() {
        let field = |(name, kind): &(String, Kind)| Field { name: name.clone(), values: kind.column() };
        class.fields = table.fields.iter().map(field).collect();
    }
}

impl Kind {
    fn column(self) -> FieldValues {
        match self {
            Self::Int => FieldValues::Int(IntColumn::default()),
            Self::Unsigned => FieldValues::Unsigned(UnsignedColumn::default()),
            Self::Double => FieldValues::Double(DoubleColumn::default()),
            Self::Bool => FieldValues::Bool(BoolColumn::default()),
            Self::Text => FieldValues::Text(TextColumn::default()),
            Self::Json => FieldValues::Json(TextColumn::default()),
        }
    }
}

/// Reads the fields of one event into row `row`, the next one. What was written of it is left in place where that fails.
pub(crate) fn read(
    steps: &[Step],
    bits: &mut Bits<'_>,
    state: &mut State,
    class: &mut ClassBatch,
    row: usize,
) -> Result<(), Fault> {
    for step in steps {
        match step {
            Step::Align(align) => bits.align(*align),
            Step::Read(node, sink) => read_one(node, *sink, bits, state, class, row)?,
        }
    }
    Ok(())
}

#[inline]
fn read_one(
    node: &Node,
    sink: Sink,
    bits: &mut Bits<'_>,
    state: &mut State,
    class: &mut ClassBatch,
    row: usize,
) -> Result<(), Fault> {
    match (node, sink) {
        (Node::Int(node), Sink::Field { number, label, also }) => {
            let value = int(node, bits, state)?;
            if let Some(field) = class.fields.get_mut(number) {
                push_int(&mut field.values, value, row);
            }
            if let Some(field) = label.and_then(|label| class.fields.get_mut(label)) {
                push_label(&mut field.values, node, value, row);
            }
            if let Some(flat) = also {
                push_flat(class, flat, value, row);
            }
        }
        (Node::Int(node), Sink::Pid) => push_flat(class, Flat::Pid, int(node, bits, state)?, row),
        (Node::Int(node), Sink::Tid) => push_flat(class, Flat::Tid, int(node, bits, state)?, row),
        (Node::Int(node), Sink::Cpu) => push_flat(class, Flat::Cpu, int(node, bits, state)?, row),
        (Node::Float { bits: width, align, is_big }, Sink::Field { number, .. }) => {
            let value = float(*width, *align, *is_big, bits)?;
            if let Some(FieldValues::Double(column)) = class.fields.get_mut(number).map(|field| &mut field.values) {
                column.pad(row);
                column.push(value);
            }
        }
        (_, Sink::Comm) => {
            if let Some((bytes, encoding)) = text(node, bits, state)? {
                push_text(&mut class.comm, bytes, encoding, row);
            }
        }
        (_, Sink::Field { number, .. }) => match class.fields.get_mut(number).map(|field| &mut field.values) {
            Some(FieldValues::Text(column)) => {
                if let Some((bytes, encoding)) = text(node, bits, state)? {
                    push_text(column, bytes, encoding, row);
                }
            }
            Some(FieldValues::Json(column)) => {
                column.pad(row);
                json(node, bits, state, &mut column.bytes)?;
                column.close_row();
            }
            _ => scan(node, bits, state)?,
        },
        _ => scan(node, bits, state)?,
    }
    Ok(())
}

#[inline]
fn push_int(values: &mut FieldValues, value: u64, row: usize) {
    match values {
        FieldValues::Int(column) => {
            column.pad(row);
            column.push(value as i64);
        }
        FieldValues::Unsigned(column) => {
            column.pad(row);
            column.push(value);
        }
        FieldValues::Bool(column) => {
            column.pad(row);
            column.push(value != 0);
        }
        _ => {}
    }
}

fn push_label(values: &mut FieldValues, node: &IntNode, value: u64, row: usize) {
    if let (FieldValues::Text(column), Some(label)) = (values, label(node, value)) {
        column.pad(row);
        column.push(&label);
    }
}

pub(crate) fn push_flat(class: &mut ClassBatch, flat: Flat, value: u64, row: usize) {
    let column = match flat {
        Flat::Cpu => &mut class.cpu,
        Flat::Pid => &mut class.pid,
        Flat::Tid => &mut class.tid,
    };
    column.pad(row);
    column.push(value as i64);
}

#[inline]
fn push_text(column: &mut TextColumn, bytes: &[u8], encoding: Encoding, row: usize) {
    column.pad(row);
    column.push_bytes(&utf8(bytes, encoding));
}

/// Takes back what was written of row `row` of an event that could not be read to its end.
pub(crate) fn undo(class: &mut ClassBatch, row: usize) {
    for column in [&mut class.cpu, &mut class.pid, &mut class.tid] {
        column.truncate(row);
    }
    class.comm.truncate(row);
    for field in &mut class.fields {
        match &mut field.values {
            FieldValues::Int(column) => column.truncate(row),
            FieldValues::Unsigned(column) => column.truncate(row),
            FieldValues::Double(column) => column.truncate(row),
            FieldValues::Bool(column) => column.truncate(row),
            FieldValues::Text(column) | FieldValues::Json(column) => column.truncate(row),
        }
    }
}

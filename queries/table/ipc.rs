//! Tables as Arrow IPC streams: over the private socket, and for `--format arrow`.

use std::io::{Read, Write};

use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::builder::TableBuilder;
use super::record_batch::{IS_CUT_KEY, batches, schema};
use super::{Table, TableError};

/// Writes `table` as one Arrow IPC stream.
pub fn write_ipc(table: &Table, to: &mut dyn Write) -> Result<(), TableError> {
    let schema = schema(table);
    let mut writer = StreamWriter::try_new(to, &schema)?;
    for batch in batches(table, &schema) {
        writer.write(&batch?)?;
    }
    writer.finish()?;
    Ok(())
}

/// Reads one Arrow IPC stream, to its end.
pub fn read_ipc(from: &mut dyn Read) -> Result<Table, TableError> {
    let reader = StreamReader::try_new(from, None)?;
    let is_cut = reader.schema().metadata().contains_key(IS_CUT_KEY);
    let mut builder = TableBuilder::new(&reader.schema(), |_| false);
    for batch in reader {
        builder.push(&batch?)?;
    }
    Ok(builder.finish(is_cut))
}

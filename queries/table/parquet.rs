//! Tables as Parquet files, for `--format parquet` and exports.

use std::io::Write;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;

use super::record_batch::{batches, schema};
use super::{Table, TableError};

/// Writes `table` as one Parquet file, compressed with zstd. The same table gives the same bytes.
pub fn write_parquet(table: &Table, to: impl Write + Send) -> Result<(), TableError> {
    let schema = schema(table);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(::parquet::basic::ZstdLevel::default()))
        .set_created_by("riftline".to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(to, schema.clone(), Some(properties))?;
    for batch in batches(table, &schema) {
        writer.write(&batch?)?;
    }
    writer.close()?;
    Ok(())
}

impl From<ParquetError> for TableError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(source) => match source.downcast::<std::io::Error>() {
                Ok(source) => Self::Io(*source),
                Err(source) => Self::Format(source.to_string()),
            },
            other => Self::Format(other.to_string()),
        }
    }
}

use std::sync::Arc;

use arrow::array::{
    Array, BinaryArray, Date32Array, Decimal128Array, DurationMillisecondArray, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use proptest::prelude::*;

use super::builder::{TableBuilder, decimal_text};
use super::*;

fn from_arrow(columns: Vec<(&str, Arc<dyn Array>)>) -> Table {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns.into_iter().map(|(_, array)| array).collect()).unwrap();
    let mut builder = TableBuilder::new(&schema, |index| schema.field(index).name() == "json");
    builder.push(&batch).unwrap();
    builder.push(&batch).unwrap();
    builder.finish(false)
}

fn decimal(values: &[i128], precision: u8, scale: i8) -> Arc<dyn Array> {
    Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(precision, scale).unwrap())
}

#[test]
fn every_type_of_duckdb_finds_its_column() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let pair = StructArray::from(vec![
        (Arc::new(Field::new("a\"b", DataType::Int32, true)), Arc::new(Int32Array::from(vec![1, 2])) as Arc<dyn Array>),
        (Arc::new(Field::new("t", DataType::Utf8, true)), Arc::new(StringArray::from(vec![Some("x\n"), None]))),
    ]);
    let table = from_arrow(vec![
        ("int", Arc::new(Int32Array::from(vec![Some(-1), None]))),
        ("uint", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, i64::MAX]))),
        ("span", Arc::new(DurationMillisecondArray::from(vec![2, 3]))),
        ("json", Arc::new(StringArray::from(vec!["{}", "[]"]))),
        ("blob", Arc::new(BinaryArray::from(vec![&b"a\\\xff"[..], b""]))),
        ("list", Arc::new(list)),
        ("pair", Arc::new(pair)),
        ("date", Arc::new(Date32Array::from(vec![0, 20_000]))),
        ("huge", decimal(&[5, -7], 38, 0)),
        ("too_huge", decimal(&[i128::from(i64::MAX) + 1, 0], 38, 0)),
        ("price", decimal(&[1250, -5], 18, 3)),
    ]);
    assert_eq!(table.num_rows(), 4);
    for (column, first, second) in [
        ("int", Cell::Int(-1), Cell::Null),
        ("uint", Cell::UInt(u64::MAX), Cell::UInt(0)),
        ("time", Cell::Time(1_500_000_000), Cell::Time(i64::MAX)),
        ("span", Cell::Int(2_000_000), Cell::Int(3_000_000)),
        ("json", Cell::Json("{}"), Cell::Json("[]")),
        ("blob", Cell::Text("a\\x5C\\xFF"), Cell::Text("")),
        ("list", Cell::Json("[1,null]"), Cell::Null),
        ("pair", Cell::Json("{\"a\\\"b\":1,\"t\":\"x\\n\"}"), Cell::Json("{\"a\\\"b\":2,\"t\":null}")),
        ("date", Cell::Text("1970-01-01"), Cell::Text("2024-10-04")),
        ("huge", Cell::Int(5), Cell::Int(-7)),
        ("too_huge", Cell::Text("9223372036854775808"), Cell::Text("0")),
        ("price", Cell::Double(1.25), Cell::Double(-0.005)),
    ] {
        assert_eq!((table.get(2, column), table.get(3, column)), (first, second), "{column}");
    }
}

#[test]
fn decimals_keep_their_digits() {
    assert_eq!(decimal_text(-5, 3), "-0.005");
    assert_eq!(decimal_text(12, -2), "1200");
    assert_eq!(decimal_text(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
}

#[test]
fn an_ipc_stream_that_is_cut_short_is_an_error() {
    let table = from_arrow(vec![("int", Arc::new(Int64Array::from(vec![1, 2])))]);
    let mut bytes = Vec::new();
    ipc::write_ipc(&table, &mut bytes).unwrap();
    for len in [0, 10, bytes.len() / 2] {
        assert!(ipc::read_ipc(&mut &bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn parquet_files_hold_the_same_rows() {
    let table = from_arrow(vec![("int", Arc::new(Int64Array::from(vec![Some(1), None])))]);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    parquet::write_parquet(&table, &mut first).unwrap();
    parquet::write_parquet(&table, &mut second).unwrap();
    assert_eq!(first, second);
    assert!(first.starts_with(b"PAR1") && first.ends_with(b"PAR1"));
}

fn values(num_rows: usize) -> impl Strategy<Value = Values> {
    use prop::collection::vec;
    use prop::option::of;
    let text = || of("\\PC{0,6}".prop_map(Box::from));
    prop_oneof![
        vec(of(any::<bool>()), num_rows).prop_map(Values::Bool),
        vec(of(any::<i64>()), num_rows).prop_map(Values::Int),
        vec(of(any::<u64>()), num_rows).prop_map(Values::UInt),
        vec(of(prop::num::f64::NORMAL | prop::num::f64::ZERO), num_rows).prop_map(Values::Double),
        vec(of(any::<i64>()), num_rows).prop_map(Values::Time),
        vec(text(), num_rows).prop_map(Values::Text),
        vec(text(), num_rows).prop_map(Values::Json),
    ]
}

proptest! {
    #[test]
    fn tables_come_back_from_ipc_as_they_were(
        table in (0..20_usize, any::<bool>()).prop_flat_map(|(num_rows, is_cut)| {
            prop::collection::vec(("[a-z]{1,3}", values(num_rows)), 1..5).prop_map(move |columns| Table {
                columns: columns.into_iter().map(|(name, values)| Column { name, values }).collect(),
                is_cut,
            })
        }),
    ) {
        let mut bytes = Vec::new();
        ipc::write_ipc(&table, &mut bytes).unwrap();
        prop_assert_eq!(ipc::read_ipc(&mut bytes.as_slice()).unwrap(), table);
    }
}

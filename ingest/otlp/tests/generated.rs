//! Generated requests, written by prost as protobuf and by this file as JSON.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    exemplar, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;
use prost::Message;
use serde_json::{Map, Value, json};

use super::{assert_valid_json, decode, decode_windows, rows};

fn hex(bytes: &[u8]) -> String {
    crate::text::digits(bytes, "")
}

fn double(value: f64) -> Value {
    match value {
        _ if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => json!(value),
    }
}

fn value_json(value: &AnyValue) -> Value {
    match &value.value {
        Some(OtlpValue::StringValue(text)) => json!({"stringValue": text}),
        Some(OtlpValue::BoolValue(value)) => json!({"boolValue": value}),
        Some(OtlpValue::IntValue(value)) => json!({"intValue": value.to_string()}),
        Some(OtlpValue::DoubleValue(value)) => json!({"doubleValue": double(*value)}),
        Some(OtlpValue::ArrayValue(array)) => {
            json!({"arrayValue": {"values": array.values.iter().map(value_json).collect::<Vec<_>>()}})
        }
        Some(OtlpValue::KvlistValue(list)) => json!({"kvlistValue": {"values": attributes_json(&list.values)}}),
        Some(OtlpValue::BytesValue(bytes)) => {
            let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
            json!({"bytesValue": text})
        }
        _ => json!({}),
    }
}

fn attributes_json(attributes: &[KeyValue]) -> Value {
    let one = |attribute: &KeyValue| {
        let mut object = Map::new();
        object.insert("key".to_owned(), json!(attribute.key));
        object.extend(attribute.value.as_ref().map(|value| ("value".to_owned(), value_json(value))));
        Value::Object(object)
    };
    attributes.iter().map(one).collect()
}

fn span_json(span: &Span) -> Value {
    let event = |event: &Event| {
        json!({"timeUnixNano": event.time_unix_nano.to_string(), "name": event.name,
            "attributes": attributes_json(&event.attributes), "droppedAttributesCount": event.dropped_attributes_count})
    };
    let link = |link: &Link| {
        json!({"traceId": hex(&link.trace_id), "spanId": hex(&link.span_id), "traceState": link.trace_state,
            "attributes": attributes_json(&link.attributes), "flags": link.flags,
            "droppedAttributesCount": link.dropped_attributes_count})
    };
    let status = span.status.as_ref().map(|status| json!({"message": status.message, "code": status.code}));
    json!({"traceId": hex(&span.trace_id), "spanId": hex(&span.span_id), "traceState": span.trace_state,
        "parentSpanId": hex(&span.parent_span_id), "flags": span.flags, "name": span.name, "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano.to_string(), "endTimeUnixNano": span.end_time_unix_nano,
        "attributes": attributes_json(&span.attributes), "droppedAttributesCount": span.dropped_attributes_count,
        "events": span.events.iter().map(event).collect::<Vec<_>>(), "droppedEventsCount": span.dropped_events_count,
        "links": span.links.iter().map(link).collect::<Vec<_>>(), "droppedLinksCount": span.dropped_links_count,
        "status": status})
}

fn log_json(record: &LogRecord) -> Value {
    json!({"timeUnixNano": record.time_unix_nano.to_string(), "observedTimeUnixNano": record.observed_time_unix_nano,
        "severityNumber": record.severity_number, "severityText": record.severity_text,
        "body": record.body.as_ref().map(value_json), "attributes": attributes_json(&record.attributes),
        "droppedAttributesCount": record.dropped_attributes_count, "flags": record.flags,
        "traceId": hex(&record.trace_id), "spanId": hex(&record.span_id), "eventName": record.event_name})
}

fn exemplar_json(one: &Exemplar) -> Value {
    let mut object = json!({"filteredAttributes": attributes_json(&one.filtered_attributes),
        "timeUnixNano": one.time_unix_nano, "spanId": hex(&one.span_id), "traceId": hex(&one.trace_id)});
    match one.value {
        Some(exemplar::Value::AsDouble(value)) => object["asDouble"] = double(value),
        Some(exemplar::Value::AsInt(value)) => object["asInt"] = json!(value.to_string()),
        None => {}
    }
    object
}

fn number_point_json(point: &NumberDataPoint) -> Value {
    let mut object = json!({"startTimeUnixNano": point.start_time_unix_nano, "timeUnixNano": point.time_unix_nano,
        "attributes": attributes_json(&point.attributes), "flags": point.flags,
        "exemplars": point.exemplars.iter().map(exemplar_json).collect::<Vec<_>>()});
    match point.value {
        Some(number_data_point::Value::AsDouble(value)) => object["asDouble"] = double(value),
        Some(number_data_point::Value::AsInt(value)) => object["asInt"] = json!(value),
        None => {}
    }
    object
}

fn histogram_point_json(point: &HistogramDataPoint) -> Value {
    json!({"startTimeUnixNano": point.start_time_unix_nano, "timeUnixNano": point.time_unix_nano,
        "attributes": attributes_json(&point.attributes), "flags": point.flags, "count": point.count.to_string(),
        "sum": point.sum.map(double), "min": point.min.map(double), "max": point.max.map(double),
        "bucketCounts": point.bucket_counts.iter().map(u64::to_string).collect::<Vec<_>>(),
        "explicitBounds": point.explicit_bounds.iter().map(|bound| double(*bound)).collect::<Vec<_>>()})
}

fn metric_json(one: &Metric) -> Value {
    let mut object = json!({"name": one.name, "description": one.description, "unit": one.unit,
        "metadata": attributes_json(&one.metadata)});
    let points = |points: &[NumberDataPoint]| points.iter().map(number_point_json).collect::<Vec<_>>();
    match &one.data {
        Some(metric::Data::Gauge(gauge)) => object["gauge"] = json!({"dataPoints": points(&gauge.data_points)}),
        Some(metric::Data::Sum(sum)) => {
            object["sum"] = json!({"dataPoints": points(&sum.data_points), "isMonotonic": sum.is_monotonic,
                "aggregationTemporality": sum.aggregation_temporality});
        }
        Some(metric::Data::Histogram(histogram)) => {
            let points: Vec<Value> = histogram.data_points.iter().map(histogram_point_json).collect();
            object["histogram"] =
                json!({"aggregationTemporality": histogram.aggregation_temporality, "dataPoints": points});
        }
        _ => {}
    }
    object
}

/// A request as JSON; the keys after `list` differ between the signals.
fn request_json(list: [&str; 3], scope: &InstrumentationScope, resource: &OtlpResource, records: &[Value]) -> String {
    let [resources, scopes, items] = list;
    let scope = json!({"name": scope.name, "version": scope.version, "attributes": attributes_json(&scope.attributes),
        "droppedAttributesCount": scope.dropped_attributes_count});
    let resource = json!({"attributes": attributes_json(&resource.attributes),
        "droppedAttributesCount": resource.dropped_attributes_count});
    // Keys are sorted: the resource and the scope stand before their children, the schema URL in between.
    let inner = json!({"scope": scope, items: records, "schemaUrl": "scope-schema"});
    json!({resources: [{"resource": resource, scopes: [inner], "schemaUrl": "resource-schema"}]}).to_string()
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        any::<String>().prop_map(OtlpValue::StringValue),
        "[a-z\"\\\\\n ]{0,12}".prop_map(OtlpValue::StringValue),
        any::<bool>().prop_map(OtlpValue::BoolValue),
        any::<i64>().prop_map(OtlpValue::IntValue),
        any::<f64>().prop_map(OtlpValue::DoubleValue),
        (-1000_i32..1000).prop_map(|number| OtlpValue::DoubleValue(f64::from(number))),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(OtlpValue::BytesValue),
    ];
    let leaf = prop::option::weighted(0.95, leaf).prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 4, |inner| {
        let pair = (any::<String>(), inner.clone()).prop_map(|(key, value)| key_value(&key, Some(value)));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|values| OtlpValue::ArrayValue(ArrayValue { values })),
            prop::collection::vec(pair, 0..4).prop_map(|values| OtlpValue::KvlistValue(KeyValueList { values })),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn key_value(key: &str, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let known = prop::sample::select(vec![
        "http.method",
        "http.request.method",
        "http.status_code",
        "http.response.status_code",
        "thread.id",
        "url.path",
        "service.name",
        "order.id",
    ]);
    let key = prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()];
    let short = prop_oneof!["[a-z]{0,5}".prop_map(OtlpValue::StringValue), any::<i64>().prop_map(OtlpValue::IntValue)]
        .prop_map(|value| AnyValue { value: Some(value) });
    let value = prop_oneof![3 => short, 1 => any_value()];
    let pair = (key, prop::option::weighted(0.97, value)).prop_map(|(key, value)| key_value(&key, value));
    prop::collection::vec(pair, 0..6)
}

fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), len..=len),
        1 => prop::collection::vec(any::<u8>(), 1..24),
        1 => Just(vec![0; len]),
    ]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1_700_000_000_000_000_000_u64..1_700_000_001_000_000_000, 1 => any::<u64>(), 1 => Just(0)]
}

prop_compose! {
    fn span()(
        ids in (id(16), id(8), prop_oneof![id(8), Just(Vec::new())]),
        times in (time(), time()),
        texts in (any::<String>(), "[a-z=,]{0,8}", any::<String>()),
        numbers in (0_i32..8, 0_i32..4, any::<u32>(), 0_u32..3, 0_u32..3, 0_u32..3),
        attributes in attributes(),
        events in prop::collection::vec((time(), any::<String>(), attributes(), 0_u32..2), 0..3),
        links in prop::collection::vec((id(16), id(8), "[a-z]{0,3}", attributes(), 0_u32..2), 0..3),
        has_status in any::<bool>(),
    ) -> Span {
        Span {
            trace_id: ids.0, span_id: ids.1, parent_span_id: ids.2,
            start_time_unix_nano: times.0, end_time_unix_nano: times.1,
            name: texts.0, trace_state: texts.1,
            status: has_status.then_some(Status { message: texts.2, code: numbers.1 }),
            kind: numbers.0, flags: numbers.2, dropped_attributes_count: numbers.3, dropped_events_count: numbers.4,
            dropped_links_count: numbers.5, attributes,
            events: events.into_iter().map(|(time_unix_nano, name, attributes, dropped_attributes_count)| {
                Event { time_unix_nano, name, attributes, dropped_attributes_count }
            }).collect(),
            links: links.into_iter().map(|(trace_id, span_id, trace_state, attributes, flags)| {
                Link { trace_id, span_id, trace_state, attributes, dropped_attributes_count: flags, flags }
            }).collect(),
        }
    }
}

prop_compose! {
    fn log()(
        ids in (prop_oneof![id(16), Just(Vec::new())], id(8)),
        times in (time(), time()),
        texts in (any::<String>(), any::<String>()),
        body in prop::option::of(any_value()),
        attributes in attributes(),
        numbers in (0_i32..30, any::<u32>(), 0_u32..2),
    ) -> LogRecord {
        LogRecord {
            trace_id: ids.0, span_id: ids.1, time_unix_nano: times.0, observed_time_unix_nano: times.1,
            severity_text: texts.0, event_name: texts.1, body, attributes, severity_number: numbers.0,
            flags: numbers.1, dropped_attributes_count: numbers.2,
        }
    }
}

prop_compose! {
    fn number_point()(
        times in (time(), time()),
        attributes in attributes(),
        value in prop::option::of(prop_oneof![
            any::<f64>().prop_map(number_data_point::Value::AsDouble),
            any::<i64>().prop_map(number_data_point::Value::AsInt),
        ]),
        exemplars in prop::collection::vec((attributes(), time(), any::<i64>(), id(8), id(16)), 0..2),
        flags in 0_u32..2,
    ) -> NumberDataPoint {
        let exemplars = exemplars.into_iter().map(|(filtered_attributes, time_unix_nano, value, span_id, trace_id)| {
            Exemplar { filtered_attributes, time_unix_nano, span_id, trace_id, value: Some(exemplar::Value::AsInt(value)) }
        }).collect();
        NumberDataPoint {
            start_time_unix_nano: times.0, time_unix_nano: times.1, attributes, value, exemplars, flags,
        }
    }
}

prop_compose! {
    fn histogram_point()(
        times in (time(), time()),
        attributes in attributes(),
        counts in prop::collection::vec(any::<u64>(), 0..4),
        bounds in prop::collection::vec(any::<f64>(), 0..4),
        sums in prop::option::of((any::<f64>(), any::<f64>(), any::<f64>())),
        count in any::<u64>(),
    ) -> HistogramDataPoint {
        HistogramDataPoint {
            start_time_unix_nano: times.0, time_unix_nano: times.1, attributes, bucket_counts: counts,
            explicit_bounds: bounds, count, sum: sums.map(|sums| sums.0), min: sums.map(|sums| sums.1),
            max: sums.map(|sums| sums.2), ..HistogramDataPoint::default()
        }
    }
}

fn metric() -> impl Strategy<Value = Metric> {
    let numbers = || prop::collection::vec(number_point(), 1..3);
    let data = prop_oneof![
        numbers().prop_map(|data_points| metric::Data::Gauge(Gauge { data_points })),
        (numbers(), 0_i32..3, any::<bool>()).prop_map(|(data_points, aggregation_temporality, is_monotonic)| {
            metric::Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
        }),
        (prop::collection::vec(histogram_point(), 1..3), 0_i32..3).prop_map(
            |(data_points, aggregation_temporality)| {
                metric::Data::Histogram(Histogram { data_points, aggregation_temporality })
            }
        ),
    ];
    (any::<String>(), any::<String>(), attributes(), data).prop_map(|(name, unit, metadata, data)| Metric {
        name,
        description: unit.clone(),
        unit,
        metadata,
        data: Some(data),
    })
}

prop_compose! {
    fn origin()(resource in attributes(), scope in attributes(), name in any::<String>()) -> (OtlpResource, InstrumentationScope) {
        let resource = OtlpResource { attributes: resource, dropped_attributes_count: 1, ..OtlpResource::default() };
        let scope = InstrumentationScope { name, version: "1".into(), attributes: scope, dropped_attributes_count: 2 };
        (resource, scope)
    }
}

fn assert_same(json: &str, proto: &[u8], step: usize) {
    let (from_json, from_proto) = (decode("otlp-json", json.as_bytes()), decode("otlp-proto", proto));
    let rejects =
        |batches: &[crate::batch::Batch]| batches.iter().flat_map(|one| one.rejects.kept.clone()).collect::<Vec<_>>();
    assert_eq!((rejects(&from_json), rejects(&from_proto)), (vec![], vec![]), "{json}");
    assert_valid_json(&from_json);
    let expected = rows(&from_json);
    assert_eq!(expected, rows(&from_proto), "{json}");
    assert_eq!(expected, rows(&decode_windows("otlp-json", json.as_bytes(), step)), "in steps of {step}");
    assert_eq!(expected, rows(&decode_windows("otlp-proto", proto, step)), "in steps of {step}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn spans_are_the_same((resource, scope) in origin(), spans in prop::collection::vec(span(), 1..4), step in 1_usize..200) {
        let keys = ["resourceSpans", "scopeSpans", "spans"];
        let json = request_json(keys, &scope, &resource, &spans.iter().map(span_json).collect::<Vec<_>>());
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, schema_url: "scope-schema".into() }];
        let resource_spans = ResourceSpans { resource: Some(resource), scope_spans, schema_url: "resource-schema".into() };
        assert_same(&json, &ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec(), step);
    }

    #[test]
    fn logs_are_the_same((resource, scope) in origin(), log_records in prop::collection::vec(log(), 1..4), step in 1_usize..200) {
        // What a record is shows in its fields: one of them has to be a log record's own.
        let mut log_records = log_records;
        log_records[0].time_unix_nano = 1;
        let keys = ["resourceLogs", "scopeLogs", "logRecords"];
        let json = request_json(keys, &scope, &resource, &log_records.iter().map(log_json).collect::<Vec<_>>());
        let scope_logs = vec![ScopeLogs { scope: Some(scope), log_records, schema_url: "scope-schema".into() }];
        let resource_logs = ResourceLogs { resource: Some(resource), scope_logs, schema_url: "resource-schema".into() };
        assert_same(&json, &ExportLogsServiceRequest { resource_logs: vec![resource_logs] }.encode_to_vec(), step);
    }

    #[test]
    fn metrics_are_the_same((resource, scope) in origin(), metrics in prop::collection::vec(metric(), 1..4), step in 1_usize..200) {
        let mut metrics = metrics;
        metrics[0].name = "requests".into();
        let keys = ["resourceMetrics", "scopeMetrics", "metrics"];
        let json = request_json(keys, &scope, &resource, &metrics.iter().map(metric_json).collect::<Vec<_>>());
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope), metrics, schema_url: "scope-schema".into() }];
        let resource_metrics = ResourceMetrics { resource: Some(resource), scope_metrics, schema_url: "resource-schema".into() };
        assert_same(&json, &ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }.encode_to_vec(), step);
    }
}

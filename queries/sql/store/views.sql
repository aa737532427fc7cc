-- The documented contract: see queries/sql/README.md. {{…}} is filled in by store/views.rs.
CREATE OR REPLACE VIEW spans AS
SELECT
    format('{:016x}{:016x}', s.trace_hi, s.trace_lo) AS trace_id,
    format('{:016x}', s.span_id) AS span_id,
    CASE WHEN s.parent_span_id <> 0 THEN format('{:016x}', s.parent_span_id) END AS parent_span_id,
    s.trace_state,
    s.flags,
    r.service,
    s.name,
    {{kind}} AS kind,
    s.start,
    epoch_ns(s.start) AS start_ns,
    s.duration_ns,
    {{status}} AS status,
    s.status_message,
    {{span_conventions}}
    {{span_attributes}} AS attributes,
    CAST(coalesce(nullif(r.attributes, ''), '{}') AS JSON) AS resource,
    c.name AS scope_name,
    c.version AS scope_version,
    CAST(s.events AS JSON) AS events,
    CAST(s.links AS JSON) AS links,
    s.source_id,
    NULL::VARCHAR AS run_id,
    {{span_marks}} AS marks,
    s.marks | coalesce(m.marks, 0) AS mark_bits,
    CAST(s.original AS JSON) AS original,
    CAST(coalesce(nullif(c.attributes, ''), '{}') AS JSON) AS scope,
    r.schema_url AS resource_schema_url,
    c.schema_url AS scope_schema_url,
    s.dropped_attributes,
    s.dropped_events,
    s.dropped_links,
    s."row"
FROM raw_spans s
ANTI JOIN {{derived}}span_duplicates d ON d."row" = s."row"
LEFT JOIN raw_resources r ON r.id = s.resource_id
LEFT JOIN raw_scopes c ON c.id = s.scope_id
LEFT JOIN raw_alias_sets a ON a.id = s.alias_set
LEFT JOIN {{derived}}span_marks m ON m."row" = s."row";

CREATE OR REPLACE VIEW logs AS
SELECT
    l.time,
    CASE
        WHEN l.severity BETWEEN 1 AND 4 THEN 'trace'
        WHEN l.severity BETWEEN 5 AND 8 THEN 'debug'
        WHEN l.severity BETWEEN 9 AND 12 THEN 'info'
        WHEN l.severity BETWEEN 13 AND 16 THEN 'warn'
        WHEN l.severity BETWEEN 17 AND 20 THEN 'error'
        WHEN l.severity BETWEEN 21 AND 24 THEN 'fatal'
        ELSE lower(l.severity_text)
    END AS severity,
    r.service,
    l.body,
    CASE WHEN l.trace_hi <> 0 OR l.trace_lo <> 0 THEN format('{:016x}{:016x}', l.trace_hi, l.trace_lo) END AS trace_id,
    CASE WHEN l.span_id <> 0 THEN format('{:016x}', l.span_id) END AS span_id,
    CAST(coalesce(l.attributes, '{}') AS JSON) AS attributes,
    CAST(coalesce(nullif(r.attributes, ''), '{}') AS JSON) AS resource,
    l.source_id,
    l.severity AS severity_number,
    l.severity_text,
    l.event_name,
    l.body_is_json,
    l.observed,
    l.flags,
    c.name AS scope_name,
    c.version AS scope_version,
    CAST(coalesce(nullif(c.attributes, ''), '{}') AS JSON) AS scope,
    r.schema_url AS resource_schema_url,
    c.schema_url AS scope_schema_url,
    l.dropped_attributes,
    {{log_marks}} AS marks,
    CAST(l.original AS JSON) AS original,
    l."row"
FROM raw_logs l
LEFT JOIN raw_resources r ON r.id = l.resource_id
LEFT JOIN raw_scopes c ON c.id = l.scope_id;

CREATE OR REPLACE VIEW metrics AS
SELECT
    p.time,
    r.service,
    p.name,
    CASE p.kind
        WHEN 1 THEN 'gauge' WHEN 2 THEN 'sum' WHEN 3 THEN 'histogram'
        WHEN 4 THEN 'exponential_histogram' WHEN 5 THEN 'summary'
    END AS type,
    p.unit,
    CASE p.temporality WHEN 1 THEN 'delta' WHEN 2 THEN 'cumulative' END AS temporality,
    p.is_monotonic,
    CASE WHEN epoch_ns(p.start) <> 0 THEN p.start END AS start,
    coalesce(p.value_double, CAST(p.value_int AS DOUBLE)) AS value,
    p.value_int,
    p.count,
    p.sum,
    p.min,
    p.max,
    CAST(p.buckets AS JSON) AS buckets,
    CAST(p.exemplars AS JSON) AS exemplars,
    CAST(coalesce(p.attributes, '{}') AS JSON) AS attributes,
    CAST(coalesce(nullif(r.attributes, ''), '{}') AS JSON) AS resource,
    p.source_id,
    p.description,
    CAST(p.metadata AS JSON) AS metadata,
    p.flags,
    c.name AS scope_name,
    c.version AS scope_version,
    {{metric_marks}} AS marks,
    CAST(p.original AS JSON) AS original,
    p."row"
FROM raw_metrics p
LEFT JOIN raw_resources r ON r.id = p.resource_id
LEFT JOIN raw_scopes c ON c.id = p.scope_id;

-- The view kernel_events is written by store/event_views.rs: it has a part for each class of events.

CREATE OR REPLACE VIEW flows AS
SELECT
    f.time, f.pid, f.comm, f.src, f.src_port, f.dst, f.dst_port, f.protocol, {{flow_kind}} AS kind, f.bytes_sent,
    f.bytes_received, f.duration_ns, CAST(f.details AS JSON) AS details, f.source_id, f."row"
FROM raw_flows f;

CREATE OR REPLACE VIEW event_classes AS
SELECT id AS class_id, provider, name, clock, 'raw_event_' || id AS table_name FROM raw_event_classes;

CREATE OR REPLACE VIEW gaps AS
SELECT g.source_id, s.name AS source, g."from", g."to", g.stream, g.lost, g.what
FROM raw_gaps g
LEFT JOIN raw_sources s ON s.id = g.source_id;

CREATE OR REPLACE VIEW clocks AS
SELECT c.source_id, s.name AS source, c.name, c.offset_ns, c.frequency, c.origin
FROM raw_clocks c
LEFT JOIN raw_sources s ON s.id = c.source_id;

CREATE OR REPLACE VIEW traces AS
SELECT
    format('{:016x}{:016x}', t.trace_hi, t.trace_lo) AS trace_id,
    t.start,
    t.duration_ns,
    t.root_service,
    t.root_name,
    t.num_spans,
    t.num_services,
    t.num_errors,
    t.is_complete,
    coalesce(n.is_stitched, false) AS is_stitched,
    coalesce(n.num_findings, 0) AS num_findings
FROM {{derived}}settled_traces t
LEFT JOIN (
    SELECT trace_hi, trace_lo, bool_or(is_stitched) AS is_stitched, CAST(sum(num_findings) AS BIGINT) AS num_findings
    FROM {{derived}}trace_notes
    GROUP BY trace_hi, trace_lo
) n ON n.trace_hi = t.trace_hi AND n.trace_lo = t.trace_lo;

CREATE OR REPLACE VIEW edges AS
SELECT
    minute,
    client,
    server,
    operation,
    CAST(sum(calls) AS BIGINT) AS calls,
    CAST(sum(errors) AS BIGINT) AS errors,
    list({'le_ns': bucket_bound_ns(bucket), 'calls': calls} ORDER BY bucket) AS latency_buckets
FROM {{derived}}edge_counts
GROUP BY minute, client, server, operation;

CREATE OR REPLACE VIEW stitches AS
SELECT
    format('{:016x}{:016x}', parent_hi, parent_lo) AS parent_trace_id,
    format('{:016x}', parent_span_id) AS parent_span_id,
    format('{:016x}{:016x}', child_hi, child_lo) AS child_trace_id,
    format('{:016x}', child_span_id) AS child_span_id,
    confidence,
    state,
    rule,
    CAST(evidence AS JSON) AS evidence
FROM {{derived}}settled_stitches;

-- One row a rule and subject: what several stretches of time say about it adds up, and the stretch with most of it speaks for all.
CREATE OR REPLACE VIEW findings AS
SELECT
    id,
    first(rule ORDER BY "from") AS rule,
    CASE min(severity) WHEN 0 THEN 'crit' WHEN 1 THEN 'high' WHEN 2 THEN 'med' WHEN 3 THEN 'low' ELSE 'info' END AS severity,
    round(sum(confidence * greatest(occurrences, 1)) / sum(greatest(occurrences, 1)), 4) AS confidence,
    first(subject ORDER BY "from") AS subject,
    CAST(first(services ORDER BY "from") AS JSON) AS services,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    CAST(sum(occurrences) AS BIGINT) AS occurrences,
    CAST(sum(out_of) AS BIGINT) AS out_of,
    CAST(first(examples ORDER BY occurrences DESC, "from") AS JSON) AS examples,
    CAST(first(evidence ORDER BY occurrences DESC, "from") AS JSON) AS evidence,
    first(fix ORDER BY occurrences DESC, "from") AS fix,
    first("group" ORDER BY "from") AS "group",
    CAST(min(severity) AS BIGINT) AS severity_number,
    min(place) AS place
FROM {{derived}}settled_findings
GROUP BY id;

-- How far the clock of each process is off the others'.
CREATE OR REPLACE VIEW clock_offsets AS
SELECT r.service, CAST(coalesce(nullif(r.attributes, ''), '{}') AS JSON) AS resource, s."from", s."to", c.offset_ns
FROM {{derived}}settled_clocks c
JOIN {{derived}}analysed_stretches s ON s.stretch = c.stretch
LEFT JOIN raw_resources r ON r.id = c.resource_id;

CREATE OR REPLACE VIEW sources AS
SELECT
    s.id AS source_id,
    s.name,
    s.format,
    s.container,
    s.committed_offset,
    s.num_spans,
    s.num_logs,
    s.num_metrics,
    s.num_events,
    s.num_rejects,
    coalesce(d.duplicates, 0) AS duplicates,
    s.is_complete,
    s.stopped,
    s.first_read,
    s.last_read,
    s.run_id
FROM raw_sources s
LEFT JOIN (SELECT source_id, count(*) AS duplicates FROM {{derived}}span_duplicates GROUP BY source_id) d
    ON d.source_id = s.id;

CREATE OR REPLACE VIEW rejects AS
SELECT
    j.source_id, s.name AS source, j."offset", j.line, j."column", j.reason, j.excerpt
FROM raw_rejects j
LEFT JOIN raw_sources s ON s.id = j.source_id;

CREATE OR REPLACE VIEW runs AS
SELECT run_id, name, started, ended, state, CAST(plan AS JSON) AS plan, verdict
FROM raw_runs;

CREATE OR REPLACE VIEW run_events AS
SELECT run_id, time, kind, fault, CAST(details AS JSON) AS details
FROM raw_run_events;

CREATE OR REPLACE VIEW otel_traces AS
SELECT
    start AS "Timestamp",
    trace_id AS "TraceId",
    span_id AS "SpanId",
    coalesce(parent_span_id, '') AS "ParentSpanId",
    coalesce(trace_state, '') AS "TraceState",
    name AS "SpanName",
    upper(kind[1]) || kind[2:] AS "SpanKind",
    service AS "ServiceName",
    resource AS "ResourceAttributes",
    scope_name AS "ScopeName",
    scope_version AS "ScopeVersion",
    attributes AS "SpanAttributes",
    duration_ns AS "Duration",
    upper(status[1]) || status[2:] AS "StatusCode",
    coalesce(status_message, '') AS "StatusMessage",
    events AS "Events",
    links AS "Links"
FROM spans;

CREATE OR REPLACE VIEW otel_logs AS
SELECT
    time AS "Timestamp",
    coalesce(trace_id, '') AS "TraceId",
    coalesce(span_id, '') AS "SpanId",
    flags AS "TraceFlags",
    coalesce(severity_text, '') AS "SeverityText",
    severity_number AS "SeverityNumber",
    service AS "ServiceName",
    coalesce(body, '') AS "Body",
    resource_schema_url AS "ResourceSchemaUrl",
    resource AS "ResourceAttributes",
    scope_schema_url AS "ScopeSchemaUrl",
    scope_name AS "ScopeName",
    scope_version AS "ScopeVersion",
    scope AS "ScopeAttributes",
    attributes AS "LogAttributes",
    coalesce(event_name, '') AS "EventName"
FROM logs;

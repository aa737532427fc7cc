use super::{Builder, NONE, SpanRecord};

fn span(trace_id: u128, span_id: u64, parent_span_id: u64, start_ns: i64) -> SpanRecord {
    SpanRecord { trace_id, span_id, parent_span_id, start_ns, duration_ns: 10, ..SpanRecord::default() }
}

#[test]
fn spans_have_the_same_place_whatever_the_order_of_arrival() {
    let spans = [span(1, 1, 0, 5), span(1, 2, 1, 5), span(2, 3, 9, 5), span(2, 3, 9, 5), span(1, 4, 2, 1)];
    let build = |order: &[usize]| {
        let mut builder = Builder::default();
        builder.resource("shop", "{}");
        order.iter().for_each(|&at| builder.push(spans[at]));
        let window = builder.finish();
        (window.span_id.clone(), window.parent.clone())
    };
    let forward = build(&[0, 1, 2, 3, 4]);
    assert_eq!(forward, build(&[4, 3, 2, 1, 0]));
    assert_eq!(forward.0.len(), 4, "a span that was delivered twice counts once");
}

#[test]
fn a_ring_of_parents_is_cut_once() {
    let mut builder = Builder::default();
    builder.resource("shop", "{}");
    builder.push(span(1, 1, 3, 1));
    builder.push(span(1, 2, 1, 2));
    builder.push(span(1, 3, 2, 3));
    builder.push(span(1, 4, 4, 4));
    let window = builder.finish();
    assert_eq!(window.parent, [NONE, 0, 1, NONE]);
    assert_eq!(window.children(0), [1]);
}

#[test]
fn attributes_are_read_by_canonical_key_and_as_text() {
    let mut builder = Builder::default();
    let resource = builder.resource("shop", r#"{"service.instance.id":"a-1","process.pid":7}"#);
    builder.attributes(r#"{"http.route":"/a","n":200,"d":2.0,"list":["x","y"],"map":{"k":1}}"#);
    builder.links(r#"[{"trace_id":"0a","span_id":"0b"},{"trace_id":"0c","span_id":"0d"}]"#);
    builder.push(SpanRecord { resource, ..span(1, 1, 0, 1) });
    let window = builder.finish();
    let text = |key: &str| window.texts.find(key).and_then(|key| window.attribute_text(0, key)).unwrap_or("absent");
    assert_eq!([text("http.route"), text("n"), text("d"), text("list"), text("map")], ["/a", "200", "2.0", "x,y", ""]);
    assert_eq!(text("process.pid"), "7", "what the span lacks is looked up in its resource");
    assert_eq!(
        window.links_of(0).iter().map(|link| (link.trace_id, link.span_id)).collect::<Vec<_>>(),
        [(10, 11), (12, 13)]
    );
    assert_eq!(window.text(window.instance(0)), "a-1");
}

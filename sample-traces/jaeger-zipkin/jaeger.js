// A shop of two services traced by Jaeger's own client, which sends Thrift. usage: jaeger.js SINK
const { initTracer } = require('jaeger-client');
const { FORMAT_TEXT_MAP, Tags } = require('opentracing');

const sink = process.argv[2];
const tracer = serviceName => initTracer(
  { serviceName, sampler: { type: 'const', param: 1 }, reporter: { collectorEndpoint: `${sink}/api/traces`, flushIntervalMs: 200 } },
  { tags: { 'shop.version': '1.4.2' }, logger: console },
);
const [shop, stock] = ['shop', 'stock'].map(tracer);
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

async function count(carrier, id) {
  const span = stock.startSpan('GET /stock', { childOf: stock.extract(FORMAT_TEXT_MAP, carrier), tags: { [Tags.SPAN_KIND]: 'server', 'http.status_code': 200 } });
  span.log({ event: 'counted', rows: 3, share: 0.5, cached: false });
  await pause(3);
  if (id === 13) {
    span.setTag(Tags.ERROR, true);
    span.log({ event: 'error', message: 'no such article' });
  }
  span.finish();
  return span;
}

async function order(id) {
  const root = shop.startSpan('order', { tags: { 'order.id': id, 'order.total': 12.5, 'order.gift': true } });
  const call = shop.startSpan('GET', { childOf: root, tags: { [Tags.SPAN_KIND]: 'client', [Tags.PEER_SERVICE]: 'stock' } });
  const carrier = {};
  shop.inject(call, FORMAT_TEXT_MAP, carrier);
  await count(carrier, id);
  call.finish();
  const mail = shop.startSpan('mail', { references: [require('opentracing').followsFrom(root.context())] });
  mail.finish();
  root.finish();
}

(async () => {
  for (const id of [7, 13]) await order(id);
  await pause(1000);
  shop.close(() => stock.close(() => process.exit(0)));
})();

'use strict';
// Gateway: the front of staging. HTTP in, HTTP to orders.

const { sdk } = require('./telemetry.js');
const http = require('node:http');
const { context, propagation, trace, SpanStatusCode } = require('@opentelemetry/api');
const { getRPCMetadata } = require('@opentelemetry/core');
const orders = require('./orders.js');

const CUSTOMERS = 20;
const ROUTES = [
  { pattern: /^\/checkout\/([^/?]+)$/, route: '/checkout/:id', upstream: (id) => `/orders/${id}` },
  { pattern: /^\/stock\/([^/?]+)$/, route: '/stock/:id', upstream: (id) => `/levels/${id}` },
];

const server = http.createServer((request, response) => {
  if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, { error: 'only GET and HEAD' });
  const { pathname } = new URL(request.url, 'http://gateway');
  if (pathname === '/healthz') return answer(response, 200, { ok: true });
  for (const { pattern, route, upstream } of ROUTES) {
    const found = pattern.exec(pathname);
    if (found) return serve(request, response, route, upstream(found[1]), customerOf(found[1]));
  }
  answer(response, 404, { error: 'no such page' });
});

/** Passes one request on, with the customer as baggage. */
async function serve(request, response, route, path, customer) {
  name(route, customer);
  const carried = propagation.createBaggage({ 'shop.customer': { value: customer } });
  const { status, body } = await context.with(propagation.setBaggage(context.active(), carried), () => reply(path, request));
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body);
}

async function reply(path, request) {
  try {
    const { status, body } = await orders.ask(path, faultHeaders(request));
    return status < 500 ? { status, body } : { status: passedOn(status), body };
  } catch (error) {
    trace.getActiveSpan()?.recordException(error);
    trace.getActiveSpan()?.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    const status = error.code === 'ETIMEDOUT' ? 504 : 502;
    return { status, body: JSON.stringify({ error: error.message }) };
  }
}

/** Orders' own failures are a bad gateway to the customer; what it says about others behind it stays as it is. */
function passedOn(status) {
  return status === 503 || status === 504 ? status : 502;
}

/** What injectors read of a request must reach those behind the next service, too. */
function faultHeaders(request) {
  const carried = ([header]) => header.startsWith('x-envoy-fault-') || header === 'x-fault-edge';
  return Object.fromEntries(Object.entries(request.headers).filter(carried));
}

function name(route, customer) {
  const metadata = getRPCMetadata(context.active());
  if (metadata) metadata.route = route;
  trace.getActiveSpan()?.setAttribute('shop.customer', customer);
}

/** The same id always belongs to the same customer. */
function customerOf(id) {
  const sum = [...id].reduce((total, letter) => (total * 31 + letter.codePointAt(0)) % 9973, 7);
  return `customer-${sum % CUSTOMERS}`;
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

server.listen(Number(process.env.PORT), process.env.BIND);

// What the SDK still holds is sent once the last request is answered.
process.on('SIGTERM', () => {
  server.close(() => sdk.shutdown().catch(() => {}).then(() => process.exit(0)));
  server.closeIdleConnections();
});

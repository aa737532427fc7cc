'use strict';
// Loaded before anything that is traced: OTEL_* variables say where spans go and which propagators are in use.

const { NodeSDK } = require('@opentelemetry/sdk-node');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');

const sdk = new NodeSDK({
  instrumentations: [
    new HttpInstrumentation({ ignoreIncomingRequestHook: (request) => request.url === '/healthz' }),
  ],
});

sdk.start();

module.exports = { sdk };

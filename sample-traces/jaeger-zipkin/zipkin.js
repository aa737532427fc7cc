// A shop of two services traced by zipkin-js. Its B3 propagation lets the server go on with the span of its caller, so that
// both report the same id. usage: zipkin.js SINK
const express = require('express');
const { Tracer, BatchRecorder, jsonEncoder, Annotation } = require('zipkin');
const { HttpLogger } = require('zipkin-transport-http');
const { expressMiddleware } = require('zipkin-instrumentation-express');
const wrapFetch = require('zipkin-instrumentation-fetch');
const CLSContext = require('zipkin-context-cls');
const fetch = require('node-fetch');

const sink = process.argv[2];
const context = new CLSContext('zipkin');

function tracer(localServiceName) {
  const logger = new HttpLogger({ endpoint: `${sink}/zipkin/${localServiceName}`, jsonEncoder: jsonEncoder.JSON_V2, httpInterval: 300 });
  return new Tracer({ ctxImpl: context, recorder: new BatchRecorder({ logger }), localServiceName });
}

const [shop, stock] = ['Shop', 'stock'].map(tracer);

const stockApp = express();
stockApp.use(expressMiddleware({ tracer: stock }));
stockApp.get('/stock/:id', async (request, response) => {
  const left = await stock.local('count', async () => {
    stock.recordAnnotation(new Annotation.Message('counted'));
    stock.recordBinary('rows', 3);
    await new Promise(resolve => setTimeout(resolve, 4));
    return 3;
  });
  if (request.params.id === '13') {
    stock.recordBinary('error', 'no such article');
    response.status(500);
  }
  response.json({ left });
});

const shopApp = express();
shopApp.use(expressMiddleware({ tracer: shop }));
shopApp.get('/order/:id', async (request, response) => {
  const call = wrapFetch(fetch, { tracer: shop, serviceName: 'shop', remoteServiceName: 'stock' });
  const answer = await call(`http://127.0.0.1:${ports[1]}/stock/${request.params.id}`);
  response.status(answer.status).json(await answer.json());
});

let ports;
const listen = app => new Promise(resolve => { const server = app.listen(0, '127.0.0.1', () => resolve(server)); });

(async () => {
  const servers = [await listen(shopApp), await listen(stockApp)];
  ports = servers.map(server => server.address().port);
  for (const id of [7, 13]) {
    await (await fetch(`http://127.0.0.1:${ports[0]}/order/${id}`)).text();
  }
  setTimeout(() => process.exit(0), 1500);
})();

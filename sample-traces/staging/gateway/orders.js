'use strict';
// The call to orders: one attempt, with an end.

const http = require('node:http');

const TIMEOUT_MS = Number(process.env.ORDERS_TIMEOUT_MS);

/** Asks orders for `path`; resolves with status and body, rejects with an error whose code says what happened. */
function ask(path, headers) {
  return new Promise((resolve, reject) => {
    const request = http.get(process.env.ORDERS_URL + path, { headers });
    const timer = setTimeout(() => request.destroy(tooLate()), TIMEOUT_MS);
    const fail = (error) => {
      clearTimeout(timer);
      reject(error);
    };
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode, body: Buffer.concat(chunks) });
      });
    });
  });
}

function tooLate() {
  const error = new Error(`no answer from orders within ${TIMEOUT_MS} ms`);
  error.name = 'TimeoutError';
  error.code = 'ETIMEDOUT';
  return error;
}

module.exports = { ask };

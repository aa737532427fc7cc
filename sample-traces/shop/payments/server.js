'use strict';
// Payments: offers payment plans and charges cards.

const { sdk } = require('./telemetry.js');
const { setTimeout: pause } = require('node:timers/promises');
const { trace, metrics, SpanStatusCode } = require('@opentelemetry/api');
const express = require('express');
const pino = require('pino');

// The card network answers such cards only after a second look.
const SECOND_LOOK_MS = 320;

const log = pino({ name: 'payments' });
const tracer = trace.getTracer('payments');
const amounts = metrics.getMeter('payments').createHistogram('shop.payment.amount', {
  unit: '{cent}',
  description: 'Amounts asked of cards.',
});
let charges = 0;
const app = express();
app.use(express.json());

app.get('/plans', (request, response) => {
  const cents = Number(request.query.cents);
  response.json([1, 3, 12].map((months) => ({ months, cents: Math.ceil(cents / months) })));
});

app.post('/charges', async (request, response) => {
  const { card, cents } = request.body;
  amounts.record(cents, { 'shop.card': card });
  const answer = await authorize(card, cents);
  response.status(answer.accepted ? 201 : 402).json(answer);
});

/** Asks the card network; the span says what it answered. Throws for a card whose token is no longer known. */
function authorize(card, cents) {
  return tracer.startActiveSpan('authorize', { attributes: { 'shop.card': card } }, async (span) => {
    try {
      return await ask(card, cents, span);
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      log.error({ card, err: error }, 'charge failed');
      throw error;
    } finally {
      span.end();
    }
  });
}

async function ask(card, cents, span) {
  if (card === 'stale') throw new RangeError('card token is no longer known');
  if (card === 'unusual') await pause(SECOND_LOOK_MS);
  const accepted = card !== 'declined';
  span.setAttribute('shop.payment.accepted', accepted);
  log[accepted ? 'info' : 'warn']({ card, cents }, accepted ? 'card charged' : 'card declined');
  charges += 1;
  return { accepted, id: `charge-${charges}` };
}

const server = app.listen(Number(process.env.PORT), '127.0.0.1');

// What the SDK still holds is sent once the last request is answered.
process.on('SIGTERM', () => server.close(() => sdk.shutdown().then(() => process.exit(0))));

// Writes the same three events with one Node logger: pino, winston or bunyan.
const context = { trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", span_id: "00f067aa0ba902b7" };
const refused = new Error("card refused");
refused.stack = "Error: card refused\n    at charge (payments.js:12:9)\n    at main (payments.js:20:3)";

function write(log) {
  log.info({ order: 1002, amount: 12.5 }, "charging");
  log.warn({ took_ms: 180 }, "slow answer");
  log.error({ err: refused }, "charge failed");
}

const loggers = {
  pino: () => write(require("pino")({ name: "payments", base: { pid: process.pid, hostname: "shop" } }).child(context)),
  bunyan: () => write(require("bunyan").createLogger({ name: "payments", hostname: "shop", ...context })),
  winston: () => {
    const winston = require("winston");
    const format = winston.format.combine(winston.format.timestamp(), winston.format.json());
    const log = winston.createLogger({ level: "silly", format, defaultMeta: { service: "payments", ...context }, transports: [new winston.transports.Console()] });
    log.info("charging", { order: 1002, amount: 12.5 });
    log.warn("slow answer", { took_ms: 180 });
    log.error("charge failed", { error: refused.message });
    log.silly("done");
  },
};
loggers[process.argv[2]]();

// Drives the API with toxiproxy-node-client as its README shows, and looks at the wire in between.
const assert = require("node:assert");
const http = require("node:http");
const { Toxiproxy } = require("toxiproxy-node-client");

const LATENCY = 80;

function timed(listen) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.get(`http://${listen}/`, { agent: false }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(performance.now() - began));
    });
    request.on("error", reject);
  });
}

async function main() {
  const toxiproxy = new Toxiproxy(process.env.API);
  assert.match(await toxiproxy.getVersion(), /2\.\d+\.\d+/);
  const proxy = await toxiproxy.createProxy({ name: "js", listen: "127.0.0.1:0", upstream: process.env.UPSTREAM });
  assert.ok(proxy.listen.startsWith("127.0.0.1:"));
  const body = { name: "slow", type: "latency", stream: "downstream", toxicity: 1, attributes: { latency: LATENCY, jitter: 0 } };
  const toxic = await proxy.addToxic(body);
  assert.strictEqual((await proxy.getToxic("slow")).attributes.latency, LATENCY);
  assert.ok((await timed(proxy.listen)) >= LATENCY - 1);
  const changed = await toxic.update({ attributes: { latency: 1, jitter: 0 } });
  assert.strictEqual(changed.attributes.latency, 1);
  await changed.remove();
  await assert.rejects(proxy.getToxic("slow"));
  await proxy.addToxic({ name: "cut", type: "reset_peer", attributes: { timeout: 0 } });
  await assert.rejects(timed(proxy.listen), { code: "ECONNRESET" });
  await toxiproxy.reset();
  await timed(proxy.listen);
  await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
  await assert.rejects(timed(proxy.listen), { code: "ECONNREFUSED" });
  const all = await toxiproxy.populate([{ name: "more", listen: "127.0.0.1:0", upstream: process.env.UPSTREAM }]);
  assert.ok(all.more || all[0]);
  assert.deepStrictEqual(Object.keys(await toxiproxy.getAll()).sort(), ["js", "more"]);
  await proxy.remove();
  await assert.rejects(toxiproxy.get("js"));
  console.log("all of it");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

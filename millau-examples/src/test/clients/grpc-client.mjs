// grpc-js through the proxy's HTTPS: all four kinds of calls, a deadline, a cancelled call, an error with trailers.
// Arguments: host and port, and the file of the CA.
import assert from "node:assert/strict";
import fs from "node:fs";
import { promisify } from "node:util";
import grpc from "@grpc/grpc-js";
import { service } from "./grpc-service.mjs";

const [target, ca] = process.argv.slice(2);
const Client = grpc.makeGenericClientConstructor(service, "test.Echo");
const client = new Client(target, grpc.credentials.createSsl(fs.readFileSync(ca)), {
  "grpc.ssl_target_name_override": "grpc.example",
  "grpc.default_authority": "grpc.example",
});
const call = (name, value, options = {}) => promisify((done) => client[name](value, options, done))();

// One request, one response.
assert.deepEqual(await call("one", { text: "größe €" }), { text: "größe €", from: ["https"] });

// A stream of requests.
assert.equal(
  await promisify((done) => {
    const stream = client.sum(done);
    for (let i = 1; i <= 1_000; i++) stream.write(i);
    stream.end();
  })(),
  500_500,
);

// A stream of responses.
const counted = [];
for await (const value of client.count(1_000)) counted.push(value);
assert.deepEqual(counted, Array.from({ length: 1_000 }, (_, i) => i));

// Both: each message is answered before the next one is sent.
const chat = client.chat();
for (const text of ["one", "two", "x".repeat(100_000)]) {
  chat.write(text);
  assert.equal(await new Promise((heard) => chat.once("data", heard)), text);
}
const ended = new Promise((done) => chat.once("status", done));
chat.end();
chat.resume();
assert.equal((await ended).code, grpc.status.OK);

// A deadline, and a call that is cancelled: the server is told of both.
await assert.rejects(call("hang", {}, { deadline: Date.now() + 300 }), { code: grpc.status.DEADLINE_EXCEEDED });
await assert.rejects(
  promisify((done) => {
    const hanging = client.hang({}, done);
    setTimeout(() => hanging.cancel(), 300);
  })(),
  { code: grpc.status.CANCELLED },
);
while ((await call("cancelled", {})) < 2) await new Promise((later) => setTimeout(later, 20));

// An error with trailers.
await assert.rejects(call("fail", {}), (error) => {
  assert.equal(error.code, grpc.status.RESOURCE_EXHAUSTED);
  assert.equal(error.details, "größer als erlaubt");
  assert.deepEqual(error.metadata.get("x-reason"), ["sold out"]);
  assert.deepEqual(error.metadata.get("details-bin"), [Buffer.from([1, 2, 3])]);
  return true;
});

client.close();
console.log("ok");

// A gRPC server without TLS, on a free port of the loopback interface, which it prints.
import grpc from "@grpc/grpc-js";
import { service } from "./grpc-service.mjs";

let cancelled = 0;
const server = new grpc.Server();
server.addService(service, {
  one: (call, reply) => reply(null, { text: call.request.text, from: call.metadata.get("x-forwarded-proto") }),
  sum: (call, reply) => {
    let sum = 0;
    call.on("data", (value) => (sum += value));
    call.on("end", () => reply(null, sum));
  },
  count: (call) => {
    for (let i = 0; i < call.request; i++) call.write(i);
    call.end();
  },
  chat: (call) => {
    call.on("data", (value) => call.write(value));
    call.on("end", () => call.end());
  },
  hang: (call) => call.on("cancelled", () => cancelled++),
  fail: (_, reply) => {
    const trailers = new grpc.Metadata();
    trailers.set("x-reason", "sold out");
    trailers.set("details-bin", Buffer.from([1, 2, 3]));
    reply({ code: grpc.status.RESOURCE_EXHAUSTED, details: "größer als erlaubt", metadata: trailers });
  },
  cancelled: (_, reply) => reply(null, cancelled),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`port ${port}`);
});

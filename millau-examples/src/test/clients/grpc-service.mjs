// The service that grpc-server.mjs offers and grpc-client.mjs calls: all four kinds of calls, with JSON as their format.
const format = {
  requestSerialize: (value) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes) => JSON.parse(bytes.toString()),
  responseSerialize: (value) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes) => JSON.parse(bytes.toString()),
};

const call = (name, requestStream, responseStream) => ({ path: `/test.Echo/${name}`, requestStream, responseStream, ...format });

export const service = {
  one: call("One", false, false),
  sum: call("Sum", true, false),
  count: call("Count", false, true),
  chat: call("Chat", true, true),
  hang: call("Hang", false, false),
  fail: call("Fail", false, false),
  cancelled: call("Cancelled", false, false),
};

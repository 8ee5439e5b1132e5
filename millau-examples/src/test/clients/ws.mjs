// ws: texts of several sizes through a WebSocket, and its close. Arguments: URLs.
import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";

for (const url of process.argv.slice(2)) {
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  await once(socket, "open");
  for (const text of ["one", "größe €", "x".repeat(100_000)]) {
    socket.send(text);
    const [answer] = await once(socket, "message");
    assert.equal(answer.toString(), text);
  }
  socket.close(1000);
  const [code] = await once(socket, "close");
  assert.equal(code, 1000);
}
console.log("ok");

// undici: POST requests at once, over HTTP/1.1 and over HTTP/2. Argument: the URL of the proxy.
import assert from "node:assert/strict";
import { Agent, request } from "undici";

const [base] = process.argv.slice(2);
for (const allowH2 of [false, true]) {
  const agent = new Agent({ allowH2, connect: { rejectUnauthorized: false } });
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const body = "x".repeat(i * 5_000);
      const response = await request(`${base}/undici?i=${i}`, { dispatcher: agent, method: "POST", body });
      assert.equal(response.statusCode, 200);
      assert.match(await response.body.text(), new RegExp(`path: /undici\\?i=${i}\nbody: ${body.length} bytes`));
    }),
  );
  await agent.close();
}
console.log("ok");

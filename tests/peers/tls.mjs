// The emulator speaks plain HTTP on this machine; MSAL speaks TLS only. This stands between them,
// and calls the provider by the name that MSAL knows.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

/** A TLS front for `provider` (an http origin); answers its own origin and how to end it. */
export async function tlsFront(provider, { certificate, key }) {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `https://localhost:${server.address().port}`;
  server.on("request", async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, ...headers } = request.headers;
    const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
    const passedOn = { method: request.method, headers, body, redirect: "manual" };
    const answer = await fetch(provider + request.url, passedOn);
    const text = (await answer.text()).replaceAll(provider, origin);
    const location = answer.headers.get("location");
    response.writeHead(answer.status, {
      "content-type": answer.headers.get("content-type") ?? "text/plain",
      ...(location && { location: location.replaceAll(provider, origin) }),
      "set-cookie": answer.headers.getSetCookie(),
    });
    response.end(text);
  });
  return { origin, close: () => server.close() };
}

// openid-client links a display by plain RFC 8628 with DPoP, and Microsoft's SignalR client follows
// the link and then the family, until the display is revoked.
//
//   node link.mjs API TOKEN FAMILY     (the token proves a second factor of an owner of FAMILY)
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";

import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import * as oauth from "openid-client";

const [api, token, family] = process.argv.slice(2);

const config = await oauth.discovery(
  new URL(`${api}/.well-known/oauth-authorization-server`),
  "luminous-display",
  undefined,
  oauth.None(),
  { execute: [oauth.allowInsecureRequests] },
);
const keys = await oauth.randomDPoPKeyPair("ES256", { extractable: true });
const DPoP = oauth.getDPoPHandle(config, keys);

/** A proof made by hand (RFC 9449), for the one request that openid-client does not know. */
async function proof(method, address) {
  const encode = (part) => Buffer.from(part).toString("base64url");
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const head = encode(JSON.stringify({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }));
  const iat = Math.floor(Date.now() / 1000);
  const body = encode(JSON.stringify({ jti: randomUUID(), htm: method, htu: address, iat }));
  const signed = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    keys.privateKey,
    Buffer.from(`${head}.${body}`),
  );
  return `${head}.${body}.${encode(signed)}`;
}

/** A call of the person who approves. */
async function person(method, path, body) {
  const answer = await fetch(api + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

function hub(path, ticket) {
  return new HubConnectionBuilder()
    .withUrl(api + path, { accessTokenFactory: () => ticket })
    .configureLogging(LogLevel.Error)
    .build();
}

function once(connection, event) {
  return new Promise((resolve) => connection.on(event, resolve));
}

const jkt = await DPoP.calculateThumbprint();
const link = await oauth.initiateDeviceAuthorization(config, {
  scope: "display",
  dpop_jkt: jkt,
  device_name: "A wall of Node",
  device_model: "openid-client",
  app_version: "6",
});
assert.match(link.user_code, /^[0-9A-Z]{3} [0-9A-Z]{3}$/);

const bought = await fetch(`${api}/oauth2/link_ticket`, {
  method: "POST",
  headers: { DPoP: await proof("POST", `${api}/oauth2/link_ticket`) },
  body: new URLSearchParams({ client_id: "luminous-display", device_code: link.device_code }),
});
assert.equal(bought.status, 200, await bought.clone().text());
const waiting = hub("/hubs/link", (await bought.json()).ticket);
const claimed = once(waiting, "CodeClaimed");
const linked = once(waiting, "Linked");
await waiting.start();

const challenge = await person("POST", "/api/link/lookup", { user_code: link.user_code });
assert.equal(challenge.device_name, "A wall of Node");
const { number } = await claimed;
const device = await person("POST", "/api/link/confirm", {
  challenge: challenge.challenge,
  number,
  name: "Node's wall",
});
await linked;
await waiting.stop();

let tokens = await oauth.pollDeviceAuthorizationGrant(config, link, undefined, { DPoP });
assert.equal(tokens.token_type, "dpop");
const claims = JSON.parse(Buffer.from(tokens.access_token.split(".")[1], "base64url"));
assert.deepEqual(
  [claims.role, claims.family_id, claims.sub, claims.cnf.jkt],
  ["display", family, device.id, jkt],
);
tokens = await oauth.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });

const display = async (method, path) => {
  const address = new URL(api + path);
  const options = { DPoP };
  const answer = await oauth.fetchProtectedResource(
    config, tokens.access_token, address, method, null, undefined, options,
  );
  return answer.json();
};
const wall = await display("GET", "/api/wall");
assert.equal(wall.device.name, "Node's wall");
const family_ticket = await display("POST", "/api/hub/ticket");
const following = hub("/hubs/family", family_ticket.ticket);
const event = once(following, "Event");
await following.start();
await following.invoke("Resume", wall.seq);
const text = `Milk, ${createHash("sha256").update(jkt).digest("hex").slice(0, 6)}`;
await person("POST", `/api/families/${family}/notes`, { text });
assert.equal((await event).kind, "notes_changed");
assert.ok((await display("GET", "/api/wall")).notes.some((note) => note.text === text));

const closed = new Promise((resolve) => following.onclose(resolve));
await person("POST", `/api/devices/${device.id}/revoke`);
await closed;
const refused = oauth.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
await assert.rejects(refused, (error) => error.error === "invalid_grant");

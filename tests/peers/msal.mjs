// Microsoft's own library signs in at the emulator and calls the family API with what it got.
//
//   node msal.mjs PROVIDER API CERTIFICATE KEY     (NODE_EXTRA_CA_CERTS=CERTIFICATE)
import assert from "node:assert/strict";

import { CryptoProvider, PublicClientApplication } from "@azure/msal-node";

import { signUp } from "./browser.mjs";
import { tlsFront } from "./tls.mjs";

const CLIENT = "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1";
const AUTHORITY = "luminousdemo.onmicrosoft.com/b2c_1_signupsignin1";
const SCOPES = ["https://luminousdemo.onmicrosoft.com/api/user_impersonation"];
const REDIRECT = "http://localhost:47218/auth/callback";

const [provider, api, certificate, key] = process.argv.slice(2);
const front = await tlsFront(provider, { certificate, key });
const app = new PublicClientApplication({
  auth: {
    clientId: CLIENT,
    authority: `${front.origin}/${AUTHORITY}`,
    knownAuthorities: [new URL(front.origin).host],
  },
});

const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
const request = { scopes: SCOPES, redirectUri: REDIRECT, state: "state-of-the-peer" };
const link = await app.getAuthCodeUrl({
  ...request,
  codeChallenge: challenge,
  codeChallengeMethod: "S256",
});
const back = await signUp(link, REDIRECT, {
  email: "msal@example.test",
  name: "Mia Sal",
  password: "correct horse 7 battery",
});
assert.equal(back.searchParams.get("state"), "state-of-the-peer");
const code = back.searchParams.get("code");
const signedIn = await app.acquireTokenByCode({ ...request, code, codeVerifier: verifier });
assert.equal(signedIn.idTokenClaims.name, "Mia Sal");

async function call(method, path, token, body) {
  const answer = await fetch(api + path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null, headers: answer.headers };
}

const nobody = await call("GET", "/api/me");
assert.equal(nobody.status, 401);
assert.match(nobody.headers.get("www-authenticate"), /^Bearer /);

const me = await call("GET", "/api/me", signedIn.accessToken);
assert.equal(me.status, 200);
assert.equal(me.body.account.name, "Mia Sal");
assert.equal(me.body.membership, null);

// An ID token is no access token, whoever sends it.
assert.equal((await call("GET", "/api/me", signedIn.idToken)).status, 401);

const created = await call("POST", "/api/families", signedIn.accessToken, { name: "The Sals" });
assert.equal(created.status, 201);

// The token was issued before there was a family; one that is refreshed says so.
const family = `/api/families/${created.body.membership.family.id}`;
const refreshed = await app.acquireTokenSilent({
  scopes: SCOPES,
  account: signedIn.account,
  forceRefresh: true,
});
const members = await call("GET", `${family}/members`, refreshed.accessToken);
assert.equal(members.status, 200);
assert.deepEqual(
  members.body.members.map(({ name, role }) => ({ name, role })),
  [{ name: "Mia Sal", role: "owner" }],
);
front.close();

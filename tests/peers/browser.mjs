// As much of a browser as the emulator's pages need: cookies, one form, redirects by hand.

/** Follows a sign-in link as somebody new, and answers the redirect that comes back to the app. */
export async function signUp(link, redirectUri, person) {
  const cookies = new Map();
  const visit = async (address, form) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(address, {
      method: form ? "POST" : "GET",
      headers: cookie ? { cookie } : {},
      body: form && new URLSearchParams(form),
      redirect: "manual",
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split("=");
      cookies.set(name, value);
    }
    return answer;
  };
  const first = await (await visit(link)).text();
  const create = one(first, /href="(\/ui\/sign-up\?tx=[^"]+)"/);
  const origin = new URL(link).origin;
  const page = await (await visit(origin + create.replaceAll("&amp;", "&"))).text();
  const answer = await visit(origin + "/ui/sign-up", {
    tx: one(page, /name="tx" value="([^"]+)"/),
    csrf: one(page, /name="csrf" value="([^"]+)"/),
    email: person.email,
    displayName: person.name,
    password: person.password,
    confirmPassword: person.password,
    action: "continue",
  });
  const location = answer.headers.get("location") ?? "";
  if (!location.startsWith(redirectUri)) {
    throw new Error(`no redirect to the app: ${answer.status} ${await answer.text()}`);
  }
  return new URL(location);
}

function one(page, pattern) {
  const found = pattern.exec(page);
  if (!found) throw new Error(`the page has no ${pattern}`);
  return found[1];
}

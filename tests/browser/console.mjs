// node console.mjs URL LINK [SHOTS] [PERSON PASSWORD TOTP_SECRET]
//
// Signs in to a running console and walks every page that its navigation leads to, and one page of
// each list, in both colour schemes at 1280 and 390 px, holding each against inspect.mjs.
// URL: https://127.0.0.1:8443   LINK: the one-time link of the first administrator or of the sample,
// or "-" when a person with a password and an authenticator is given instead.

import { createHmac } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { FLAGS, SCHEMES, Tally, WIDTHS, inspect } from "./inspect.mjs";

const [url, link, shots, person, password, secret] = process.argv.slice(2);
if (!url || !link) {
  console.error("usage: node console.mjs URL LINK [SHOTS] [PERSON PASSWORD TOTP_SECRET]");
  process.exit(2);
}
if (shots) await mkdir(shots, { recursive: true });

/// The one-time code of now (RFC 6238: SHA-1, 30 seconds, six digits).
function code(base32, at = Date.now()) {
  const bits = [...base32.replace(/[\s=]/g, "").toUpperCase()]
    .map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/// The password that is chosen at set-up.
const CHOSEN = "correct horse battery staple";

const tally = new Tally();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
const open = async (options) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  // A refused inline style or script shows here, as does any script error.
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of (4|5)\d\d/.test(message.text())) {
      tally.expect(false, `${page.url()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => tally.expect(false, `${page.url()}: ${error.message}`));
  return { context, page };
};

/// Inspects the page that is open in both schemes and widths.
async function everyLook(page, name) {
  for (const colorScheme of SCHEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const label = `${name}-${colorScheme}-${width}`;
      await inspect(page, tally, label);
      if (shots) await page.screenshot({ path: `${shots}/${label}.png`, fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

/// A stranger sees the sign-in page, and nothing else, whatever is asked for.
async function stranger() {
  const { context, page } = await open();
  for (const path of ["/", "/keys", "/log", "/reports"]) {
    await page.goto(url + path);
    tally.expect(new URL(page.url()).pathname === "/sign-in", `${path} is closed to a stranger`);
  }
  await everyLook(page, "sign-in");
  const cookies = await context.cookies();
  tally.expect(
    cookies.every((c) => c.secure && c.httpOnly && c.sameSite === "Strict" && c.path === "/"),
    "cookies are Secure, HttpOnly and SameSite=Strict",
  );
  await page.fill("input[name=name]", "nobody");
  await page.fill("input[name=password]", "not the password");
  await page.click("button[type=submit]");
  // A wrong name and a wrong password look alike: the code is asked for all the same.
  const told = await page.locator("[role=alert], input[name=code]").count();
  tally.expect(told > 0, "a wrong password is refused, or tells nothing before the code");
  await context.close();
}

async function signIn(page) {
  if (person) {
    await page.goto(`${url}/sign-in`);
    await page.fill("input[name=name]", person);
    await page.fill("input[name=password]", password);
    await page.click("button[type=submit]");
    await page.fill("input[name=code]", code(secret));
    await page.click("button[type=submit]");
    return;
  }
  await page.goto(link);
  // A link of the sample signs in by itself; one of an installation sets an account up.
  if (await page.locator("input[name=link]").count() === 0) {
    const button = page.locator("main button[type=submit]");
    if (await button.count() > 0) await button.first().click();
    return;
  }
  await everyLook(page, "set-up");
  await page.click("button[type=submit]");
  await everyLook(page, "set-up-seed");
  const shown = await page.locator("main p code").first().innerText();
  await page.fill("input[name=password]", CHOSEN);
  await page.fill("input[name=again]", CHOSEN);
  await page.fill("input[name=code]", code(shown));
  await page.click("form[action='/set-up/finish'] button[type=submit]");
}

/// Paths to visit: the navigation, one's own account, and the first page of each list.
async function paths(page) {
  const links = async (selector) =>
    page.locator(selector).evaluateAll((all) => all.map((a) => a.getAttribute("href")));
  const chrome = "nav[aria-label=Main] a, .me a[href='/account']";
  const found = new Set((await links(chrome)).filter((p) => p.startsWith("/")));
  for (const path of [...found]) {
    await page.goto(url + path);
    const inside = (to) => path !== "/" && to?.startsWith(`${path}/`);
    const below = (await links("main a")).filter(inside);
    const download = await page.locator("main a[download]").count();
    if (below.length > 0 && download === 0) found.add(below[0]);
  }
  // Lists that a page leads to, and the first thing of each.
  for (const path of ["/data/findings", "/data/sources", "/data/profiles"]) {
    if (!found.has("/data")) continue;
    found.add(path);
    await page.goto(url + path);
    const [first] = (await links("main th a")).filter((to) => to?.startsWith(`${path}/`));
    if (first) found.add(first);
  }
  return [...found];
}

await stranger();
const { context, page } = await open();
await signIn(page);
tally.expect(await page.locator("nav[aria-label=Main]").count() === 1, "signed in");
for (const path of await paths(page)) {
  const answer = await page.goto(url + path);
  const name = path === "/" ? "overview" : path.slice(1).replaceAll(/[^a-z0-9-]+/g, "-");
  const headers = answer.headers();
  tally.expect(answer.status() === 200, `${path}: status ${answer.status()}`);
  tally.expect(headers["cache-control"] === "no-store", `${path}: not kept by caches`);
  tally.expect(!/unsafe/.test(headers["content-security-policy"] ?? "unsafe"), `${path}: policy`);
  tally.expect(/ HKT/.test(await page.locator("main header").innerText()), `${path}: says when`);
  await everyLook(page, name);
}

// The keyboard reaches the content first.
await page.goto(`${url}/`);
await page.keyboard.press("Tab");
tally.expect(await page.evaluate(() => document.activeElement.className) === "skip", "skip link");
await page.goto(`${url}/?language=zh-Hant`);
tally.expect(await page.locator("[lang=zh-Hant]").count() > 1, "Traditional Chinese on request");
await page.goto(`${url}/?language=en`);

// A form without its token changes nothing.
const foreign = await context.request.post(`${url}/sign-out`, {
  headers: { origin: "https://elsewhere.example" }, form: { form_token: "" }, maxRedirects: 0,
});
tally.expect(foreign.status() === 403, `a foreign form is refused: ${foreign.status()}`);

// With scripts off every page still stands, on the same session.
const plain = await open({ javaScriptEnabled: false, storageState: await context.storageState() });
for (const path of ["/", "/keys", "/log", "/requirements", "/map", "/data", "/data/findings", "/data/sources", "/data/profiles", "/data/try"]) {
  await plain.page.goto(url + path);
  tally.expect((await plain.page.locator("h1").count()) === 1, `${path} without scripts`);
}
await plain.context.close();

await page.click(".me button");
tally.expect(new URL(page.url()).pathname === "/sign-in", "signed out");
await page.goto(`${url}/keys`);
tally.expect(new URL(page.url()).pathname === "/sign-in", "the session is over");
await context.close();
await browser.close();
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);

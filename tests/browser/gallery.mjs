// node gallery.mjs FOLDER [SHOTS]: inspects pages that the console's own tests wrote into a folder
// (LIONROCK_GALLERY=FOLDER cargo test -p console), without a server.

import { mkdir, readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { chromium } from "playwright-core";
import { FLAGS, SCHEMES, Tally, WIDTHS, inspect } from "./inspect.mjs";

const [folder, shots] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node gallery.mjs FOLDER [SHOTS]");
  process.exit(2);
}
const tally = new Tally();
const names = (await readdir(folder)).filter((name) => name.endsWith(".html")).sort();
if (shots) await mkdir(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
for (const colorScheme of SCHEMES) {
  for (const width of WIDTHS) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    for (const name of names) {
      await page.goto(`file://${resolve(folder, name)}`);
      const label = `${name.replace(".html", "")}-${colorScheme}-${width}`;
      await inspect(page, tally, label);
      if (shots) await page.screenshot({ path: `${shots}/${label}.png`, fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);

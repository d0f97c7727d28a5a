// What is asked of every page, whoever walks to it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core"), "utf8");

export const SCHEMES = ["light", "dark"];
export const WIDTHS = [1280, 390];

export const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/// Counts what passed and says what failed, as it happens.
export class Tally {
  passed = 0;
  failed = 0;

  expect(holds, what) {
    if (holds) {
      this.passed += 1;
    } else {
      this.failed += 1;
      console.log(`FAILED  ${what}`);
    }
  }
}

/// Holds the page that is open against the rules for all pages.
export async function inspect(page, tally, name) {
  const facts = await page.evaluate(() => ({
    titles: document.querySelectorAll("h1").length,
    mains: document.querySelectorAll("main").length,
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    // axe leaves a style of its own behind when it has run here before.
    inline: window.axe ? 0 : document.querySelectorAll("[style], style, script:not([src])").length,
  }));
  tally.expect(facts.titles === 1 && facts.mains === 1, `${name}: one title and one main`);
  tally.expect(facts.overflow <= 0, `${name}: ${facts.overflow} px wider than the window`);
  tally.expect(facts.inline === 0, `${name}: nothing inline`);
  // axe is handed over the debugger, so the page's own content policy stays as it is.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    resultTypes: ["violations"],
  }));
  for (const { id, help, nodes } of violations) {
    const where = nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join("\n          ");
    tally.expect(false, `${name}: ${id}: ${help}\n          ${where}`);
  }
  tally.expect(violations.length === 0, `${name}: ${violations.length} axe violations`);
}

// A picture of the console for the project's own pages: a room of the demo building, as it is some minutes after the start.
//
//   npm run picture -- RISER FILE
//
// RISER is the gateway's binary and FILE the PNG that is made, such as `../../../target/release/riser ../../../docs/console.png`.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

/** The room of the demo that has one module of each kind. */
const ROOM = "#/room/sys-lobby";

/** How often a number has to change, so that its chart has something to show. */
const CHANGES = 40;

const [riser, file] = process.argv.slice(2);
const gateway = spawn(riser, ["--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium-headless-shell", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme: "light" });
  await page.goto(await consoleAddress());
  await page.locator(".roomline .dot.good").first().waitFor();
  await page.goto(new URL(ROOM, page.url()).href);
  const charted = page.locator("[data-module^=AirQuality] tr:has(polyline) .value").first();
  for (let change = 0; change < CHANGES; change += 1) {
    const before = await charted.textContent();
    await charted.and(page.locator(`:not(:text-is("${before}"))`)).waitFor({ timeout: 60_000 });
  }
  await page.screenshot({ path: file });
} finally {
  await browser.close();
  gateway.kill();
}

/** Where the demo lets somebody in once. */
async function consoleAddress() {
  for await (const line of createInterface({ input: gateway.stdout })) {
    if (line.startsWith("console ")) return line.slice("console ".length);
  }
  throw new Error(`${riser} has ended before it was ready`);
}

// riser's console in a browser, driven by a test through standard input and output: Debian's Chromium without a screen, by Playwright.
//
//   node browser.mjs
//
// Standard input takes one command a line and standard output gives one event a line, both JSON objects.
// `ref` is the test's own mark; it comes back in the answer: {"event":"result","ref","value"} or {"event":"error","ref","error"}.
// A selector is one of Playwright's; each command waits until there is what it names.
//
//   {"cmd":"open","ref","url"}                      the value is the headers of the page, by name
//   {"cmd":"fill","ref","selector","text"}
//   {"cmd":"choose","ref","selector","text"}        an option of a list
//   {"cmd":"click","ref","selector"}
//   {"cmd":"press","ref","key"}                     a key of the keyboard, where the focus is
//   {"cmd":"see","ref","selector"}                  answered when the first of them can be seen
//   {"cmd":"gone","ref","selector"}                 answered when none of them can be seen
//   {"cmd":"text","ref","selector"}                 the text of the first of them, or of the field
//   {"cmd":"count","ref","selector"}                how many there are now
//   {"cmd":"axe","ref","scheme"}                    what shuts people out on the page, in the colours `light` or `dark`: one line a finding
//   {"cmd":"size","ref","width","height"}           of the window, in pixels
//   {"cmd":"hidden_width","ref"}                    how many pixels of the page are out of sight at its side
//   {"cmd":"wheel","ref","pixels"}                  the wheel of the mouse, downwards; answered when the page has drawn that
//   {"cmd":"long_tasks","ref"}                      how long each task was that kept the page from all else for more than 50 ms since this was asked last
//   {"cmd":"picture","ref","file"}                  a picture of the page, for a person who looks into a failure
//
// Without being asked it says
//
//   {"event":"sent","frame"}                        a frame of the page's websocket that is JSON
//   {"event":"http","status","path"}                an answer that is no success
//   {"event":"failed","text"}                       an exception that nobody in the page catches, or something that its policy forbids
//
// It ends when its standard input does, and the browser with it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe calls serious, and worse. */
const SERIOUS = ["serious", "critical"];

function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium-headless-shell",
  // A test may run as root, whom the sandbox refuses; the pages are our own.
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
await page.addInitScript(() => {
  globalThis.longTasks = [];
  const take = (list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => Math.round(duration)));
  new PerformanceObserver(take).observe({ type: "longtask", buffered: true });
});

page.on("pageerror", (error) => report({ event: "failed", text: String(error) }));
page.on("console", (message) => {
  const text = message.text();
  // What was not found or not allowed by the gateway comes as `http`.
  if (message.type() === "error" && !text.startsWith("Failed to load resource") && !text.startsWith("WebSocket connection")) report({ event: "failed", text });
});
page.on("response", (response) => {
  if (response.status() >= 400) report({ event: "http", status: response.status(), path: new URL(response.url()).pathname });
});
page.on("websocket", (socket) => {
  socket.on("framesent", ({ payload }) => {
    if (payload !== "ping") report({ event: "sent", frame: JSON.parse(payload) });
  });
});

const first = (selector) => page.locator(selector).first();

const commands = {
  open: async ({ url }) => {
    const answer = await page.goto(url);
    // A change behind the # alone asks for nothing.
    return answer ? answer.allHeaders() : {};
  },
  fill: ({ selector, text }) => first(selector).fill(text),
  choose: ({ selector, text }) => first(selector).selectOption(text).then(() => null),
  click: ({ selector }) => first(selector).click(),
  press: ({ key }) => page.keyboard.press(key),
  see: ({ selector }) => first(selector).waitFor({ state: "visible" }),
  gone: ({ selector }) => first(selector).waitFor({ state: "hidden" }),
  text: ({ selector }) => first(selector).evaluate((element) => element.value ?? element.textContent),
  count: ({ selector }) => page.locator(selector).count(),
  axe: async ({ scheme }) => {
    await page.emulateMedia({ colorScheme: scheme });
    // By the browser's own interface, which a page's policy does not bind.
    await page.evaluate(await readFile(AXE, "utf8"));
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
    if (passes.length === 0) throw new Error("axe has looked at nothing");
    const grave = violations.filter(({ impact }) => SERIOUS.includes(impact));
    return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(" ")}`);
  },
  size: ({ width, height }) => page.setViewportSize({ width, height }).then(() => null),
  hidden_width: () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
  wheel: async ({ pixels }) => {
    await page.mouse.move(600, 450);
    await page.mouse.wheel(0, pixels);
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
  },
  long_tasks: () => page.evaluate(() => globalThis.longTasks.splice(0)),
  picture: ({ file }) => page.screenshot({ path: file }).then(() => null),
};

async function obey(line) {
  const { cmd, ref, ...rest } = JSON.parse(line);
  try {
    report({ event: "result", ref, value: (await commands[cmd](rest)) ?? null });
  } catch (error) {
    report({ event: "error", ref, error: String(error) });
  }
}

// One command after the other: a page is looked at in the order in which a person would.
for await (const line of createInterface({ input: process.stdin })) await obey(line);
await browser.close();

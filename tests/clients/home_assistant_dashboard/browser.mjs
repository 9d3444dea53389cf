// A page in a browser, driven by a test through its standard input and output: Debian's Chromium without a screen, by Playwright.
//
//   node browser.mjs
//
// Standard input takes one command a line and standard output gives one event a line, both JSON objects.
// `ref` is the test's own mark; it comes back in the answer: {"event":"result","ref","value"} or {"event":"error","ref","error"}.
// A selector is one of Playwright's, which look into shadow trees and take `:has-text()`; each command waits until there is what it names.
//
//   {"cmd":"open","ref","url"}                      the value is the page's title
//   {"cmd":"fill","ref","selector","text"}
//   {"cmd":"click","ref","selector"}
//   {"cmd":"text","ref","selector"}                 the text of the first of them, or of the field
//   {"cmd":"see","ref","selector"}                  answered when the first of them can be seen
//   {"cmd":"picture","ref","file"}                  a picture of the page, for a person who looks into a failure
//
// Without being asked it says
//
//   {"event":"socket","path"}  {"event":"sent","frame"}  {"event":"received","frame"}
//   {"event":"http","status","path"}                an answer that is no success
//   {"event":"failed","text"}                       an exception that nobody in the page catches
//
// It ends when its standard input does, and the browser with it.

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** A frame as JSON, or its text where it is none. */
function read(payload) {
  try {
    return JSON.parse(payload);
  } catch {
    return String(payload);
  }
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium-headless-shell",
  // A test may run as root, whom the sandbox refuses; the pages are our own.
  // Pages of another make ask for pictures from elsewhere, which a test does not fetch.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
});
// Files that a page's worker keeps would not be asked for again.
const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 1400, height: 1000 } });
const page = await context.newPage();
page.setDefaultTimeout(60_000);

page.on("pageerror", (error) => report({ event: "failed", text: String(error) }));
page.on("response", (response) => {
  if (response.status() >= 400) report({ event: "http", status: response.status(), path: new URL(response.url()).pathname });
});
page.on("websocket", (socket) => {
  report({ event: "socket", path: new URL(socket.url()).pathname });
  socket.on("framesent", ({ payload }) => report({ event: "sent", frame: read(payload) }));
  socket.on("framereceived", ({ payload }) => report({ event: "received", frame: read(payload) }));
});

const commands = {
  open: async ({ url }) => {
    await page.goto(url);
    return page.title();
  },
  fill: ({ selector, text }) => page.locator(selector).first().fill(text),
  click: ({ selector }) => page.locator(selector).first().click(),
  text: ({ selector }) => page.locator(selector).first().evaluate((element) => element.value ?? element.textContent),
  see: ({ selector }) => page.locator(selector).first().waitFor({ state: "visible" }),
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

// The live dashboard in a real browser while real experiments run: the plan moves, numbers appear, a
// reload and a killed coordinator are survived, the result opens, and no script complains.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { checkSchemas } from "./result_files.mjs";
import { experimentFile, flow, freePort, ownCache, resultFolder, scratch, start, until, wholeLines } from "./support.mjs";

const screenshots = process.env.FLOW_SCREENSHOTS;
let browser;
before(async () => { browser = await launchBrowser(); });
after(() => browser.close());

// A page that fails its test when it complains or asks anybody but its server. While the server is away,
// or refuses, the browser itself says so.
const ownWords = /Failed to load resource|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET/;
async function openPage(context, url, look = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...look });
  const complaints = [];
  page.on("console", (message) => {
    const isLoud = message.type() === "error" || message.type() === "warning";
    if (isLoud && !ownWords.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith("data:")) {
      complaints.push(`asks for ${request.url()}`);
    }
  });
  context.after(() => page.close());
  await page.goto(url);
  return { page, complaints };
}

// Waits until the text of a part of the page matches.
async function sees(page, selector, pattern, ms = 90_000) {
  const deadline = Date.now() + ms;
  let text = "";
  while (Date.now() < deadline) {
    text = (await page.locator(selector).first().textContent({ timeout: 1000 }).catch(() => "")) ?? "";
    if (pattern.test(text)) return text;
    await page.waitForTimeout(100);
  }
  assert.fail(`${selector} never showed ${pattern}; it shows “${text}”`);
}

async function assertNoWiderThanWindow(page) {
  const [content, room] = await page.evaluate(() =>
    [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content <= room, `the page is ${content} px wide in a window of ${room} px`);
}

async function shot(page, name) {
  if (!screenshots) return;
  fs.mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
  // The README's picture: what is seen first.
  if (name === "dashboard-light") await page.screenshot({ path: path.join(screenshots, "dashboard.png") });
}

// The address that the program prints.
async function dashboardOf(run) {
  const found = await until(() => /Dashboard: (http:\S+)/.exec(wholeLines(run.out) + wholeLines(run.err)),
    "the dashboard's address");
  return found[1];
}

// From another process, after the run: list, report, comparison.
async function openPastResult(context, results, env) {
  const name = path.basename(resultFolder(results));
  fs.cpSync(path.join(results, name), path.join(results, "copy of <it>"), { recursive: true });
  const server = start(["dashboard", results, "--port", "0"], { env });
  context.after(() => server.child.kill("SIGKILL"));
  const { page, complaints } = await openPage(context, await dashboardOf(server),
    { viewport: { width: 390, height: 844 }, colorScheme: "dark" });

  await sees(page, "#now", /Nothing is running/);
  await page.locator("#results tbody tr").nth(1).waitFor();
  await assertNoWiderThanWindow(page);
  for (const box of await page.locator("#results input").all()) await box.check();
  await sees(page, "#compare tbody", /kafka-fsync-1.*Response time p50[\d.]+[\d.]+×1\.00/);
  await assertNoWiderThanWindow(page);
  await shot(page, "dashboard-phone-dark");

  const [report] = await Promise.all([
    page.context().waitForEvent("page"),
    page.locator(`[data-result="${name}"] a`).click(),
  ]);
  await report.waitForSelector("footer");
  assert.match(await report.title(), /smoke · Flow report/);
  assert.equal(await report.evaluate(() => window.origin), "null", "a report must not reach the dashboard");
  assert.deepEqual(complaints, []);

  server.child.kill("SIGINT");
  const end = await server.ended;
  assert.equal(end.code, 0, end.err);
  assert.equal(flow(["verify", path.join(results, name)], { env }).code, 0, "watching changed the result");
}

describe("a run with its dashboard", () => {
  test("shows plan, steps, numbers and gates as they come, survives reload and restart, and opens the report",
    { timeout: 600_000 }, async (context) => {
      const folder = scratch(context);
      const results = path.join(folder, "results");
      const env = { ...process.env, FLOW_CACHE: ownCache(folder) };
      const file = experimentFile(folder, { platforms: "[kafka]", blocks: "2", seeds: "[7, 8]", ticks: 32 });
      const mark = path.join(folder, "running.json");
      const args = ["run", file, "--results", results, "--dashboard", "--dashboard-port", String(await freePort())];
      const run = start(args, { env });
      context.after(() => run.child.kill("SIGKILL"));
      const { page, complaints } = await openPage(context, await dashboardOf(run));
      await sees(page, "#contact", /live/);
      await sees(page, "h1", /Does every hop work/);
      const [, trials] = /of (\d+) · kafka-fsync-1 · block 1 \(seed 7\)/.exec(
        await sees(page, ".trial-line", /Trial 1 of \d+ · kafka-fsync-1 · block 1 \(seed 7\)/));
      await sees(page, ".step", /starting kafka/);

      await context.test("numbers appear in the measured phase", async () => {
        await sees(page, ".step", /measuring for \d+:\d\d, about \d+:\d\d left/);
        await sees(page, ".readout", /measured · \d+ requests due, \d+ answered.*response p50 .*end to end p50/);
        await sees(page, "#resources tbody", /kafka-1\d+\.\d\d/);
        await sees(page, "#gates tbody", /start error p99(✓ holds|✗ does not hold)/);
        assert.equal(await page.locator("#gates tbody tr").count(), 5);
        fs.copyFileSync(path.join(resultFolder(results), "running.json"), mark);
        await sees(page, ".bar .where", /trial 1 of \d+ · measuring · about \d+:\d\d left/);
        await assertNoWiderThanWindow(page);
      });

      await context.test("the arrow keys read out a second, for a screen reader too", async () => {
        await page.locator(".board").focus();
        const second = async () => Number(await page.locator(".board").getAttribute("aria-valuenow"));
        const newest = await second(); // Others may come before the first key.
        for (let key = 0; key < 30 && await second() >= newest; key++) await page.keyboard.press("ArrowLeft");
        assert.ok(await second() < newest);
        assert.match(await page.locator(".board").getAttribute("aria-valuetext"), /\d\d:\d\d:\d\d UTC · /);
        await page.locator("#seconds details summary").click();
        await page.locator("#seconds tbody tr").nth(3).waitFor({ timeout: 60_000 });
      });

      await context.test("a reload loses nothing", async () => {
        const first = await page.locator(".board").getAttribute("aria-valuemin");
        await page.reload();
        await sees(page, ".readout", /UTC/);
        assert.equal(await page.locator(".board").getAttribute("aria-valuemin"), first);
        await page.locator("#now summary").click();
        await sees(page, "#now tbody", /starting kafka.*registering.*warming up.*measuring/);
        await page.locator("#now summary").click();
        await shot(page, "dashboard-light");
      });

      await context.test("a finished trial has its numbers in the plan", async () => {
        await sees(page, "#plan tbody tr", /^11kafka-fsync-1 (✓ valid|✗ not valid)[\d.]+/);
        await sees(page, ".trial-line", /Trial 2 of/);
      });

      await context.test("a coordinator that is killed is missed, and found again when it goes on", async () => {
        await sees(page, ".step", /measuring/);
        process.kill(run.child.pid, "SIGKILL");
        await run.ended;
        await sees(page, "#contact", /contact lost \d+:\d\d ago, trying again/);
        const again = start([...args, "--resume"], { env });
        context.after(() => again.child.kill("SIGKILL"));
        await sees(page, "#contact", /contact again after \d+:\d\d/);
        await sees(page, ".trial-line", /Trial 2 of/);
        await sees(page, "#plan tbody tr", /(✓ valid|✗ not valid)/);
        const end = await again.ended;
        assert.ok([0, 1].includes(end.code), end.err);
        await sees(page, "#contact", /this dashboard has ended with its run/);
        await sees(page, ".run-state", /ended/);
        await sees(page, ".whole-run", new RegExp(`${trials} of ${trials} trials done`));
      });

      assert.deepEqual(complaints, []);
      const checked = checkSchemas(mark);
      assert.equal(checked.code, 0, checked.out + checked.err);
      await openPastResult(context, results, env);
    });
});

describe("a dashboard that asks for a token", () => {
  test("lets in who has it, says who has not, and opens reports", { timeout: 120_000 }, async (context) => {
    const folder = scratch(context);
    const result = path.join(folder, "20261123T101500Z-told");
    fs.mkdirSync(result);
    fs.writeFileSync(path.join(result, "experiment.json"), JSON.stringify({ name: "told", question: "Is it told?" }));
    fs.writeFileSync(path.join(result, "report.html"), "<!doctype html><title>the report</title><p>told");
    const token = "a-secret_of-this-test";
    const run = start(["dashboard", folder, "--port", "0"], { env: { ...process.env, FLOW_DASHBOARD_TOKEN: token } });
    context.after(() => run.child.kill("SIGKILL"));
    const url = await dashboardOf(run);
    assert.ok(url.endsWith(`/#token=${token}`), url);

    const { page: stranger } = await openPage(context, url.split("#")[0]);
    await sees(stranger, "#contact", /not let in: the token is missing/);
    assert.doesNotMatch(await stranger.content(), /Is it told/);

    const { page, complaints } = await openPage(context, url);
    await sees(page, "#results", /Is it told\?/);
    const [report] = await Promise.all([page.context().waitForEvent("page"), page.locator("#results a").click()]);
    await report.waitForSelector("text=told");
    assert.equal(await report.title(), "the report");
    assert.deepEqual(complaints, []);
  });
});

describe("mistakes", () => {
  test("a folder that is not there", () => {
    const end = flow(["dashboard", "/nowhere"], { timeout: 20_000 });
    assert.equal(end.code, 2, end.err);
    assert.match(end.err, /\/nowhere: no such folder; expected a folder of results/);
  });

  test("an address that is none", () => {
    const end = flow(["dashboard", "--address", "here"], { timeout: 20_000 });
    assert.equal(end.code, 2, end.err);
    assert.match(end.err, /'here': expected an IP address/);
  });

  test("a port that is taken, for the dashboard and for a run", async (context) => {
    const folder = scratch(context);
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    context.after(() => server.close());
    const port = String(server.address().port);
    const alone = flow(["dashboard", folder, "--port", port], { timeout: 20_000 });
    assert.equal(alone.code, 3, alone.err);
    assert.match(alone.err, new RegExp(`127\\.0\\.0\\.1:${port}: Address already in use; another port can be given`));
    const run = flow(["run", experimentFile(folder, {}), "--results", path.join(folder, "results"),
      "--dashboard", "--dashboard-port", port], { timeout: 20_000 });
    assert.equal(run.code, 3, run.err);
    assert.ok(!fs.existsSync(path.join(folder, "results")), "nothing was started");
  });
});

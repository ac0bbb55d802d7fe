// What the end-to-end tests share: running the program, finding its children, reading results.
// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

export const FLOW = process.env.FLOW_BINARY;
export const ROOT = process.env.FLOW_ROOT;

// A folder of its own for a test; removed at the end.
export function scratch(context) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "flow-e2e-"));
  context.after(() => removeFolder(folder));
  return folder;
}

// Also one in which a server that is about to end still writes.
export function removeFolder(folder) {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
}

// A cache of its own, with the fetched servers of the real one: what this test starts and ends is no
// business of anybody else.
export function ownCache(folder) {
  const real = process.env.FLOW_CACHE ?? path.join(process.env.HOME ?? "/root", ".cache/flow");
  const cache = path.join(folder, "cache");
  fs.mkdirSync(cache);
  for (const entry of fs.readdirSync(real)) {
    if (entry !== "run" && entry !== "up") fs.symlinkSync(path.join(real, entry), path.join(cache, entry));
  }
  return cache;
}

// Runs the program to its end.
export function flow(args, options = {}) {
  const done = spawnSync(FLOW, args, {
    encoding: "utf8", timeout: 240_000, stdio: ["ignore", "pipe", "pipe"], ...options,
  });
  return { code: done.status, signal: done.signal, out: done.stdout ?? "", err: done.stderr ?? "" };
}

// Starts the program and lets the test act while it runs.
export function start(args, options = {}) {
  const child = spawn(FLOW, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const run = { child, out: "", err: "" };
  child.stdout.on("data", (text) => (run.out += text));
  child.stderr.on("data", (text) => (run.err += text));
  run.ended = new Promise((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, out: run.out, err: run.err })));
  return run;
}

// Of a stream that is still being written: the lines that have ended.
export const wholeLines = (text) => text.slice(0, text.lastIndexOf("\n") + 1);

// A port of 127.0.0.1 that is free, for a server that binds seconds later: below the range from which the
// kernel gives ports to outgoing connections (ip(7), ip_local_port_range).
export async function freePort() {
  const [first] = fs.readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split("\t").map(Number);
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = await bind(first > 10_240 ? crypto.randomInt(10_240, first) : 0);
    if (port) return port;
  }
  throw new Error("no free port of 127.0.0.1");
}

// The port, or the kernel's choice for 0, given back at once; 0 when it is taken.
function bind(port) {
  return new Promise((resolve) => {
    const server = net.createServer().on("error", () => resolve(0));
    server.listen(port, "127.0.0.1", () => {
      const { port: bound } = server.address();
      server.close(() => resolve(bound));
    });
  });
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Waits until `condition()` is true; throws with `what` after the deadline.
export async function until(condition, what, ms = 90_000) {
  const deadline = Date.now() + ms;
  while (Date.now() < deadline) {
    const value = condition();
    if (value) return value;
    await sleep(50);
  }
  throw new Error(`waited ${ms / 1000} s for: ${what}`);
}

// pid -> {parent, command} of all processes.
export function processes() {
  const table = new Map();
  for (const entry of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${entry}/stat`, "utf8");
      const command = fs.readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state !== "Z") table.set(Number(entry), { parent: Number(parent), command });
    } catch { /* It ended. */ }
  }
  return table;
}

// The descendants of `pid` whose command matches.
export function descendants(pid, pattern = /./) {
  const table = processes();
  const isBelow = (at) => {
    for (let up = table.get(at)?.parent; up > 1; up = table.get(up)?.parent) if (up === pid) return true;
    return false;
  };
  return [...table].filter(([at, { command }]) => isBelow(at) && pattern.test(command)).map(([at]) => at);
}

export const isAlive = (pid) => processes().has(pid);

// The one result folder below `results`.
export function resultFolder(results) {
  const [name] = fs.readdirSync(results);
  return path.join(results, name);
}

export function readJson(...parts) {
  return JSON.parse(fs.readFileSync(path.join(...parts), "utf8"));
}

export function trialsOf(folder) {
  const trials = path.join(folder, "trials");
  return fs.readdirSync(trials).sort()
    .filter((id) => fs.existsSync(path.join(trials, id, "trial.json")))
    .map((id) => readJson(trials, id, "trial.json"));
}

// An experiment file in `folder` with some keys of the smoke experiment replaced.
export function experimentFile(folder, changes) {
  let text = fs.readFileSync(path.join(ROOT, "experiments/smoke.yaml"), "utf8");
  for (const [key, value] of Object.entries(changes)) {
    const pattern = new RegExp(`^(\\s*(?:- )?${key}:).*$`, "m");
    if (!pattern.test(text)) throw new Error(`no ${key} in smoke.yaml`);
    text = text.replace(pattern, `$1 ${value}`);
  }
  const file = path.join(folder, "experiment.yaml");
  fs.writeFileSync(file, text);
  return file;
}

// The newest phase that intervals.jsonl of the running trial tells.
export function livePhase(results) {
  try {
    const folder = path.join(resultFolder(results), "trials");
    const [trial] = fs.readdirSync(folder).sort().slice(-1);
    const lines = fs.readFileSync(path.join(folder, trial, "intervals.jsonl"), "utf8").trim().split("\n");
    // Other kinds of lines stand between, and the last one may not be whole yet.
    return JSON.parse(lines.findLast((line) => line.includes('"kind":"live"') && line.endsWith("}"))).phase;
  } catch {
    return "";
  }
}

export const phases = ["registration", "warm_up", "measured"];

// Nothing that belongs to the run directories of this cache is left.
export function leftovers(cache) {
  const run = path.join(cache, "run");
  const folders = fs.existsSync(run) ? fs.readdirSync(run) : [];
  const living = [...processes()].filter(([pid]) => {
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(`FLOW_RUN_DIRECTORY=${run}`);
    } catch {
      return false;
    }
  });
  return { folders, processes: living.map(([pid, { command }]) => `${pid} ${command.slice(0, 120)}`) };
}

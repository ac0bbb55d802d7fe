// The plugin that lets Pinot read Pulsar: its parts without a server, then the jar against real
// brokers, one as Flow starts it and one with tokens, TLS and numbered messages. The cases are Java's
// (analytics/pinot-pulsar/src/test); Maven runs them, and its reports are told here case by case.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { flow, freePort, ownCache, removeFolder, ROOT } from "../e2e/support.mjs";

const MODULE = path.join(ROOT, "analytics/pinot-pulsar");
const missing = ["mvn", "javac", "openssl"].filter((tool) =>
  !process.env.PATH.split(":").some((folder) => fs.existsSync(path.join(folder, tool))));
const skip = missing.length > 0 && `${missing.join(", ")} not installed`;

// ------------------------------------------------------------------------------ brokers

// A folder with a cache of the test's own. In this order at the end, whatever happens: the servers,
// then the folder, which holds the list of what is up.
function workplace(context) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "flow-e2e-"));
  const env = { ...process.env, FLOW_CACHE: ownCache(folder) };
  context.after(() => {
    flow(["down", "--all"], { env });
    removeFolder(folder);
  });
  return { folder, env };
}

function up(env, ...more) {
  const started = flow(["up", "pulsar", "--level", "fsync-1", "--name", "plugin-test", "--json", ...more], { env });
  assert.equal(started.code, 0, started.err);
  return JSON.parse(started.out);
}

// The fetched Pulsar with another broker.conf. Not a level: Flow compares what a level asks for with
// what the broker reports, and secrets, sets and TLS ports are not reported as they are written.
function homeWith(folder, settings) {
  const cache = process.env.FLOW_CACHE ?? path.join(os.homedir(), ".cache/flow");
  const fetched = path.join(cache, fs.readdirSync(cache).find((name) => /^apache-pulsar-[\d.]+$/.test(name)));
  const home = path.join(folder, "pulsar");
  fs.mkdirSync(home);
  for (const name of fs.readdirSync(fetched)) {
    if (name !== "conf") fs.symlinkSync(path.join(fetched, name), path.join(home, name));
  }
  fs.cpSync(path.join(fetched, "conf"), path.join(home, "conf"), { recursive: true });
  const file = path.join(home, "conf/broker.conf");
  const lines = fs.readFileSync(file, "utf8").split("\n").filter((line) => !(line.split("=")[0] in settings));
  fs.writeFileSync(file, [...lines, ...Object.entries(settings).map(([key, value]) => `${key}=${value}`), ""].join("\n"));
  return home;
}

// ------------------------------------------------------------------------------ secrets

function token(key, role) {
  const part = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
  const text = `${part({ alg: "HS256" })}.${part({ sub: role })}`;
  return `${text}.${crypto.createHmac("sha256", key).update(text).digest("base64url")}`;
}

// An authority with a certificate for 127.0.0.1, and another authority that signed nothing.
function makeCertificates(folder) {
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const authority = (name) => openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
    "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  authority("ca");
  authority("other-ca");
  fs.writeFileSync(path.join(folder, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout", "broker.key", "-out", "broker.csr");
  openssl("x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
    "-days", "2", "-extfile", "names", "-out", "broker.pem");
}

function secureSettings(folder, tlsPort) {
  makeCertificates(folder);
  const key = crypto.randomBytes(32);
  for (const role of ["reader", "stranger"]) fs.writeFileSync(path.join(folder, `${role}.token`), token(key, role));
  fs.writeFileSync(path.join(folder, "forged.token"), token(crypto.randomBytes(32), "reader"));
  return {
    brokerServicePortTls: tlsPort,
    tlsCertificateFilePath: path.join(folder, "broker.pem"),
    tlsKeyFilePath: path.join(folder, "broker.key"),
    tlsTrustCertsFilePath: path.join(folder, "ca.pem"),
    authenticationEnabled: true,
    authenticationProviders: "org.apache.pulsar.broker.authentication.AuthenticationProviderToken",
    tokenSecretKey: `data:;base64,${key.toString("base64")}`,
    authorizationEnabled: true,
    // Flow's own probes bring no token: who brings none may do everything, who brings one what it says.
    anonymousUserRole: "anonymous",
    superUserRoles: "anonymous",
    brokerEntryMetadataInterceptors: "org.apache.pulsar.common.intercept.AppendIndexMetadataInterceptor",
    exposingBrokerEntryMetadataToClientEnabled: true,
  };
}

// ------------------------------------------------------------------------------ Maven

let target; // One build for all tests.
before(() => (target = fs.mkdtempSync(path.join(os.tmpdir(), "flow-plugin-"))));
after(() => fs.rmSync(target, { recursive: true, force: true }));

// Runs the cases of a profile ("": those without a server) and tells each.
async function maven(context, profile, properties, atLeast) {
  const args = ["-B", "-ntp", "test", "-f", path.join(MODULE, "pom.xml"), `-Dbuild.folder=${target}`];
  if (profile) args.push(`-P${profile}`);
  for (const [key, value] of Object.entries(properties)) args.push(`-D${key}=${value}`);
  const reports = path.join(target, "surefire-reports");
  fs.rmSync(reports, { recursive: true, force: true });
  const { code, output } = await run("mvn", args);
  const cases = fs.existsSync(reports) ? fs.readdirSync(reports).filter((name) => name.endsWith(".xml"))
    .flatMap((name) => casesOf(fs.readFileSync(path.join(reports, name), "utf8"))) : [];
  const isAway = /Could not (?:transfer|resolve)|Unknown host/.test(output);
  if (cases.length === 0 && isAway) return context.skip("Maven could not fetch what the module needs");
  const isWhole = cases.length >= atLeast && (code === 0 || cases.some((one) => one.failure));
  assert.ok(isWhole, `mvn ${args.join(" ")}: exit code ${code}, ${cases.length} cases\n${output.slice(-6000)}`);
  for (const one of cases) {
    await context.test(one.name, { skip: one.skipped && "skipped by its own condition" }, () => {
      if (one.failure) assert.fail(one.failure.slice(0, 4000));
    });
  }
}

function run(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

function casesOf(xml) {
  const pattern = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g;
  return [...xml.matchAll(pattern)].map(([, name, kind, body = ""]) => ({
    name: `${kind.split(".").pop()}.${plain(name)}`,
    failure: plain(body.match(/<(?:failure|error)[\s\S]*?<\/(?:failure|error)>/)?.[0] ?? ""),
    skipped: body.includes("<skipped"),
  }));
}

const plain = (text) => text.replace(/&(lt|gt|quot|apos|amp|#\d+);/g, (_, name) =>
  ({ lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" })[name] ?? " ");

// ------------------------------------------------------------------------------ tests

test("the plugin's own parts", { skip }, (context) => maven(context, "", {}, 50));

test("the jar is built once", { skip }, async () => {
  const tool = path.join(ROOT, "tools/build-plugin");
  const built = await run(tool, []);
  assert.equal(built.code, 0, built.output);
  assert.deepEqual(await run(tool, []), { code: 0, output: "" });
});

test("the plugin on a Pulsar as Flow starts it", { skip }, async (context) => {
  const { folder, env } = workplace(context);
  const broker = up(env);
  const { pid } = broker.processes.find(({ role }) => role === "pulsar-broker-1");

  await maven(context, "pulsar", {
    "pulsar.service": broker.service, "pulsar.admin": broker.admin,
    "pulsar.broker.pid": pid, "pulsar.broker.log": path.join(folder, "broker-again.log"),
  }, 25);
});

test("the plugin on a Pulsar with tokens, TLS and numbered messages", { skip }, async (context) => {
  const { folder, env } = workplace(context);
  const tlsPort = await freePort();
  const broker = up(env, "--home", homeWith(folder, secureSettings(folder, tlsPort)));

  await maven(context, "secure", {
    "pulsar.service": broker.service, "pulsar.admin": broker.admin,
    "pulsar.service.tls": `pulsar+ssl://127.0.0.1:${tlsPort}`, "pulsar.files": folder,
  }, 7);
});

// What leaves and enters the page as text: paths, CSV, the data inside the page.
// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {deflateSync} from "node:zlib";
import {dataUri, toCsv, toJson} from "../src/csv.ts";
import {unpack} from "../src/data.ts";
import {joinPath, splitPath, valueAt} from "../src/path.ts";
import {shellWord} from "../src/sections/setup.ts";
import {embed} from "./render.mjs";

test("CSV quotes what would break a line or a field", () => {
  const csv = toCsv(["a", "b"], [["x,y", 'say "no"'], ["two\nlines", null], [1.5, undefined]]);

  assert.equal(csv, 'a,b\r\n"x,y","say ""no"""\r\n"two\nlines",\r\n1.5,\r\n');
});

test("a data URI gives back every character", () => {
  const text = 'µs, "100 %", #1 & more\r\n';
  const uri = dataUri("text/csv", text);

  assert.equal(decodeURIComponent(uri.slice(uri.indexOf(",") + 1)), text);
  assert.ok(!/[#"\s]/.test(uri));
});

test("JSON downloads are records by column", () => {
  assert.deepEqual(JSON.parse(toJson(["q", "ns"], [[0.5, 7], [0.9, null]])),
                   [{q: 0.5, ns: 7}, {q: 0.9, ns: null}]);
});

test("a path finds keys with dots and indices, and nothing inherited", () => {
  const root = {hops: [{"a.b": 3}], list: null};
  const path = joinPath("hops", 0, "a.b");

  assert.equal(path, "hops.0.a\\.b");
  assert.deepEqual(splitPath(path), ["hops", "0", "a.b"]);
  assert.equal(valueAt(root, path), 3);
  assert.equal(valueAt(root, "list.more"), undefined);
  assert.equal(valueAt(root, "hops.length.toString"), undefined);
  assert.equal(valueAt(root, "constructor"), undefined);
});

test("no value can end the script that carries the data", () => {
  const hostile = {words: '</script><script>alert(1)</script><!-- <b>'};
  const marker = "/*FLOW_DATA*/";
  const page: string = embed(`<script>${marker}</script>`, hostile);
  const inside = page.slice("<script>".length, -"</script>".length);

  assert.ok(!inside.includes("<"));
  assert.deepEqual(JSON.parse(inside), hostile);
  assert.throws(() => embed("no marker here", hostile));
  assert.throws(() => embed(marker + marker, hostile));
});

test("a command can be pasted into a shell", () => {
  assert.equal(shellWord("--level=fsync-1"), "--level=fsync-1");
  assert.equal(shellWord("two words"), "'two words'");
  assert.equal(shellWord("it's"), "'it'\\''s'");
});

test("the data of a page is read packed and as it is", async () => {
  const json = JSON.stringify({words: "µs </script> \u{1f600}", many: "ab".repeat(100_000)});

  assert.equal(await unpack(json), json);
  assert.equal(await unpack(btoa(String.fromCharCode(...deflateSync(new TextEncoder().encode(json))))), json);
  await assert.rejects(unpack("bm90IHpsaWI="));
});

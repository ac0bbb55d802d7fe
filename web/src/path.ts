// Where a number on the page comes from: a path into trial.json such as "hops.response_time.p99_ns"
// or "gates.0.value". A dot inside a key is written "\.". Every number carries its path, so that a
// program can compare the page with the files.
// SPDX-License-Identifier: Apache-2.0

export function joinPath(...keys: (string | number)[]): string {
  return keys.map((key) => String(key).replaceAll(".", "\\.")).join(".");
}

export function splitPath(path: string): string[] {
  return path.split(/(?<!\\)\./).map((key) => key.replaceAll("\\.", "."));
}

/** The value at `path`; undefined when a key on the way is absent. */
export function valueAt(root: unknown, path: string): unknown {
  let value = root;
  for (const key of splitPath(path)) {
    if (value === null || typeof value !== "object") return undefined;
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

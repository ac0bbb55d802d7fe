// Data behind a figure, as a file to keep: CSV by RFC 4180 and JSON, in `data:` URIs because the
// report has no server to ask.
// SPDX-License-Identifier: Apache-2.0

export type Field = string | number | boolean | null | undefined;

function csvField(value: Field): string {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(header: readonly string[], rows: readonly (readonly Field[])[]): string {
  return [header, ...rows].map((row) => row.map(csvField).join(",")).join("\r\n") + "\r\n";
}

export function toJson(header: readonly string[], rows: readonly (readonly Field[])[]): string {
  const records = rows.map((row) => Object.fromEntries(header.map((key, i) => [key, row[i] ?? null])));
  return JSON.stringify(records, null, 1);
}

export function dataUri(type: string, text: string): string {
  return `data:${type};charset=utf-8,${encodeURIComponent(text)}`;
}

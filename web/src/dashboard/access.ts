// The token, where one is needed: it comes in the fragment of the address, which browsers send to
// nobody, and goes into a header. A report is opened by a link, which carries no header, so the link
// gets a ticket that is good for one look.
// SPDX-License-Identifier: Apache-2.0
import {h} from "../dom.ts";
import type {Child} from "../dom.ts";

const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";

const authorization: Record<string, string> = token ? {Authorization: `Bearer ${token}`} : {};

export class Refused extends Error {
  constructor(readonly status: number, words: string) {
    super(words);
  }
}

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, {...init, headers: {...authorization, ...init.headers}, cache: "no-store"});
  if (response.ok) return response;
  const said = await response.json().catch(() => ({})) as {error?: string};
  throw new Refused(response.status, said.error ?? `the server answered ${response.status}`);
}

async function openWithTicket(name: string, path: string): Promise<void> {
  const response = await ask(`/api/tickets/${encodeURIComponent(name)}`, {method: "POST"});
  const {ticket} = await response.json() as {ticket: string};
  window.open(`${path}?ticket=${encodeURIComponent(ticket)}`, "_blank", "noopener");
}

/** `onTrouble` gets a sentence when the report cannot be opened. */
export function reportLink(name: string, onTrouble: (words: string) => void, ...words: Child[]): HTMLElement {
  const path = `/results/${encodeURIComponent(name)}/report.html`;
  const link = h("a", {href: path, target: "_blank", rel: "noopener"}, ...words);
  if (!token) return link;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    openWithTicket(name, path).catch((error: unknown) => { onTrouble(`The report did not open: ${String(error)}`); });
  });
  return link;
}

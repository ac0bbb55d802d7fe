// A table whose rows change every second: only the rows are exchanged, so that focus and scroll stay
// where a reader put them.
// SPDX-License-Identifier: Apache-2.0

/** Puts `fresh` (from dom.ts table()) into `holder`, or only its rows when a table is there. */
export function refreshTable(holder: HTMLElement, fresh: HTMLElement): void {
  const shown = holder.querySelector("table");
  const next = fresh.querySelector("table");
  const [from, to] = [shown?.tBodies[0], next?.tBodies[0]];
  if (!shown || !from || !to) {
    holder.replaceChildren(fresh);
    return;
  }
  from.replaceWith(to);
  if (shown.caption && next?.caption) shown.caption.replaceChildren(...next.caption.childNodes);
}

// What each process uses, now and over the last minute, and the machine.
// SPDX-License-Identifier: Apache-2.0
import {h, paragraph, table, tdNumber, th, thNumber, thRow, tr} from "../dom.ts";
import {bytes, missing, percent, significant} from "../format.ts";
import {refreshTable} from "./live_table.ts";
import type {View} from "./now.ts";
import {linePath, svg} from "./svg.ts";
import type {Resources} from "./types.ts";

const shown = 60;  // Samples of a sparkline, one per second.
const size = {width: 120, height: 22};

/** Cores used over time; the top is `most` cores. */
function sparkline(values: readonly (number | null)[], most: number): HTMLElement {
  const x = (index: number): number => (index + shown - values.length) / (shown - 1) * (size.width - 2) + 1;
  const y = (value: number): number => size.height - 1.5 - Math.min(value / most, 1) * (size.height - 3);
  const points = values.map((value, index) => (value === null ? null : [x(index), y(value)] as const));
  return h("span", {class: "spark", "aria-hidden": "true"},
    svg("svg", {viewBox: `0 0 ${size.width} ${size.height}`, width: size.width, height: size.height},
        svg("path", {d: `M0,${size.height - 0.5}H${size.width}`, class: "spark-base"}),
        svg("path", {d: linePath(points), class: "spark-line"})));
}

function roleRow(role: string, samples: readonly Resources[], most: number): HTMLElement {
  const now = samples.at(-1)?.roles?.[role];
  const sizes = samples.flatMap((sample) => sample.roles?.[role]?.rss_bytes ?? []);
  const isGone = !now?.rss_bytes;
  return tr(thRow(role),
    tdNumber(isGone ? "gone" : (now.cpu_share ?? 0).toFixed(2)),
    h("td", {}, sparkline(samples.slice(-shown).map((sample) => sample.roles?.[role]?.cpu_share ?? null), most)),
    tdNumber(isGone ? missing : bytes(now.rss_bytes ?? NaN)),
    tdNumber(sizes.length > 0 ? bytes(Math.max(...sizes)) : missing));
}

function machineWords({machine}: Resources): string {
  const share = (value: number | undefined): string => (value === undefined ? missing : percent(value));
  return `All cores in the last second: busy ${share(machine?.busy_share)}, waiting for disks ` +
         `${share(machine?.iowait_share)}, stolen by the hypervisor ${share(machine?.steal_share)}.`;
}

export function resourcesView(): View {
  const machine = paragraph();
  const body = h("div", {});
  const element = h("section", {id: "resources", "aria-labelledby": "resources-title"},
    h("h2", {id: "resources-title"}, "What it uses"), machine, body);
  let drawn: unknown;
  return {
    element,
    update({current}) {
      const samples = current?.trial?.resources ?? [];
      element.hidden = !current?.trial;
      const newest = samples.at(-1);
      if (newest === drawn && machine.textContent) return;
      drawn = newest;
      machine.textContent = newest ? machineWords(newest) : "Sampled once per second from the warm-up on.";
      if (!newest) return body.replaceChildren();
      const roles = Object.keys(newest.roles ?? {});
      const most = Math.max(0.5, ...samples.slice(-shown).flatMap((sample) =>
        Object.values(sample.roles ?? {}).map((use) => use.cpu_share ?? 0)));
      refreshTable(body,
        table(`CPU and memory of each process. A line shows the last minute; its top is ${significant(most, 2)} cores.`,
              tr(th("Process"), thNumber("CPU, cores"), th("last minute"), thNumber("RSS"), thNumber("RSS max")),
              roles.map((role) => roleRow(role, samples, most)), {class: "narrow"}));
    },
  };
}

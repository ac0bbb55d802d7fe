// The live dashboard: a frame that is made once, views that change what is new in them, and a
// connection that tells.
// SPDX-License-Identifier: Apache-2.0
import {h} from "../dom.ts";
import {moment} from "../format.ts";
import {compareView} from "./compare.ts";
import {Connection} from "./connection.ts";
import {gatesView} from "./gates.ts";
import {nowView} from "./now.ts";
import {planView} from "./plan.ts";
import {resourcesView} from "./resources.ts";
import {resultsView} from "./results.ts";
import {applied, emptyState} from "./state.ts";
import type {State} from "./state.ts";
import {statusBar} from "./status.ts";
import {stripView} from "./strip.ts";

const title = h("h1", {}, "Flow");
const facts = h("p", {class: "facts"});
const status = statusBar();
const compare = compareView();
const results = resultsView(() => { compare.choose(results.chosen()); });
// `compare` before `results`, which asks it to show what it knows; below it on the page.
const views = [nowView(), stripView(), gatesView(), planView(), resourcesView(), compare, results];

let state: State = emptyState;
const nowNs = (): number => (Date.now() + state.skewMs) * 1e6;

function drawHead({current, flow}: State): void {
  const experiment = current?.experiment;
  title.textContent = experiment?.question || experiment?.name || "Flow";
  facts.textContent = [
    experiment?.name ? `Experiment “${experiment.name}”` : null,
    experiment?.created_unix_ns ? moment(experiment.created_unix_ns) : null,
    experiment?.estimate?.words || null,
    flow.version ? `Flow ${flow.version} (${flow.commit ?? "?"})` : null,
  ].filter((one) => one !== null).join(" · ");
}

function draw(): void {
  const now = nowNs();
  drawHead(state);
  status.update(state, now);
  for (const view of views) view.update(state, now);
  const name = state.current?.state === "running" ? `▶ ${state.current.experiment.name ?? ""} · ` : "";
  document.title = `${name}Flow dashboard`;
}

document.getElementById("main")?.replaceChildren(
  h("header", {class: "title"}, h("p", {class: "kicker"}, "Flow · live dashboard"), title, facts),
  status.element, ...views.filter((view) => view !== compare).map(({element}) => element), compare.element);

let isDue = false;
/** Several events of one moment are drawn once. */
function drawSoon(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
}

void new Connection(
  ({type, data}) => {
    state = applied(state, type, JSON.parse(data), Date.now());
    drawSoon();
  },
  (contact) => { status.contact(contact); },
).listen();
setInterval(drawSoon, 1000);
draw();

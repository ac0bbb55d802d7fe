// The bar at the top: contact with the server, and in a few words where things are. Whoever does not
// see it hears what changes.
// SPDX-License-Identifier: Apache-2.0
import {h} from "../dom.ts";
import type {Contact} from "./connection.ts";
import {clock, isTrialRunning, plannedOf, secondsLeft, stepNow} from "./derive.ts";
import {brokenGates} from "./gates.ts";
import type {State} from "./state.ts";

const regainedShownMs = 8000;

function contactWords(contact: Contact, nowMs: number): string {
  switch (contact.kind) {
    case "connecting": return "connecting";
    case "live": return contact.awayMs > 0 ? `contact again after ${clock(contact.awayMs / 1000)}` : "live";
    case "lost": return `contact lost ${clock((nowMs - contact.sinceMs) / 1000)} ago, trying again` +
                        (contact.words ? ` (${contact.words})` : "");
    case "refused": return `not let in: ${contact.words}. Open the address that flow printed`;
    case "ended": return "this dashboard has ended with its run; flow dashboard shows the results";
  }
}

/** "trial 3 of 8 · measuring · about 9:30 left" */
function shortWords({current}: State, nowNs: number): string {
  if (!current) return "nothing runs";
  if (current.state !== "running") return `${current.name} ${current.state === "sealed" ? "ended" : current.state}`;
  const all = current.experiment.plan?.order?.length ?? 0;
  const left = secondsLeft(current, nowNs);
  const isRunning = isTrialRunning(current);
  const trial = isRunning ? plannedOf(current, current.trial?.id ?? "")?.trial : undefined;
  const step = isRunning ? stepNow(current.trial)?.step ?? "" : "between trials";
  return [`trial ${trial ?? current.trials.length} of ${all}`, step, left === null ? "" : `about ${clock(left)} left`]
      .filter((one) => one).join(" · ");
}

export interface StatusBar {
  element: HTMLElement;
  contact(contact: Contact): void;
  update(state: State, nowNs: number): void;
}

export function statusBar(): StatusBar {
  const sign = h("span", {class: "contact", id: "contact"});
  const where = h("span", {class: "where"});
  const gates = h("strong", {class: "bad gates-broken"});
  const voice = h("div", {class: "unseen", role: "status"});
  const element = h("div", {class: "bar"}, sign, where, gates, voice);
  let last: Contact = {kind: "connecting"};
  let toldBroken = "";

  const draw = (): void => {
    sign.textContent = contactWords(last, Date.now());
    sign.className = `contact ${last.kind}`;
  };
  const say = (words: string): void => { voice.textContent = words; };
  const forgetRegained = (contact: Contact): void => {
    if (last === contact) last = {kind: "live", awayMs: 0};
    draw();
  };
  return {
    element,
    contact(contact) {
      if (contact.kind !== last.kind) say(contactWords(contact, Date.now()));
      last = contact;
      draw();
      if (contact.kind === "live" && contact.awayMs > 0) setTimeout(forgetRegained, regainedShownMs, contact);
    },
    update(state, nowNs) {
      draw();
      where.textContent = shortWords(state, nowNs);
      const isRunning = state.current !== null && isTrialRunning(state.current);
      const broken = isRunning ? brokenGates(state.current?.trial?.gates?.gates).join(", ") : "";
      gates.textContent = broken ? `✗ ${broken}` : "";
      if (broken && broken !== toldBroken) say(`Gates that do not hold: ${broken}`);
      toldBroken = broken;
    },
  };
}

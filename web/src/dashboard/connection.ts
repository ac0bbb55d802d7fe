// Listens to the server's events and never gives up: when the connection is lost or silent it says so,
// tries again, and says what event it saw last.
// SPDX-License-Identifier: Apache-2.0
import {Refused, ask} from "./access.ts";
import {EventParser} from "./events.ts";
import type {ServerEvent} from "./events.ts";

export type Contact =
  | {kind: "connecting"}
  | {kind: "live"; awayMs: number}  // 0, or how long it had been lost.
  | {kind: "lost"; sinceMs: number; words: string}
  | {kind: "refused"; words: string}
  | {kind: "ended"};

const silenceMs = 16_000;  // The server says something every 5 s.
const waitsMs = [500, 1000, 2000, 3000];

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

export class Connection {
  private lastId = "";
  private lostAt = 0;
  private tries = 0;
  private hasEnded = false;

  constructor(private readonly onEvent: (event: ServerEvent) => void,
              private readonly onContact: (contact: Contact) => void) {}

  async listen(): Promise<never> {
    this.onContact({kind: "connecting"});
    for (;;) {
      const cause = await this.once().catch((error: unknown) => error);
      this.tell(cause);
      await pause(waitsMs[Math.min(this.tries++, waitsMs.length - 1)] ?? 3000);
    }
  }

  private tell(cause: unknown): void {
    this.lostAt ||= Date.now();
    if (this.hasEnded) return this.onContact({kind: "ended"});
    if (cause instanceof Refused && cause.status === 401) {
      return this.onContact({kind: "refused", words: cause.message});
    }
    this.onContact({kind: "lost", sinceMs: this.lostAt, words: cause instanceof Refused ? cause.message : ""});
  }

  /** Until the connection ends. */
  private async once(): Promise<void> {
    const silence = new AbortController();
    let alarm = setTimeout(() => { silence.abort(); }, silenceMs);
    const heard = (): void => {
      clearTimeout(alarm);
      alarm = setTimeout(() => { silence.abort(); }, silenceMs);
    };
    try {
      const headers: Record<string, string> = this.lastId ? {"Last-Event-ID": this.lastId} : {};
      const response = await ask("/api/events", {headers, signal: silence.signal});
      heard();
      this.found();
      await this.read(response, heard);
    } finally {
      clearTimeout(alarm);
    }
  }

  private found(): void {
    this.onContact({kind: "live", awayMs: this.lostAt ? Date.now() - this.lostAt : 0});
    this.lostAt = 0;
    this.tries = 0;
    this.hasEnded = false;
  }

  private async read(response: Response, heard: () => void): Promise<void> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    for (;;) {
      const {done, value} = await reader?.read() ?? {done: true, value: undefined};
      if (done) return;
      heard();
      for (const event of parser.push(value)) {
        this.lastId = event.id || this.lastId;
        if (event.type === "bye") this.hasEnded = true;
        else this.onEvent(event);
      }
    }
  }
}

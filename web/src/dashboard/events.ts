// Server-sent events from the bytes of an answer, wherever the network cut them. Not the browser's
// EventSource: that can send no token. Pure. The format: HTML Living Standard, 9.2.6.
// SPDX-License-Identifier: Apache-2.0

export interface ServerEvent {
  id: string;
  type: string;
  data: string;
}

export class EventParser {
  private rest = "";
  private id = "";
  private type = "";
  private data: string[] = [];

  /** The events that `text` completes. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.rest + text).split(/\r\n|\n/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.line(line);
      if (event) events.push(event);
    }
    return events;
  }

  private line(line: string): ServerEvent | null {
    if (line === "") return this.end();
    const colon = line.indexOf(":");
    if (colon === 0) return null;  // A comment, which keeps the connection alive.
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") this.id = value;
    else if (field === "event") this.type = value;
    else if (field === "data") this.data.push(value);
    return null;
  }

  private end(): ServerEvent | null {
    const event = {id: this.id, type: this.type || "message", data: this.data.join("\n")};
    const isEmpty = this.data.length === 0;
    this.type = "";
    this.data = [];
    return isEmpty ? null : event;
  }
}

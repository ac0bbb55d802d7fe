// SVG elements, as dom.ts makes HTML ones.
// SPDX-License-Identifier: Apache-2.0

type Attributes = Record<string, string | number | undefined>;

export function svg(tag: string, attributes: Attributes = {}, ...children: (Node | string)[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** A path through points; null is a gap. A point between two gaps becomes a dot. */
export function linePath(points: readonly (readonly [number, number] | null)[]): string {
  let path = "";
  let isOpen = false;
  for (const point of points) {
    if (point) path += `${isOpen ? "L" : "M"}${point[0].toFixed(1)},${point[1].toFixed(1)}${isOpen ? "" : "h0.01"}`;
    isOpen = point !== null;
  }
  return path;
}

// The data inside the page: JSON as it is, or a zlib stream in base64, a tenth of the size.
// SPDX-License-Identifier: Apache-2.0

/** The JSON text. Rejects with a sentence for the reader where the browser cannot unpack it. */
export async function unpack(text: string): Promise<string> {
  if (text.trimStart().startsWith("{")) return text;
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser is too old to unpack the data of this report (it has no DecompressionStream).");
  }
  const packed = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

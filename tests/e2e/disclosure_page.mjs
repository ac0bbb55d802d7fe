// Prints what the disclosure of a report shows when every fold is open: role, setting, default and value of a
// server's setting one below the other, and the facts of each trial.
//   node disclosure_page.mjs REPORT
// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { launchBrowser } from "./browser.mjs";

const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(resolve(process.argv[2])).href, { timeout: 30_000 });
  await page.waitForSelector("footer", { timeout: 60_000 });
  // Some of what is folded is made when it is opened.
  const open = () => page.evaluate(() => {
    const closed = [...document.querySelectorAll("#disclosure details:not([open])")];
    for (const fold of closed) fold.open = true;
    return closed.length;
  });
  while (await open() > 0) await page.waitForTimeout(50);
  const lines = await page.evaluate(() => {
    const out = [];
    for (const fold of document.querySelectorAll("#disclosure details")) {
      if (!/not the vendor's default/.test(fold.querySelector("summary").textContent)) continue;
      let role = "";
      for (const row of fold.querySelectorAll("tr")) {
        if (row.className === "group") role = row.textContent;
        else out.push(role, ...[...row.children].map((cell) => cell.textContent));
      }
    }
    for (const row of document.querySelectorAll("#disclosure tr")) out.push(row.lastElementChild.textContent);
    return out;
  });
  console.log(lines.join("\n"));
} finally {
  await browser.close();
}

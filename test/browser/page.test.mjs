// The page of insights in a real browser. A Go test (internal/insights/browser_test.go) draws the pages
// and starts this file.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { browser, describePage, open, PAGES } from "./browser.mjs";

const THEMES = ["light", "dark"];
const hostile = JSON.parse(await readFile(join(PAGES, "hostile.json"), "utf8"));

describePage("full", { names: hostile, marts: JSON.parse(await readFile(join(PAGES, "marts.json"), "utf8")) });
describePage("sparse", { names: hostile });
describePage("failed", { names: hostile, marts: [] });

describe("hostile texts", () => {
  test("are shown as they are and do nothing", async () => {
    const { page, said } = await open("full");
    for (const place of await page.$$("[data-chart]")) {
      await place.focus();
      for (let i = 0; i < hostile.length; i++) await page.keyboard.press("ArrowRight");
      assert.ok(await page.isVisible("#tip"));
    }
    const shown = await page.evaluate(() => ({
      ran: "hostile" in globalThis,
      inserted: document.querySelectorAll(
        "img, iframe, object, embed, body script:not([type]):nth-of-type(n+5), figure script, figure a",
      ).length,
      texts: Array.from(document.querySelectorAll("td, th, code, p, svg text"), (element) => element.textContent),
    }));
    assert.equal(shown.ran, false, "nothing of a text was run");
    assert.equal(shown.inserted, 0, "no text became an element");
    for (const text of hostile) assert.ok(shown.texts.includes(text), `shown as it is: ${JSON.stringify(text)}`);
    assert.deepEqual(said, [], "the policy had nothing to stop");
    await page.close();
  });

  test("would be stopped by the page's policy as well", async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked++;
      response.setHeader("Access-Control-Allow-Origin", "*").end("answer");
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    const { page } = await open("full");
    const ran = await page.evaluate(async (server) => {
      const script = document.createElement("script");
      script.textContent = "globalThis.hostile = 1";
      const [image, sheet] = [document.createElement("img"), document.createElement("style")];
      const tried = new Promise((end) => image.addEventListener("error", end));
      image.src = `${server}/image.png`;
      sheet.textContent = `@import "${server}/sheet.css"; body { background: url("${server}/background.png") }`;
      document.body.append(script, image, sheet);
      await tried;
      const answered = await fetch(`${server}/data`).then(
        () => true,
        () => false,
      );
      return "hostile" in globalThis || answered;
    }, `http://127.0.0.1:${server.address().port}`);
    assert.equal(ran, false);
    assert.equal(asked, 0, "no request left the page");
    await page.close();
    await new Promise((closed) => server.close(closed));
  });
});

describe("keyboard and pointer", () => {
  test("Tab reaches everything that can be used, in order, and shows where it is", async () => {
    const { page } = await open("full");
    const wanted = await page.$$eval("a[href], button, summary, [tabindex='0']", (all) => {
      const usable = all.filter((element) => element.checkVisibility());
      usable.forEach((element, i) => {
        element.dataset.order = i;
      });
      return usable.length;
    });
    for (let i = 0; i < wanted; i++) {
      await page.keyboard.press("Tab");
      const [order, outline] = await page.evaluate(() => [
        document.activeElement.dataset.order,
        getComputedStyle(document.activeElement).outlineStyle,
      ]);
      assert.equal(order, String(i));
      assert.notEqual(outline, "none", `stop ${i} shows the focus`);
    }
    await page.close();
  });

  test("the first stop skips to the content", async () => {
    const { page } = await open("full");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.close();
  });

  test("arrows go through the values of a chart, and Escape closes the tip", async () => {
    const { page } = await open("full");
    for (const place of await page.$$("[data-chart]")) {
      await place.focus();
      await page.keyboard.press("ArrowRight");
      const first = await page.textContent("#tip");
      assert.ok(first.length > 0);
      await page.keyboard.press("End");
      await page.keyboard.press("ArrowRight");
      assert.equal(await page.textContent("#tip"), first, "after the last comes the first");
      assert.equal(await place.evaluate((element) => element.querySelectorAll(".active").length), 1);
      const inside = await page.$eval("#tip", (tip) => {
        const box = tip.getBoundingClientRect();
        return box.left >= 0 && box.right <= innerWidth;
      });
      assert.ok(inside, "the tip lies inside the page");
      await page.keyboard.press("Escape");
      assert.ok(await page.isHidden("#tip"));
    }
    await page.close();
  });

  test("the pointer shows the value that is nearest", async () => {
    const { page } = await open("full");
    for (const place of await page.$$("[data-chart]")) {
      const mark = await place.$(".point > *");
      await mark.scrollIntoViewIfNeeded();
      const box = await mark.boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      assert.ok(await page.isVisible("#tip"), await place.getAttribute("data-chart"));
    }
    await page.mouse.move(2, 2);
    assert.ok(await page.isHidden("#tip"));
    await page.close();
  });
});

describe("themes", () => {
  // Contrast by https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio, of what axe does not look at: drawings.
  const pairs = [
    ...[0, 1, 2, 3, 4, 5, 6].map((i) => [`--q${i}-ink`, `--q${i}`, 4.5]),
    ...[1, 2, 3, 4].map((i) => [`--series-${i}`, "--card", 3]),
    ["--ink", "--card", 4.5],
    ["--soft", "--card", 4.5],
    ["--soft", "--page", 4.5],
    ["--good", "--card", 4.5],
    ["--bad", "--card", 4.5],
    ["--series-1", "--card", 4.5],
    ["--series-2", "--card", 4.5],
  ];

  for (const theme of THEMES) {
    test(`colours of drawings have contrast, ${theme}`, async () => {
      const { page } = await open("full", { theme });
      const ratios = await page.evaluate((pairs) => {
        const probe = document.body.appendChild(document.createElement("span"));
        const luminance = (name) => {
          probe.style.color = `var(${name})`;
          const [r, g, b] = getComputedStyle(probe)
            .color.match(/\d+/g)
            .map((n) => (n / 255 <= 0.04045 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return pairs.map(([a, b]) => {
          const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
          return (high + 0.05) / (low + 0.05);
        });
      }, pairs);
      for (const [i, [a, b, least]] of pairs.entries()) {
        assert.ok(ratios[i] >= least, `${a} on ${b}: ${ratios[i].toFixed(2)}, want ${least}`);
      }
      await page.close();
    });
  }

  test("the button overrides the system's setting, and that is remembered", async () => {
    const { page } = await open("full", { theme: "dark" });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await page.click("#theme");
    const light = await background();
    assert.notEqual(light, dark);
    await page.reload();
    assert.equal(await background(), light);
    await page.click("#theme");
    assert.equal(await background(), dark);
    await page.click("#theme");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), undefined);
    await page.close();
  });
});

describe("paper and no script", () => {
  test("prints light, without what only a screen needs, inside the sheet", async () => {
    const { page } = await open("full", { theme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.setViewportSize({ width: 700, height: 1000 });
    const print = await page.evaluate(() => ({
      background: getComputedStyle(document.body).backgroundColor,
      ink: getComputedStyle(document.querySelector("h1")).color,
      shown: ["nav", "#theme", ".skip", "details.data:not([open])"].filter((part) =>
        document.querySelector(part)?.checkVisibility(),
      ),
      wide: Array.from(document.querySelectorAll("svg"), (svg) => svg.getBoundingClientRect().right).filter(
        (right) => right > innerWidth,
      ),
      charts: Array.from(document.querySelectorAll("[data-chart] svg")).filter((svg) => svg.checkVisibility()).length,
    }));
    assert.equal(print.background, "rgb(255, 255, 255)");
    assert.match(print.ink, /^rgb\((\d|[1-5]\d), /, "dark ink");
    assert.deepEqual(print.shown, []);
    assert.deepEqual(print.wide, []);
    assert.equal(print.charts, await page.$$eval("[data-chart]", (all) => all.length));
    const pdf = await page.pdf({ format: "A4" });
    assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
    await page.close();
  });

  test("draws charts for the width of the paper, and for the screen again", async () => {
    const { page } = await open("full");
    const drawnFor = () => page.$$eval("[data-chart] svg", (all) => all.map((svg) => svg.viewBox.baseVal.width));
    const screen = await drawnFor();
    await page.evaluate(() => {
      dispatchEvent(new Event("beforeprint"));
      // A sheet of A4 less its margins, and unlike a narrow window no reason to draw again.
      document.body.style.width = "688px";
    });
    await page.emulateMedia({ media: "print" });
    const scales = await page.$$eval("[data-chart] svg", (all) =>
      all.map((svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width),
    );
    assert.ok(Math.min(...scales) > 0.95, `words shrink to ${Math.min(...scales)} of their size`);
    await page.emulateMedia({ media: "screen" });
    await page.evaluate(() => {
      document.body.style.width = "";
      dispatchEvent(new Event("afterprint"));
    });
    assert.deepEqual(await drawnFor(), screen);
    await page.close();
  });

  test("without scripts, every sentence and all data are there", async () => {
    const page = await browser.newPage();
    await page.route("**/*", async (route) => {
      const response = await readFile(new URL(route.request().url()), "utf8");
      await route.fulfill({
        contentType: "text/html",
        body: response,
        headers: { "Content-Security-Policy": "script-src 'none'" },
      });
    });
    await page.goto(pathToFileURL(join(PAGES, "full.html")).href);
    const [drawn, places, tables, findings] = await page.evaluate(() => [
      document.querySelectorAll(".drawing svg").length,
      document.querySelectorAll(".drawing").length,
      document.querySelectorAll("figure.chart:has(.drawing) tbody tr:first-child").length,
      Array.from(document.querySelectorAll("figure.chart:has(.drawing) .finding")).filter((finding) =>
        finding.textContent.trim(),
      ).length,
    ]);
    assert.equal(drawn, 0, "no script ran");
    assert.ok(places > 0);
    assert.equal(tables, places);
    assert.equal(findings, places);
    assert.ok(await page.isHidden("#theme"), "a button that could do nothing is not shown");
    await page.close();
  });
});

// A real browser, and what must hold of every page of insights. PAGES is the folder of the pages, CHROMIUM
// the browser.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
export const { PAGES } = process.env;
const PHONE = { width: 400, height: 800 };
const DESK = { width: 1280, height: 900 };

export let browser;
let profile;

before(async () => {
  profile = await mkdtemp(join(tmpdir(), "insights-"));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
});

// Opens a page and gives it with all that it said and asked for.
export async function open(name, { theme = "light", viewport = DESK } = {}) {
  const page = await browser.newPage();
  const said = [];
  const asked = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`error: ${error.message}`));
  page.on("request", (request) => asked.push(request.url()));
  await page.emulateMedia({ colorScheme: theme });
  await page.setViewportSize(viewport);
  const url = pathToFileURL(join(PAGES, `${name}.html`)).href;
  await page.goto(url);
  return { page, said, asked, url };
}

// Whatever a page is drawn from, this holds. names are texts of the data that may stand in sentences; marts
// those that must be drawn, where this is known.
export function describePage(name, { names = [], marts = null } = {}) {
  describe(`page ${name}`, () => {
    test("draws without an error and asks nothing of any network", async () => {
      const { page, said, asked, url } = await open(name);
      assert.deepEqual(said, []);
      assert.deepEqual(asked, [url]);
      assert.match(
        await page.evaluate(() => document.documentElement.dataset.drawn),
        /^\d+$/,
        "the script came to its end",
      );
      await page.close();
    });

    test("every chart has marks, a title and its data", async () => {
      const { page } = await open(name);
      const charts = await page.$$eval("[data-chart]", (places) =>
        places.map((place) => ({
          mart: place.dataset.chart,
          marks: place.querySelectorAll(".point > *").length,
          visible: Array.from(place.querySelectorAll(".point > *")).some((mark) => {
            const box = mark.getBoundingClientRect();
            return box.width > 0 && box.height > 0;
          }),
          broken: place.innerHTML.includes("NaN") || place.innerHTML.includes("undefined"),
          title: place.querySelector("svg").getAttribute("aria-label"),
          finding: place.closest("figure").querySelector(".finding").textContent.trim(),
          rows: place.closest("figure").querySelectorAll("tbody tr").length,
        })),
      );
      for (const chart of charts) {
        assert.ok(chart.marks > 0, `${chart.mart} has marks`);
        assert.ok(chart.visible, `${chart.mart} has marks that can be seen`);
        assert.ok(!chart.broken, `${chart.mart} draws no value that is none`);
        assert.ok(chart.title && chart.finding && chart.rows, `${chart.mart} has title, sentence and data`);
        const own = names.reduce((text, name) => text.replaceAll(name, ""), chart.finding);
        assert.doesNotMatch(own, /[{}]|NaN|undefined/, chart.mart);
      }
      const [figures, expected] = await page.evaluate(() => [
        document.querySelectorAll("[data-chart]").length,
        Object.keys(JSON.parse(document.getElementById("data").textContent)).length,
      ]);
      assert.equal(figures, expected);
      const drawn = charts.map(({ mart }) => mart).filter((mart) => !mart.startsWith("quality-"));
      if (marts) assert.deepEqual(drawn.sort(), marts);
      const marks = await page.$$eval("[data-marks] svg", (all) => all.map((svg) => svg.innerHTML.match(/M/g).length));
      assert.deepEqual(new Set(marks), new Set(marks.length ? [1000] : []));
      await page.close();
    });

    test("is accessible, light and dark, on a desk and a phone", async () => {
      const { page } = await open(name);
      // All tables are alike, and axe needs a minute for all cells of long ones.
      await page.$$eval("details", (all) => {
        for (const details of all) details.open = details.querySelectorAll("tr").length < 30;
      });
      await page.evaluate(axe);
      for (const [colorScheme, viewport] of [
        ["light", DESK],
        ["dark", PHONE],
      ]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { preload: false }));
        assert.ok(passes.length > 20, "axe has looked");
        assert.deepEqual(
          violations.map(
            ({ id, impact, nodes }) => `${id} (${impact}): ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`,
          ),
          [],
        );
      }
      await page.close();
    });

    for (const viewport of [DESK, PHONE]) {
      test(`no word of a drawing lies on another at ${viewport.width} pixels`, async () => {
        const { page } = await open(name, { viewport });
        const overlaps = await page.$$eval("[data-chart] svg", (drawings) =>
          drawings.flatMap((drawing) => {
            const words = Array.from(drawing.querySelectorAll("text"), (text) => [
              text.textContent,
              text.getBoundingClientRect(),
            ]);
            // A pixel of two is the room above and below letters.
            const meet = (a, b) =>
              Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
              Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
            return words.flatMap(([first, a], i) =>
              words.slice(i + 1).flatMap(([second, b]) => (meet(a, b) ? [`${first} | ${second}`] : [])),
            );
          }),
        );
        assert.deepEqual(overlaps, []);
        await page.close();
      });
    }

    for (const width of [400, 320]) {
      test(`needs no scrolling to the side at ${width} pixels`, async () => {
        const { page } = await open(name, { viewport: { width, height: 800 } });
        for (const summary of await page.$$("summary")) await summary.click();
        const wide = await page.evaluate(() => {
          const scrolls = (element) =>
            element && (element.matches(".scroll, .hidden") || scrolls(element.parentElement));
          return Array.from(document.querySelectorAll("body *"))
            .filter(
              (element) =>
                !scrolls(element) &&
                !element.closest("#tip, .skip") &&
                element.getBoundingClientRect().right > innerWidth + 1,
            )
            .map((element) => element.outerHTML.slice(0, 160));
        });
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, wide.join("\n"));
        assert.deepEqual(wide, []);
        await page.close();
      });
    }
  });
}

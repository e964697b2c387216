// The page of a real run. test/python/pipeline/test_insights.py runs the pipeline, draws the page run.html,
// writes the names of the marts that have rows, and starts this file.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describePage, PAGES } from "./browser.mjs";

describePage("run", { marts: JSON.parse(await readFile(join(PAGES, "marts.json"), "utf8")) });

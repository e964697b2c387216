// Draws the charts of the page from the data in it, with Observable Plot. Everything that the data
// say goes into the document as text, never as markup.

(() => {
  const Plot = globalThis.Plot;
  const d3 = globalThis.d3;
  const charts = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");

  // Ticks of axes. What stands beside points comes in words from the data.
  const money = d3.format("$.2~s");
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const plainTick = d3.format(",.3~f");
  const ticks = {
    usd: (n) =>
      money(n).replace("G", "\u00a0bn").replace("M", "\u00a0m").replace("k", "\u00a0k").replace("T", "\u00a0tn"),
    percent: (n) => `${plainTick(n)}%`,
    minutes: (n) => `${plainTick(n)} min`,
    year: String,
    decade: (n) => `${n}s`,
    month: (n) => months[n - 1] ?? n,
    weekday: (n) => weekdays[n - 1] ?? n,
    hour: (n) => `${String(n).padStart(2, "0")}:00`,
    months: d3.utcFormat("%b %Y"),
    date: d3.utcFormat("%-d %b %Y"),
    text: String,
  };
  const tick = (format) => ticks[format] ?? plainTick;
  const dates = new Set(["months", "date"]);

  // Width of words in the charts' font, to leave room for labels and cut what is too long.
  const pen = document.createElement("canvas").getContext("2d");
  const family = getComputedStyle(document.body).fontFamily;
  const widthOf = (words, size = 12) => {
    pen.font = `${size}px ${family}`;
    return pen.measureText(words).width;
  };
  const cut = (words, width) => {
    if (widthOf(words) <= width) return words;
    const letters = Array.from(words);
    while (letters.length > 1 && widthOf(`${letters.join("")}…`) > width) letters.pop();
    return `${letters.join("").trimEnd()}…`;
  };

  // A chart's rows with their values by the use that the drawing makes of each column.
  function dataOf(chart) {
    const place = (name) => chart.columns.findIndex((column) => column.name === name);
    const column = (name) => chart.columns[place(name)];
    const value = (row, name) => {
      const found = row[place(name)];
      return found != null && dates.has(column(name).format) ? new Date(found) : found;
    };
    const points = chart.rows.map((row, index) => ({
      index,
      get: (name) => value(row, name),
      text: (name) => chart.texts[index][place(name)],
    }));
    const name = (point) => {
      const [first, ...more] = chart.draw.label.map((label) => point.text(label));
      if (chart.join) return [first, ...more].join(chart.join);
      return more.length ? `${first} (${more.join(", ")})` : first;
    };
    return { points, column, name, format: (of) => column(of).format };
  }

  // Plot tells marks apart by their ARIA description, which plain makes a class: POINT for the groups
  // whose elements have tips, NAME for those of labels that are kept apart.
  const POINT = "point";
  const NAME = "name";
  const by = (name) => (point) => point.get(name);
  const common = { ariaDescription: POINT };
  const gridX = (options = {}) => Plot.gridX({ stroke: "var(--grid)", strokeOpacity: 1, ...options });
  const gridY = (options = {}) => Plot.gridY({ stroke: "var(--grid)", strokeOpacity: 1, ...options });
  const LABEL = { fill: "var(--ink)", fontSize: 12 };
  // Sizes in pixels: how high charts with a vertical axis are, their rows, and the cells of grids. Paper has less
  // room; charts there are as wide as half a sheet of A4 leaves them, or a whole one, since the words of a
  // chart that was drawn for the screen would become too small.
  const SCREEN = { high: 280, row: 26, cell: 24 };
  const PAPER = { high: 190, row: 20, cell: 18, half: 312, whole: 662 };
  // What a number on an axis counts; other formats say it themselves.
  const unit = ({ title, format }) => (["count", "number"].includes(format) ? `${title} →` : null);

  // Rows with their names beside the bars, or above them where these would be left too little room. left is
  // what lies between the names and the drawing.
  function rowsOf(shown, name, { width, extra, sheet }, left = 0) {
    const longest = Math.max(...shown.map((point) => widthOf(name(point)))) + 10;
    const above = width < 420 && longest > width * 0.36;
    const room = above ? 0 : Math.min(width * 0.42, longest);
    const high = sheet.row + (above ? 14 : Math.min(10, extra / shown.length));
    const line = above ? 17 : 0;
    return {
      room,
      height: shown.length * high,
      bar: { y: "index", insetTop: line },
      beside: { y: "index", dy: line / 2 },
      names: Plot.text(shown, {
        y: "index",
        dy: above ? (line + 1 - high) / 2 : 0,
        dx: above ? -left : -left - 8,
        frameAnchor: "left",
        textAnchor: above ? "start" : "end",
        lineAnchor: "middle",
        text: (point) => cut(name(point), above ? width - 8 : room - 10),
        ...LABEL,
      }),
    };
  }

  const kinds = {
    bars({ points, column, name }, draw, sizes) {
      const { width } = sizes;
      const { value, margin, also } = draw;
      const shown = points.filter((point) => point.get(value) != null).slice(0, draw.limit ?? 20);
      const { room, height, bar, beside, names } = rowsOf(shown, name, sizes);
      const end = (point) => point.get(value) + (margin ? (point.get(margin) ?? 0) : 0);
      const labels = Math.max(...shown.map((point) => widthOf(point.text(value)))) + 12;
      // Where the second value would lie on the words of the first, these go beyond it.
      const greatest = Math.max(...shown.map((point) => Math.max(end(point), also ? (point.get(also) ?? 0) : 0)));
      const needed = ((labels + 8) * greatest) / (width - room - labels);
      const beyond = (point) => {
        const gap = also ? (point.get(also) ?? 0) - end(point) : -1;
        return gap >= 0 && gap < needed ? point.get(also) : end(point);
      };
      return {
        shown,
        near: "y",
        options: {
          height: height + (also ? 34 : 8),
          marginLeft: room,
          marginRight: labels,
          marginTop: 4,
          marginBottom: also ? 30 : 4,
          x: { axis: null, nice: Boolean(also) },
          y: { type: "band", domain: shown.map((point) => point.index), padding: 0.24, axis: null },
          marks: [
            also && gridX({ ticks: width < 420 ? 3 : 5 }),
            also &&
              Plot.axisX({
                ticks: width < 420 ? 3 : 5,
                tickFormat: tick(column(value).format),
                tickSize: 0,
                label: null,
              }),
            Plot.barX(shown, { x: by(value), ...bar, fill: "var(--series-1)", rx2: 3, ...common }),
            margin &&
              Plot.ruleY(shown, {
                x1: (p) => p.get(value) - (p.get(margin) ?? 0),
                x2: end,
                ...beside,
                stroke: "var(--ink)",
                strokeWidth: 1.5,
              }),
            also &&
              Plot.dot(shown, {
                x: by(also),
                ...beside,
                symbol: "diamond",
                r: 4.5,
                fill: "var(--card)",
                stroke: "var(--series-2)",
                strokeWidth: 2,
              }),
            names,
            Plot.text(shown, {
              x: beyond,
              ...beside,
              text: (p) => p.text(value),
              textAnchor: "start",
              dx: also ? 9 : 6,
              fill: "var(--soft)",
              stroke: "var(--card)",
              strokeWidth: 4,
              fontSize: 12,
            }),
          ],
        },
        legend: also && [
          [column(value).title, "■", "var(--series-1)"],
          [column(also).title, "◆", "var(--series-2)"],
        ],
      };
    },

    columns({ points, column }, draw, { width, extra, sheet }) {
      const { x, value, also } = draw;
      const shown = points.filter((point) => point.get(value) != null).slice(0, draw.limit);
      const tight = width / shown.length < 40;
      const write = tick(column(x).format);
      return {
        shown,
        near: "x",
        options: {
          height: sheet.high - 20 + extra,
          marginLeft: tight ? 44 : 8,
          marginRight: 8,
          marginTop: 22,
          marginBottom: unit(column(x)) ? 44 : 30,
          x: { type: "band", domain: shown.map((point) => point.index), padding: 0.18, axis: null },
          y: { axis: null, zero: true },
          marks: [
            tight && gridY({ ticks: 4 }),
            tight && Plot.axisY({ ticks: 4, tickFormat: tick(column(value).format), tickSize: 0, label: null }),
            Plot.barY(shown, { x: "index", y: by(value), fill: "var(--series-1)", ry2: 3, ...common }),
            also &&
              Plot.dot(shown, {
                x: "index",
                y: by(also),
                symbol: "diamond",
                r: 4.5,
                fill: "var(--card)",
                stroke: "var(--series-2)",
                strokeWidth: 2,
              }),
            !tight &&
              Plot.text(shown, {
                x: "index",
                y: by(value),
                text: (p) => p.text(value),
                lineAnchor: "bottom",
                dy: -5,
                ...LABEL,
              }),
            Plot.axisX(
              every(shown, width / 44).map((point) => point.index),
              {
                tickSize: 0,
                label: unit(column(x)),
                labelAnchor: "right",
                tickFormat: (index) => write(points[index].get(x)),
              },
            ),
          ],
        },
        legend: also && [
          [column(value).title, "■", "var(--series-1)"],
          [column(also).title, "◆", "var(--series-2)"],
        ],
      };
    },

    line({ points, column }, draw, { width, extra, sheet }) {
      const { x, lines, margin } = draw;
      const known = points.slice(0, draw.limit).map((point) => lines.some((name) => point.get(name) != null));
      const shown = points.slice(known.indexOf(true), known.lastIndexOf(true) + 1);
      const colours = lines.map((_, i) => `var(--series-${i + 1})`);
      const dashes = [null, "6 3", "2 3", "8 3 2 3"];
      const last = (name) => shown.findLast((point) => point.get(name) != null);
      const labels =
        lines.length > 1
          ? Math.max(...lines.map((name) => widthOf(column(name).title))) + 12
          : widthOf(last(lines[0])?.text(lines[0]) ?? "") + 14;
      const format = column(lines[0]).format;
      // Round places between a few values would be half years and hours.
      const fitting = Math.max(3, Math.floor(width / 110));
      const few = shown.length <= 2 * fitting;
      return {
        shown,
        near: "x",
        options: {
          height: sheet.high + extra,
          marginLeft: 52,
          marginRight: Math.min(labels, width * 0.3),
          marginTop: 14,
          x: { type: dates.has(column(x).format) ? "utc" : "linear", label: null },
          y: { label: null, nice: true, zero: draw.zero },
          marks: [
            gridY({ ticks: 5 }),
            Plot.axisY({ ticks: 5, tickSize: 0, tickFormat: tick(format), label: null }),
            Plot.axisX({
              ticks: few ? every(shown, fitting).map(by(x)) : fitting,
              tickFormat: tick(column(x).format),
              tickSize: 0,
              label: null,
            }),
            (margin || draw.from) &&
              Plot.areaY(shown, {
                x: by(x),
                fill: colours[0],
                fillOpacity: 0.18,
                y1: (p) => (margin ? minus(p.get(lines[0]), p.get(margin)) : (p.get(draw.from) ?? Number.NaN)),
                y2: (p) => (margin ? minus(p.get(lines[0]), -p.get(margin)) : (p.get(draw.to) ?? Number.NaN)),
              }),
            ...lines.map((name, i) =>
              Plot.lineY(shown, {
                x: by(x),
                y: by(name),
                stroke: colours[i],
                strokeWidth: 2.25,
                strokeDasharray: dashes[i],
              }),
            ),
            ...lines.map((name, i) =>
              Plot.dot(shown, { x: by(x), y: by(name), r: shown.length > 60 ? 2 : 3, fill: colours[i], ...common }),
            ),
            ...(lines.length > 1
              ? apart(lines, (name) => last(name)?.get(name)).map(({ name, shift }) => {
                  const i = lines.indexOf(name);
                  return Plot.text([last(name)].filter(Boolean), {
                    x: by(x),
                    y: by(name),
                    text: () => column(name).title,
                    dx: 8,
                    dy: shift,
                    textAnchor: "start",
                    fill: colours[i],
                    fontWeight: 600,
                    fontSize: 12,
                  });
                })
              : [
                  Plot.text([last(lines[0])].filter(Boolean), {
                    x: by(x),
                    y: by(lines[0]),
                    text: (p) => p.text(lines[0]),
                    dx: 8,
                    textAnchor: "start",
                    fontWeight: 600,
                    ...LABEL,
                  }),
                ]),
          ],
        },
      };
    },

    scatter({ points, column, name }, draw, { width, extra, sheet }) {
      const { x, y } = draw;
      const shown = points.filter((point) => point.get(x) != null && point.get(y) != null);
      const same = column(x).format === column(y).format;
      const named = Math.min(draw.named ?? 0, width < 420 ? 2 : 9);
      const ends = named > 0 ? [...shown.slice(0, named), ...shown.slice(-named)] : [];
      const [low, high] = d3.extent(shown.flatMap((point) => [point.get(x), point.get(y)]));
      const [least, most] = d3.extent(shown, by(x));
      return {
        shown,
        near: "xy",
        named: ends,
        options: {
          height: Math.max(sheet.high + 40, Math.min(460, width * 0.75)) + extra,
          marginLeft: 48,
          marginBottom: 42,
          marginTop: 26,
          marginRight: 16,
          x: { label: null, nice: true },
          y: { label: null, nice: true },
          marks: [
            gridX({ ticks: 5 }),
            gridY({ ticks: 5 }),
            Plot.axisX({
              ticks: 5,
              tickSize: 0,
              tickFormat: tick(column(x).format),
              label: `${column(x).title} →`,
              labelAnchor: "right",
            }),
            Plot.axisY({
              ticks: 5,
              tickSize: 0,
              tickFormat: tick(column(y).format),
              label: `↑ ${column(y).title}`,
              labelAnchor: "top",
            }),
            same &&
              Plot.line(
                [
                  [low, low],
                  [high, high],
                ],
                { stroke: "var(--soft)", strokeDasharray: "4 4", clip: true },
              ),
            Plot.dot(shown, {
              x: by(x),
              y: by(y),
              r: shown.length > 400 ? 2.6 : 4,
              fill: "var(--series-1)",
              fillOpacity: shown.length > 400 ? 0.45 : 0.7,
              ...common,
            }),
            Plot.dot(ends, { x: by(x), y: by(y), r: 4, fill: "var(--series-2)", symbol: "diamond" }),
            ...ends.map((point) => {
              // A single film stands at the left end.
              const left = point.get(x) <= (least + most) / 2;
              return Plot.text([point], {
                x: by(x),
                y: by(y),
                text: () => cut(name(point), width * 0.45),
                textAnchor: left ? "start" : "end",
                dx: left ? 9 : -9,
                stroke: "var(--card)",
                strokeWidth: 4,
                ariaDescription: NAME,
                ...LABEL,
              });
            }),
          ],
        },
      };
    },

    heat({ points, column }, draw, { width, sheet }) {
      const { x, y, value } = draw;
      const known = points.filter((point) => point.get(value) != null);
      // Names are ordered by their values, all else by itself.
      const byName = column(y).format === "text";
      const rows = d3.groupSort(
        known,
        byName ? (group) => -d3.mean(group, by(value)) : ([point]) => point.get(y),
        by(y),
      );
      const left = new d3.InternSet(rows.splice(draw.limit ?? rows.length));
      const shown = known.filter((point) => !left.has(point.get(y)));
      const across = d3.sort(new d3.InternSet(shown.map(by(x))));
      const write = tick(column(x).format);
      const writeY = tick(column(y).format);
      const room = Math.min(
        width * (width < 420 ? 0.38 : 0.3),
        Math.max(...rows.map((row) => widthOf(writeY(row)))) + 10,
      );
      // Where a few values are far above the others, steps of equal width would leave these alike.
      const [low, high] = d3.extent(shown, by(value));
      const skewed = low >= 0 && high > 4 * d3.median(shown, by(value));
      const scaled = skewed ? Math.sqrt : Number;
      const quantize = d3.scaleQuantize([scaled(low), scaled(high)], [0, 1, 2, 3, 4, 5, 6]);
      const step = (n) => quantize(scaled(n));
      const cell = (width - room - 8) / across.length;
      const fits = cell > Math.max(...shown.map((point) => widthOf(point.text(value), 11))) + 4;
      const [first, last] = [shown.reduce(least(value)), shown.reduce(most(value))];
      const label = unit(column(x));
      return {
        shown,
        near: "xy",
        options: {
          height: rows.length * sheet.cell + (label ? 50 : 34),
          marginLeft: room,
          marginRight: 8,
          marginTop: label ? 42 : 26,
          marginBottom: 4,
          padding: 0.05,
          x: { type: "band", domain: across, axis: null },
          y: { type: "band", domain: rows, axis: null },
          color: { type: "identity" },
          marks: [
            Plot.axisX(every(across, width / 56), {
              anchor: "top",
              tickSize: 0,
              tickFormat: write,
              label,
              labelAnchor: "right",
            }),
            Plot.cell(shown, { x: by(x), y: by(y), fill: (p) => `var(--q${step(p.get(value))})`, rx: 2, ...common }),
            Plot.axisY({
              tickSize: 0,
              label: null,
              tickFormat: (row) => cut(writeY(row), room - 10),
              fill: "var(--ink)",
              fontSize: 12,
            }),
            fits &&
              Plot.text(shown, {
                x: by(x),
                y: by(y),
                text: (p) => p.text(value),
                fill: (p) => `var(--q${step(p.get(value))}-ink)`,
                fontSize: 11,
              }),
          ],
        },
        scale: [column(value).title, first.text(value), last.text(value)],
      };
    },

    split({ points, column, name }, draw, sizes) {
      const { from, to } = draw;
      const shown = points
        .filter((point) => point.get(from) != null && point.get(to) != null)
        .slice(0, draw.limit ?? 20);
      const { room, height, bar, beside, names } = rowsOf(shown, name, sizes, 44);
      const most = Math.max(...shown.flatMap((point) => [point.get(from), point.get(to)]));
      return {
        shown,
        near: "y",
        options: {
          height: height + 8,
          marginLeft: room + 44,
          marginRight: 50,
          marginTop: 4,
          marginBottom: 4,
          x: { axis: null, domain: [-most, most] },
          y: { type: "band", domain: shown.map((point) => point.index), padding: 0.24, axis: null },
          marks: [
            Plot.barX(shown, {
              x1: (p) => -p.get(from),
              x2: 0,
              ...bar,
              fill: "var(--series-2)",
              ...common,
            }),
            Plot.barX(shown, { x1: 0, x2: by(to), ...bar, fill: "var(--series-1)", ...common }),
            Plot.ruleX([0], { stroke: "var(--card)", strokeWidth: 2 }),
            Plot.text(shown, {
              x: (p) => -p.get(from),
              ...beside,
              text: (p) => p.text(from),
              textAnchor: "end",
              dx: -6,
              fill: "var(--soft)",
              fontSize: 12,
            }),
            Plot.text(shown, {
              x: by(to),
              ...beside,
              text: (p) => p.text(to),
              textAnchor: "start",
              dx: 6,
              fill: "var(--soft)",
              fontSize: 12,
            }),
            names,
          ],
        },
        legend: [
          [`${column(from).title} (left)`, "■", "var(--series-2)"],
          [`${column(to).title} (right)`, "■", "var(--series-1)"],
        ],
      };
    },

    pairs({ points, column, name }, draw, { width, extra, sheet }) {
      const { from, to } = draw;
      const shown = points
        .filter((point) => point.get(from) != null && point.get(to) != null)
        .slice(0, draw.limit ?? 20);
      const room = Math.min(width * 0.42, Math.max(...shown.map((point) => widthOf(name(point)))) + 14);
      const left = (point) => Math.min(point.get(from), point.get(to));
      const right = (point) => Math.max(point.get(from), point.get(to));
      const words = (point, most) => point.text(point.get(from) >= point.get(to) === most ? from : to);
      return {
        shown,
        near: "y",
        options: {
          height: shown.length * (sheet.row + Math.min(22, 4 + extra / shown.length)) + 34,
          marginLeft: room,
          marginRight: 14,
          marginTop: 6,
          marginBottom: 28,
          insetLeft: 40,
          insetRight: 40,
          x: { label: null, nice: true },
          y: { type: "band", domain: shown.map((point) => point.index), axis: null },
          marks: [
            gridX({ ticks: 5 }),
            Plot.axisX({ ticks: 5, tickSize: 0, tickFormat: tick(column(from).format), label: null }),
            Plot.ruleY(shown, { x1: left, x2: right, y: "index", stroke: "var(--line)", strokeWidth: 4 }),
            Plot.dot(shown, { x: by(from), y: "index", r: 5.5, fill: "var(--series-1)", ...common }),
            Plot.dot(shown, { x: by(to), y: "index", r: 5.5, symbol: "diamond", fill: "var(--series-2)", ...common }),
            Plot.text(shown, {
              x: left,
              y: "index",
              text: (p) => words(p, false),
              textAnchor: "end",
              dx: -10,
              fill: "var(--soft)",
              fontSize: 12,
            }),
            Plot.text(shown, {
              x: right,
              y: "index",
              text: (p) => words(p, true),
              textAnchor: "start",
              dx: 10,
              fill: "var(--soft)",
              fontSize: 12,
            }),
            Plot.text(shown, {
              frameAnchor: "left",
              y: "index",
              text: (p) => cut(name(p), room - 14),
              textAnchor: "end",
              dx: -8,
              ...LABEL,
            }),
          ],
        },
        legend: [
          [column(from).title, "●", "var(--series-1)"],
          [column(to).title, "◆", "var(--series-2)"],
        ],
      };
    },
  };

  const minus = (a, b) => (a == null || b == null ? Number.NaN : a - b);
  const least = (of) => (a, b) => (b.get(of) < a.get(of) ? b : a);
  const most = (of) => (a, b) => (b.get(of) > a.get(of) ? b : a);

  // Keeps as many of the items, evenly, as there is room for.
  function every(items, room) {
    const step = Math.max(1, Math.ceil(items.length / Math.max(2, room)));
    return items.filter((_, index) => index % step === 0);
  }

  // Shifts the labels at the ends of lines so that those of near lines do not overlap.
  function apart(lines, end) {
    const known = lines.filter((name) => end(name) != null);
    const [low, high] = d3.extent(known, end);
    const ordered = d3.sort(known, (name) => -end(name));
    const close = (high - low) / Math.max(1, high) < 0.08;
    return ordered.map((name, i) => ({ name, shift: close ? (i - (ordered.length - 1) / 2) * 14 : 0 }));
  }

  // Moves labels that lie on others down until they are free.
  function untangle(svg) {
    const placed = [];
    const labels = Array.from(svg.querySelectorAll(`.${NAME} text`), (label) => ({
      label,
      box: label.getBoundingClientRect(),
    }));
    for (const { label, box } of d3.sort(labels, ({ box }) => box.top)) {
      const meets = (other, down) =>
        box.left < other.right &&
        other.left < box.right &&
        box.top + down < other.bottom &&
        other.top < box.bottom + down;
      let down = 0;
      while (placed.some((other) => meets(other, down))) down += 4;
      placed.push({ left: box.left, right: box.right, top: box.top + down, bottom: box.bottom + down });
      if (down > 0) label.style.translate = `0 ${down}px`;
    }
  }

  function legendOf(entries) {
    const legend = document.createElement("div");
    legend.className = "legend";
    for (const [words, sign, colour] of entries) {
      const entry = document.createElement("span");
      const mark = document.createElement("b");
      mark.ariaHidden = "true";
      mark.textContent = sign;
      mark.style.color = colour;
      entry.append(mark, words);
      legend.append(entry);
    }
    return legend;
  }

  // The colours of a grid, from the least value to the most.
  function scaleOf([title, least, most]) {
    const legend = document.createElement("div");
    legend.className = "legend";
    const colours = document.createElement("i");
    colours.append(
      ...[0, 1, 2, 3, 4, 5, 6].map((step) => {
        const colour = document.createElement("b");
        colour.style.background = `var(--q${step})`;
        return colour;
      }),
    );
    const scale = document.createElement("span");
    scale.append(least, colours, most);
    legend.append(title, scale);
    return legend;
  }

  // A picture is one thing to a screen reader: names on its parts would be noise, and are not allowed
  // there.
  function plain(svg, title) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", title);
    for (const group of svg.querySelectorAll("[aria-label], [aria-description], [aria-hidden]")) {
      if (group.ariaDescription) group.classList.add(group.ariaDescription);
      for (const name of ["aria-label", "aria-description", "aria-hidden"]) group.removeAttribute(name);
    }
    return svg;
  }

  function draw(place, width, extra = 0, sheet = SCREEN) {
    const chart = charts[place.dataset.chart];
    const data = dataOf(chart);
    const { options, legend, scale, shown, near } = kinds[chart.draw.kind](data, chart.draw, { width, extra, sheet });
    const svg = plain(
      Plot.plot({ width, ...options, marks: options.marks.filter(Boolean) }),
      `${chart.title}. ${chart.finding}`,
    );
    place.replaceChildren(...(legend ? [legendOf(legend)] : []), ...(scale ? [scaleOf(scale)] : []), svg);
    place.drawn = { chart, data, svg, near, shown, width };
  }

  // Tips: by the pointer, and by the arrow keys when a chart has the focus.
  function spots(drawn) {
    if (drawn.spots) return drawn.spots;
    const frame = drawn.svg.getBoundingClientRect();
    drawn.spots = Array.from(drawn.svg.querySelectorAll(`.${POINT} > *`), (element) => {
      const box = element.getBoundingClientRect();
      const point = drawn.shown[element.__data__];
      return { element, point, x: box.x + box.width / 2 - frame.x, y: box.y + box.height / 2 - frame.y };
    }).sort((a, b) => a.point.index - b.point.index);
    return drawn.spots;
  }

  function nearest(drawn, x, y) {
    const far = {
      x: (spot) => Math.abs(spot.x - x),
      y: (spot) => Math.abs(spot.y - y),
      xy: (spot) => Math.hypot(spot.x - x, spot.y - y),
    }[drawn.near];
    return d3.least(spots(drawn), far);
  }

  function hide() {
    tip.hidden = true;
    for (const element of document.querySelectorAll(".drawing .active")) element.classList.remove("active");
  }

  function show(drawn, spot) {
    hide();
    spot.element.classList.add("active");
    const list = document.createElement("dl");
    drawn.chart.columns.forEach((column, i) => {
      const [name, value] = [document.createElement("dt"), document.createElement("dd")];
      name.textContent = column.title;
      value.textContent = drawn.chart.texts[spot.point.index][i];
      list.append(name, value);
    });
    tip.replaceChildren(list);
    tip.hidden = false;
    const frame = drawn.svg.getBoundingClientRect();
    const [x, y] = [frame.x + spot.x, frame.y + spot.y];
    const [wide, high] = [tip.offsetWidth, tip.offsetHeight];
    const room = document.documentElement.clientWidth;
    const left = x + 16 + wide < room ? x + 16 : Math.max(8, x - 16 - wide);
    const top = y - high - 12 > 0 ? y - high - 12 : y + 16;
    tip.style.left = `${Math.min(left, room - wide - 8) + scrollX}px`;
    tip.style.top = `${top + scrollY}px`;
    drawn.at = spots(drawn).indexOf(spot);
  }

  function step(drawn, key) {
    const all = spots(drawn);
    const at = drawn.at ?? -1;
    const to = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: all.length - 1,
    }[key];
    if (to === undefined || all.length === 0) return false;
    show(drawn, all[(to + all.length) % all.length]);
    return true;
  }

  function listen(place) {
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-roledescription", "chart");
    place.setAttribute("aria-label", `${charts[place.dataset.chart].title}. Arrow keys go from value to value.`);
    place.addEventListener("pointermove", (event) => {
      const frame = place.drawn.svg.getBoundingClientRect();
      const spot = nearest(place.drawn, event.clientX - frame.x, event.clientY - frame.y);
      if (spot) show(place.drawn, spot);
    });
    place.addEventListener("pointerleave", hide);
    place.addEventListener("blur", hide);
    place.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
      else if (step(place.drawn, event.key)) event.preventDefault();
    });
  }

  // A thousand marks: processed, quarantined, duplicates, told apart by colour and form. One path a kind
  // keeps the page light.
  function drawMarks(place, width) {
    const counts = place.dataset.marks.match(/\d+/g).map(Number);
    const across = width < 420 ? 40 : 50;
    const down = 1000 / across;
    const size = width / across;
    const svg = d3.create("svg").attr("viewBox", [0, 0, width, down * size]);
    const kinds = [
      ["var(--mark)", d3.symbolCircle, 0.2],
      ["var(--series-2)", d3.symbolDiamond2, 0.35],
      ["var(--series-3)", d3.symbolCross, 0.4],
    ];
    let next = 0;
    for (const [i, [colour, form, share]] of kinds.entries()) {
      const path = d3.path();
      for (const end = next + counts[i]; next < end; next++) {
        const [x, y] = [(Math.floor(next / down) + 0.5) * size, ((next % down) + 0.5) * size];
        form.draw(moved(path, x, y), share * size * size);
      }
      svg.append("path").attr("fill", colour).attr("d", path.toString());
    }
    place.replaceChildren(plain(svg.node(), place.dataset.title));
  }

  // A path that draws its forms around a point.
  function moved(path, x, y) {
    return {
      moveTo: (a, b) => path.moveTo(a + x, b + y),
      lineTo: (a, b) => path.lineTo(a + x, b + y),
      arc: (a, b, ...more) => path.arc(a + x, b + y, ...more),
      closePath: () => path.closePath(),
    };
  }

  function followTheme() {
    const button = document.getElementById("theme");
    const themes = ["auto", "light", "dark"];
    const remembered = {
      get: () => attempt(() => localStorage.getItem("theme")),
      set: (theme) => attempt(() => localStorage.setItem("theme", theme)),
    };
    const apply = (theme) => {
      if (theme === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme;
      button.lastElementChild.textContent = theme;
    };
    let theme = remembered.get() ?? "auto";
    if (!themes.includes(theme)) theme = "auto";
    apply(theme);
    button.hidden = false;
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      apply(theme);
      remembered.set(theme);
    });
  }

  // A browser may keep pages of files from storing anything.
  function attempt(work) {
    try {
      return work();
    } catch {
      return null;
    }
  }

  const places = Array.from(document.querySelectorAll("[data-chart]"));
  const markPlaces = Array.from(document.querySelectorAll("[data-marks]"));

  // All places are measured before the first is drawn: measuring between would lay the page out each time.
  function drawAll() {
    const sized = places.map((place) => [place, Math.max(240, place.clientWidth - 12)]);
    const sizedMarks = markPlaces.map((place) => [place, Math.max(240, place.clientWidth)]);
    for (const [place, width] of sizedMarks) drawMarks(place, width);
    for (const [place, width] of sized) draw(place, width);
    // A chart beside a higher one takes the room that is left below it.
    for (const [place, width, free] of sized.map((known) => [...known, freeBelow(known[0])])) {
      if (free > 24) draw(place, width, free);
    }
    for (const place of places) untangle(place.drawn.svg);
  }

  function freeBelow(place) {
    const data = place.parentElement.querySelector("details");
    return data.getBoundingClientRect().top - data.previousElementSibling.getBoundingClientRect().bottom;
  }

  function drawForPaper() {
    for (const place of places) {
      const whole = place.closest("figure").matches(".wide, .charts > :last-child:nth-child(odd)");
      draw(place, whole ? PAPER.whole : PAPER.half, 0, PAPER);
      untangle(place.drawn.svg);
    }
  }

  const began = performance.now();
  followTheme();
  drawAll();
  for (const place of places) listen(place);
  document.documentElement.dataset.drawn = Math.round(performance.now() - began);

  addEventListener("beforeprint", drawForPaper);
  addEventListener("afterprint", drawAll);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    hide();
    drawAll();
  });
})();

// Draws every figure.chart with uPlot from the table inside it. Dragging over a chart narrows the page to that time.
(() => {
  "use strict";
  const drawn = new Map(); // figure -> uPlot

  // A custom property holds light-dark() as written; only a real property says which colour that is.
  function color(name, soft = "") {
    const probe = document.createElement("i");
    probe.className = `off c-${name} ${soft}`;
    document.body.append(probe);
    const found = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return found;
  }

  function theme() {
    const style = getComputedStyle(document.querySelector(".complete") || document.body);
    return { text: style.color, font: "11px " + getComputedStyle(document.body).fontFamily };
  }

  function faint(rgb, alpha) {
    return rgb.replace(/^rgba?\(([^,]+),([^,]+),([^,)]+).*$/, `rgba($1,$2,$3,${alpha})`);
  }

  function read(figure) {
    const table = figure.querySelector("table");
    const x = [], labels = [], series = [];
    for (const th of [...table.tHead.rows[0].cells].slice(1)) series.push({ color: th.dataset.color, values: [] });
    for (const row of table.tBodies[0].rows) {
      x.push(Number(row.cells[0].dataset.x));
      labels.push(row.cells[0].textContent);
      series.forEach((one, i) => one.values.push(Number(row.cells[i + 1].textContent)));
    }
    return { x, labels, series };
  }

  const short = (v) => (v >= 1e6 ? +(v / 1e6).toPrecision(3) + " M" : v >= 1e4 ? +(v / 1e3).toPrecision(3) + " k" : v.toLocaleString("en"));

  // The bar's figures follow the pointer, in the place where the totals stand: nothing moves, nothing covers the chart.
  function follow(figure, data) {
    const at = figure.querySelector("[data-at]"), words = at.textContent;
    const numbers = [...figure.querySelectorAll(".key b")], totals = numbers.map((b) => b.textContent);
    return (plot) => {
      const i = plot.cursor.idx;
      at.textContent = i == null ? words : data.labels[i];
      numbers.forEach((b, s) => { b.textContent = i == null ? totals[s] : data.series[s].values[i].toLocaleString("en"); });
    };
  }

  function narrow(figure, plot, data) {
    if (plot.select.width < 8) return;
    const from = plot.posToVal(plot.select.left, "x"), to = plot.posToVal(plot.select.left + plot.select.width, "x");
    const begin = data.x.filter((x) => x <= from).pop() ?? data.x[0], end = data.x.find((x) => x >= to) ?? to;
    const address = new URL(location.href);
    for (const name of ["range", "until", "cursor"]) address.searchParams.delete(name);
    const text = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19) + "Z";
    address.searchParams.set("from", text(begin));
    address.searchParams.set("to", text(end));
    location.assign(address);
  }

  function stacked(series) {
    const sums = [];
    let below = series[0].values.map(() => 0);
    for (const one of series) sums.push((below = below.map((v, i) => v + one.values[i])));
    return sums;
  }

  function draw(figure) {
    const box = figure.querySelector(".plot");
    if (!box || !box.clientWidth) return;
    drawn.get(figure)?.destroy();
    const data = read(figure), look = theme(), bars = figure.dataset.kind === "bars";
    const zone = document.documentElement.dataset.zone;
    const step = data.x.length > 1 ? data.x[1] - data.x[0] : 86400;
    const grid = { stroke: faint(look.text, 0.18), width: 1 };
    const axis = { stroke: look.text, font: look.font, grid, ticks: { show: false } };
    const values = bars ? stacked(data.series) : data.series.map((one) => one.values);
    // The tallest of a stack is drawn first, so that the others lie over it.
    const order = data.series.map((_, i) => i);
    if (bars) order.reverse();
    // A bucket that holds a part of its time is drawn apart: its bar soft, the way to it dashed.
    const last = data.x.length - 1, running = figure.dataset.running !== undefined, cut = figure.dataset.cut !== undefined;
    const partial = (i) => (cut && i === 0) || (running && i === last);
    const beside = (i) => partial(i) || (!bars && ((cut && i === 1) || (running && i === last - 1)));
    const only = (test, all) => all.map((value, i) => (test(i) ? value : null));
    const series = [], shown = [];
    for (const i of order) {
      const ink = color(data.series[i].color), soft = color(data.series[i].color, "soft");
      const line = { width: 1.6, points: { show: data.x.length < 3, size: 5 } };
      const bar = { width: 0, paths: uPlot.paths.bars({ size: [0.86, data.x.length < 4 ? 160 : 60], align: 1 }), points: { show: false } };
      series.push(bars ? { ...bar, stroke: ink, fill: ink } : { ...line, stroke: ink, fill: faint(ink, 0.1) });
      shown.push(only((at) => !partial(at), values[i]));
      if (!running && !cut) continue;
      series.push(bars ? { ...bar, stroke: soft, fill: soft } : { ...line, stroke: ink, fill: faint(ink, 0.04), dash: [3, 4] });
      shown.push(only(beside, values[i]));
    }
    // Weeks and months have their labels where they begin; days and hours where uPlot finds room.
    const few = ["week", "month"].includes(figure.dataset.step) && data.x.length <= 8;
    const options = {
      width: box.clientWidth,
      height: box.clientHeight,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: !bars, size: 6 } },
      scales: {
        x: { range: (_, low, high) => (bars ? [low, high + step] : low === high ? [low - step, high + step] : [low, high]) },
        y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 22, gap: 4, space: 70, values: days(figure.dataset.step, zone), ...(few && { splits: () => data.x }) },
        { ...axis, size: 44, gap: 6, space: box.clientHeight < 120 ? 22 : 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9], values: (_, ticks) => ticks.map(short) },
      ],
      series: [{}, ...series],
      hooks: { setCursor: [follow(figure, data)], setSelect: [(plot) => narrow(figure, plot, data)] },
    };
    drawn.set(figure, new uPlot(options, [data.x, ...shown], box));
  }

  function days(step, zone) {
    const month = new Intl.DateTimeFormat("en-US", { month: "short", timeZone: zone });
    const number = new Intl.DateTimeFormat("en-US", { day: "numeric", timeZone: zone });
    const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });
    return (plot, ticks) => ticks.map((seconds) => {
      if (seconds > plot.data[0].at(-1)) return ""; // bars reach one step beyond the last begin
      const time = new Date(seconds * 1000), clock = hour.format(time);
      return clock === "00:00" ? `${number.format(time)} ${month.format(time)}` : step === "hour" ? clock : "";
    });
  }

  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const plot = drawn.get(target.closest("figure"));
      if (plot && plot.width !== target.clientWidth) plot.setSize({ width: target.clientWidth, height: target.clientHeight });
    }
  });

  function all() {
    for (const [figure, plot] of drawn) {
      if (!figure.isConnected) { plot.destroy(); drawn.delete(figure); }
    }
    for (const figure of document.querySelectorAll("figure.chart")) {
      if (drawn.has(figure)) continue;
      draw(figure);
      resized.observe(figure.querySelector(".plot"));
    }
  }

  function anew() {
    for (const figure of drawn.keys()) draw(figure);
  }

  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:after:swap", all);
  document.addEventListener("tellback:theme", anew);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", anew);
})();

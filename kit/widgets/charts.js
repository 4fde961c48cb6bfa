// Charts: who ran when (a Gantt chart of the scheduler), and what the VMM's work was spent on.
import { widget, h, s, put, button, count, percent, transport, keys, legend, SUMS, RUN_U, COST } from "./core.js";

const WIDE = 1000, LEFT = 90, ROW = 30, PIXEL = 2;

function charts(root, store, options = {}) {
  const bar = options.transport ? transport(root, store, { title: "charts" }) : null;
  const gantt = h("div"), overhead = h("div");
  const save = button(store.say("charts.save"), store.say("charts.save_short"), () => download(gantt.querySelector("svg"), "gantt.svg"));
  root.append(h("div", { class: "kit-row" }, h("div", { class: "kit-h", style: "flex:1" }, store.say("charts.gantt")), save), gantt,
    legend([["user", store.say("charts.direct")], ["vmm", store.say("charts.vmm")], ["idle", store.say("charts.waits")]]),
    h("div", { class: "kit-h" }, store.say("charts.overhead")), overhead);
  let shownFor = "", line = null;

  // In each column of pixels, a bar as high as the part of that time that the machine had.
  function drawGantt() {
    const machines = store.machines, height = ROW * machines.length + 30, room = WIDE - LEFT - 10, steps = Math.floor(room / PIXEL);
    const svg = s("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "img", "aria-label": store.say("charts.gantt_of", { vms: machines.map((one) => one.name).join(", ") }), xmlns: "http://www.w3.org/2000/svg" });
    const paths = machines.map(() => ({ run: "", vmm: "" }));
    let before = store.sumsAt(0), now = new Float64Array(store.sumWidth);
    for (let p = 0; p < steps; p++) {
      const clock = ((p + 1) / steps) * store.last, each = store.last / steps;
      now = store.sumsAt(clock, now);
      machines.forEach((_, m) => {
        const at = m * SUMS;
        const run = [0, 1, 3].reduce((sum, mode) => sum + now[at + RUN_U + mode] - before[at + RUN_U + mode], 0), vmm = now[at + COST] - before[at + COST];
        const base = ROW * (m + 1) - 2, tall = ROW - 8, x = LEFT + p * PIXEL;
        const a = Math.min(1, run / each) * tall, b = Math.min(1, vmm / each) * tall;
        if (a > 0.05) paths[m].run += `M${x} ${base}v${-a.toFixed(1)}h${PIXEL}v${a.toFixed(1)}z`;
        if (b > 0.05) paths[m].vmm += `M${x} ${(base - a).toFixed(1)}v${-b.toFixed(1)}h${PIXEL}v${b.toFixed(1)}z`;
      });
      [before, now] = [now, before];
    }
    machines.forEach((one, m) => {
      const y = ROW * (m + 1) - 2, ended = store.ends.find((row) => row[1] === m), end = ended ? ended[0] / store.last : 1;
      svg.append(s("text", { x: 4, y: y - 7, class: "bold", "font-size": 9.5 }, one.name),
        s("line", { x1: LEFT, x2: LEFT + room * end, y1: y + 0.5, y2: y + 0.5, class: "gantt-wait", stroke: "#7b8794", "stroke-dasharray": "2 4" }),
        s("path", { d: paths[m].run, class: "gantt-run", fill: "#007a56" }), s("path", { d: paths[m].vmm, class: "gantt-vmm", fill: "#0068ad" }));
      if (ended && end < 0.92) svg.append(s("text", { x: Math.min(LEFT + room * end + 5, WIDE - 60), y: y - 7, class: "soft", "font-size": 9.5 }, store.say(`state.${ended[2]}`, { why: "" })));
    });
    for (let k = 0; k <= 5; k++) svg.append(s("text", { x: LEFT + (k * room) / 5, y: height - 8, class: "soft", "font-size": 9.5, "text-anchor": k === 5 ? "end" : k ? "middle" : "start" }, count((k * store.last) / 5)));
    line = s("line", { y1: 0, y2: ROW * machines.length, class: "now", stroke: "#1b2430", "stroke-width": 1.5 });
    svg.append(line);
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect(), x = ((event.clientX - box.left) / box.width) * WIDE;
      if (x > LEFT) store.go(Math.round(((x - LEFT) / room) * store.last));
    });
    put(gantt, svg);
  }
  function moveLine() {
    const x = LEFT + (store.moment / Math.max(1, store.last)) * (WIDE - LEFT - 10);
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  }

  // Cycles of each kind of exit up to the moment, a column for each machine.
  function drawOverhead() {
    const n = store.eventAt() + 1, kinds = store.kinds.length, machines = store.machines.length;
    const numbers = new Float64Array(kinds * machines);
    for (let i = 0; i < n; i++) numbers[store.vm[i] * kinds + store.kind[i]]++;
    const names = [...new Set(store.kinds.map((kind) => kind.name))];
    const rows = names.map((name) => {
      const cells = store.machines.map((_, m) => store.kinds.reduce((sum, kind, k) => (kind.name === name ? [sum[0] + numbers[m * kinds + k], sum[1] + numbers[m * kinds + k] * kind.cost] : sum), [0, 0]));
      return { name, cells, cycles: cells.reduce((sum, cell) => sum + cell[1], 0), events: cells.reduce((sum, cell) => sum + cell[0], 0) };
    }).filter((row) => row.events).sort((a, b) => b.cycles - a.cycles || b.events - a.events);
    const whole = rows.reduce((sum, row) => sum + row.cycles, 0), most = Math.max(1, ...rows.flatMap((row) => row.cells.map((cell) => cell[1])));
    const sums = store.sumsAt(store.moment), direct = store.machines.reduce((sum, _, m) => sum + [0, 1, 3].reduce((one, mode) => one + sums[m * SUMS + RUN_U + mode], 0), 0);
    put(overhead, h("p", {}, store.say("charts.whole", { direct: count(direct), vmm: count(whole), percent: percent(whole, whole + direct) })),
      h("div", { class: "kit-scroll", tabindex: 0, role: "region", "aria-label": store.say("charts.overhead") }, h("table", { class: "kit-bars" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, store.say("charts.kind")), store.machines.flatMap((one) => [h("th", { scope: "col", class: "num" }, one.name), h("th", { scope: "col" }, store.say("charts.cycles"))]))),
        h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), row.cells.flatMap(([events, cycles]) => [h("td", { class: "num" }, events ? count(events) : ""), h("td", { style: `width:${Math.floor(70 / machines)}%` }, cycles ? [h("i", { style: `width:${(82 * cycles) / most}%` }), ` ${count(cycles)}`] : "")])))))));
  }
  function update() {
    bar?.update();
    const key = `${store.tick}`;
    if (key !== shownFor) { shownFor = key; drawGantt(); }
    moveLine();
    drawOverhead();
  }
  keys(root, store);
  update();
  const ends = [store.listen(update), () => bar?.end()];
  return () => ends.forEach((end) => end());
}

function download(svg, name) {
  const text = new XMLSerializer().serializeToString(svg), link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "image/svg+xml" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export { charts };
export default widget(charts, "charts");

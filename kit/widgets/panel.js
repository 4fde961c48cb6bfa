// The panel: registers, pc with the program around it, and the control registers spelled out.
import { widget, h, put, button, hex, MODES, transport, keys, machines, allLamps } from "./core.js";

const AROUND = 4; // instructions before and after pc
const GENERAL = 31; // x1 to x31 come first in a frame, then pc, then the control registers
const SHOWN_MODE = { 0: "U", 1: "S", 3: "M" };

// What a field's value means, where the manual has a word for it.
function meaning(store, csr, name, value) {
  if (name === "MPP" || name === "SPP") return SHOWN_MODE[value] ?? value;
  if (csr === "satp" && name === "MODE") return value ? "Sv32" : "bare";
  if ((csr === "mtvec" || csr === "stvec") && name === "MODE") return value ? "vectored" : "direct";
  return value > 9 ? "0x" + value.toString(16) : value;
}

function csrRow(store, csr, word, before) {
  const changed = before !== null && before !== word;
  const parts = [h("b", {}, csr.name)];
  const flags = csr.fields.length > 1 && !["medeleg", "mtvec", "stvec"].includes(csr.name) ? csr.fields : [];
  parts.push(h("span", { class: "field" }, hex(word)));
  if (csr.name === "mcause" || csr.name === "scause") parts.push(h("span", { class: "on" }, word ? store.causes[word] ?? "" : ""));
  else for (const [name, high, low] of flags) {
    const value = (word >>> low) & (high - low === 31 ? 0xffffffff : (1 << (high - low + 1)) - 1);
    if (value || ["MIE", "SIE", "MPP"].includes(name)) parts.push(h("span", { class: value ? "on" : "field" }, `${name}=${meaning(store, csr.name, name, value >>> 0)}`));
  }
  return h("div", { class: changed ? "kit-csr kit-changed" : "kit-csr", title: csr.text, "data-csr": csr.name }, parts);
}

// The rows around pc: as they are now, of the loaded program, or as an event has kept them.
function codeAround(store, machine, pc) {
  const now = store.live?.moment === store.moment ? store.live.listings?.[machine] : null;
  const kept = store.codes?.[store.code?.[store.lastOf(machine)] ?? 0] ?? [];
  const listing = [now, store.listings?.[machine], { rows: kept, byAddress: new Map(kept.map((row, k) => [row[0], k])), source: {} }].find((one) => one?.byAddress.has(pc));
  const k = listing?.byAddress.get(pc);
  if (k === undefined) return { rows: [], listing };
  let [first, last] = [k, k];
  const follows = (a, b) => listing.rows[a][0] + listing.rows[a][1].length / 2 === listing.rows[b][0];
  while (first > 0 && k - first < AROUND && follows(first - 1, first)) first--;
  while (last + 1 < listing.rows.length && last - k < AROUND + 2 && follows(last, last + 1)) last++;
  return { rows: listing.rows.slice(first, last + 1), listing };
}

function panel(root, store, options = {}) {
  const bar = options.transport ? transport(root, store, { title: "panel" }) : null;
  const top = h("div", { class: "kit-row" });
  const drive = store.driven && options.drive !== false ? driving(store) : null;
  const where = h("p", { class: "mono" });
  const code = h("ol", { class: "kit-code", "aria-label": store.say("panel.code"), tabindex: 0 });
  const source = h("ol", { class: "kit-code kit-source", "aria-label": store.say("panel.source"), tabindex: 0 });
  const registers = h("div", { class: "kit-registers", role: "group", "aria-label": store.say("panel.registers") });
  const csrs = h("div", { role: "group", "aria-label": store.say("panel.csrs") });
  const note = h("p", { class: "kit-soft" });
  root.append(top, ...(drive ? [drive.node] : []), h("div", { class: "kit-columns" },
    h("div", {}, h("div", { class: "kit-h" }, store.say("panel.program")), where, code, source),
    h("div", {}, h("div", { class: "kit-h" }, store.say("panel.registers")), registers, note),
    h("div", {}, h("div", { class: "kit-h" }, store.say("panel.csrs")), csrs)));

  function update() {
    const machine = store.machine, frame = store.frameOf(machine), at = store.atEvent();
    put(top, machines(store), options.lamps === false ? null : allLamps(store, store.machines.length > 1 ? machine : null));
    bar?.update();
    drive?.update();
    if (!frame) {
      put(where, store.say("panel.none"));
      for (const node of [code, source, registers, csrs, note]) put(node);
      return;
    }
    const here = at >= 0 && store.vm[at] === machine && store.costOf(at) > 0;
    const pc = here ? store.pc[at] : frame.words[GENERAL];
    const { rows, listing } = codeAround(store, machine, pc);
    const row = rows.find((one) => one[0] === pc);
    put(where, "pc ", h("b", {}, hex(pc)), row?.[3] ? ` ${row[3]}` : "", row?.[4] ? h("span", { class: "kit-soft" }, `  ${row[4]}`) : "");
    put(code, rows.map(([address, bytes, text, symbol]) => h("li", address === pc ? { "aria-current": "location" } : {},
      symbol && !symbol.includes("+") ? h("span", { class: "label" }, `${symbol}:\n`) : null,
      h("i", {}, `${hex(address).slice(2)}  ${bytes.padEnd(8)}  `), text)));
    drawSource(row?.[4], listing);
    const before = frame.before;
    put(registers, store.registers.map((name, k) => {
      const changed = before && before[k] !== frame.words[k];
      const label = `${name}, x${k + 1}: ${hex(frame.words[k])}${changed ? `, ${store.say("panel.changed")}` : ""}`;
      return h("div", { class: changed ? "kit-register kit-changed" : "kit-register", role: "img", "aria-label": label, title: `x${k + 1} ${name} = ${frame.words[k]} = ${frame.words[k] | 0}`, "data-register": name },
        h("span", {}, name), h("span", {}, frame.words[k].toString(16).padStart(8, "0")));
    }));
    put(csrs, store.csrs.map((csr, k) => csrRow(store, csr, frame.words[GENERAL + 1 + k], before ? before[GENERAL + 1 + k] : null)));
    put(note, here ? store.say("panel.after") : frame.exact ? store.say("panel.exact") : store.say("panel.older"));
  }
  function drawSource(place, listing) {
    const cut = place?.lastIndexOf(":") ?? -1;
    const [file, line] = cut < 0 ? ["", 0] : [place.slice(0, cut), +place.slice(cut + 1)];
    const lines = Object.entries(listing?.source[file] ?? {}).filter(([n]) => Math.abs(n - line) <= AROUND);
    source.hidden = lines.length === 0;
    put(source, lines.map(([n, text]) => h("li", +n === line ? { "aria-current": "location" } : {}, h("i", {}, n.padStart(4) + "  "), text)));
  }
  keys(root, store, drive ? { s: () => drive.step(1), b: () => drive.step(-1), r: () => drive.run() } : {});
  update();
  const ends = [store.listen(update), () => bar?.end()];
  return () => ends.forEach((end) => end());
}

// Buttons for a machine that can be run from here.
function driving(store) {
  const place = h("input", { type: "text", class: "mono", size: 18, placeholder: store.say("drive.place"), "aria-label": store.say("drive.place"), onkeydown: (event) => { if (event.key === "Enter") runTo(); } });
  const problem = h("span", { class: "kit-problem", role: "status" });
  const ask = (request) => store.ask({ ...request, machine: store.machine });
  const step = (n) => ask({ action: "step", count: n });
  const run = () => ask({ action: store.busy ? "pause" : "run" });
  const runTo = () => { if (place.value) ask({ action: "run to", place: place.value }); };
  const running = button(store.say("drive.run"), store.say("drive.run_short"), run);
  const stepping = [
    button(store.say("drive.back"), store.say("drive.back_short"), () => step(-1)),
    button(store.say("drive.step"), store.say("drive.step_short"), () => step(1)),
  ];
  const to = button(store.say("drive.run_to"), store.say("drive.run_to_short"), runTo);
  const why = button(store.say("drive.explain"), store.say("drive.explain_short"), () => ask({ action: "explain" }));
  const answer = h("pre", { class: "mono kit-scroll", hidden: true, tabindex: 0, "aria-label": store.say("drive.explain"), style: "white-space:pre-wrap" });
  return {
    node: h("div", {}, h("div", { class: "kit-row", role: "group", "aria-label": store.say("drive.title") }, stepping, running, place, to, why, problem), answer),
    step, run,
    update() {
      put(problem, store.problem);
      put(running, store.say(store.busy ? "drive.pause_short" : "drive.run_short"));
      for (const one of [...stepping, to, why]) one.disabled = store.busy;
      answer.hidden = !store.answer;
      put(answer, store.answer ?? "");
    },
  };
}

export { panel, driving };
export default widget(panel, "panel");

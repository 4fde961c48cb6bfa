// The memory map: guest virtual → guest physical → real storage, joined by ribbons.
//
// Addresses are far apart, so boxes are not to scale: each stretch has its place in the order of
// addresses, and a height that grows with the logarithm of its size.
import { widget, h, s, put, button, hex, size, count, transport, keys, machines, choice, legend } from "./core.js";

const WIDE = 940, TOP = 40, COLUMN = 218, GAP = 3, PAGE = 4096;
const FLAGS = "VRWXUGAD";
const V_X = 0, P_X = 361, R_X = 722;

const letters = (flags) => [...FLAGS].map((flag, bit) => ((flags >> bit) & 1 ? flag : "")).join("");
const rwx = (bits) => "rwx".split("").map((c, n) => ((bits >> n) & 1 ? c : "-")).join("");
const tall = (bytes) => Math.min(46, 17 + 2.4 * Math.max(0, Math.log2(bytes / PAGE)));
const overlap = (a, b) => Math.max(0, Math.min(a[0] + a[1], b[0] + b[1]) - Math.max(a[0], b[0]));

// Boxes under each other: [{start, bytes, ...}] get y and height.
function stacked(boxes) {
  let y = TOP;
  for (const box of boxes) {
    box.y = y;
    box.height = box.small ? 16 : tall(box.bytes);
    y += box.height + GAP;
  }
  return y;
}
// Where a part of a box is drawn.
function part(box, start, bytes) {
  const a = Math.max(0, (start - box.start) / box.bytes), b = Math.min(1, (start + bytes - box.start) / box.bytes);
  const least = Math.min(box.height, 3), y = box.y + a * box.height;
  return [Math.min(y, box.y + box.height - least), Math.max(box.y + b * box.height, y + least)];
}

function memoryMap(root, store, options = {}) {
  const bar = options.transport ? transport(root, store, { title: "memory_map" }) : null;
  const top = h("div", { class: "kit-row" });
  const picture = h("div", {});
  const side = h("div", {});
  const table = h("details", { class: "kit-table" }, h("summary", {}, store.say("memory_map.table")), h("div", { class: "kit-scroll", tabindex: 0, role: "region", "aria-label": store.say("memory_map.table") }));
  let chosen = null, step = 0, tab = "walk", baseline = null, answer = null, shownFor = "";
  const input = h("input", { class: "mono", size: 13, value: "", "aria-label": store.say("memory_map.address"), placeholder: "0x80000000", onchange: () => choose(parse(input.value)) });
  root.append(top, h("div", { class: "kit-map" }, picture, side), table);

  const parse = (text) => { const value = Number(text.trim().startsWith("0x") ? text.trim() : `0x${text.trim()}`); return Number.isFinite(value) && value >= 0 && value < 2 ** 32 ? value : null; };
  function choose(address) {
    chosen = address;
    step = 0;
    answer = null;
    if (address !== null) { input.value = hex(address); tab = "walk"; if (store.driven) store.ask({ action: "walk", machine: store.machine, address }); }
    draw();
  }
  function pin() { baseline = { clock: store.moment, map: store.mapOf(store.machine), machine: store.machine }; store.pinned = store.moment; draw(); store.changed(); }
  function unpin() { baseline = null; store.pinned = null; draw(); store.changed(); }

  // What is new since the moment that was pinned, as a set of keys of rows.
  const rowKey = (row) => row.join(" ");
  function changes(now) {
    if (!baseline || baseline.machine !== store.machine || !baseline.map) return null;
    const before = new Set(baseline.map.guest.mapped.map(rowKey)), after = new Set(now.guest.mapped.map(rowKey));
    const frames = new Set(baseline.map.frames.map(rowKey));
    return {
      added: now.guest.mapped.filter((row) => !before.has(rowKey(row))), gone: baseline.map.guest.mapped.filter((row) => !after.has(rowKey(row))),
      frames: now.frames.filter((row) => !frames.has(rowKey(row))), pmp: JSON.stringify(baseline.map.guest.pmp) !== JSON.stringify(now.guest.pmp),
      satp: baseline.map.guest.satp !== now.guest.satp,
    };
  }

  function draw() {
    const map = store.mapOf(store.machine);
    bar?.update();
    put(top, machines(store), baseline ? [h("span", { class: "kit-chip" }, store.say("memory_map.since", { clock: count(baseline.clock) })), button(store.say("memory_map.unpin"), store.say("memory_map.unpin_short"), unpin)]
      : button(store.say("memory_map.pin"), store.say("memory_map.pin_short"), pin), h("span", { style: "flex:1" }), h("label", {}, store.say("memory_map.address"), " ", input), button(store.say("memory_map.walk"), store.say("memory_map.walk_short"), () => choose(parse(input.value))));
    if (!map) { put(picture, store.say("memory_map.none")); put(side); return; }
    const change = changes(map);
    drawPicture(map, change);
    drawSide(map, change);
    drawTable(map);
  }

  // -- the picture --------------------------------------------------------------------------------

  function columnsOf(map, change) {
    const { guest, frames } = map;
    const fresh = new Set((change?.added ?? []).map(rowKey));
    const virtual = guest.mapped.map((row) => ({ start: row[0], bytes: row[2], to: row[1], flags: row[3], kind: row[3] & 16 ? "program" : ownerAt(guest, row[1]), fresh: fresh.has(rowKey(row)) }));
    const physical = guest.storage.map(([start, bytes, owner, rights, name]) => ({ start, bytes, kind: owner, rights, name, small: owner === "device" }));
    const real = store.real ? realBoxes(map, frames) : [];
    return { virtual: merged(virtual), physical, real };
  }
  const ownerAt = (guest, at) => guest.storage.find((row) => row[0] <= at && at < row[0] + row[1])?.[2] ?? "kernel";
  // Many small neighbours with the same flags are one box, or the picture would be a page long.
  function merged(boxes) {
    if (boxes.length <= 14) return boxes;
    const found = [];
    for (const box of boxes) {
      const last = found.at(-1);
      if (last && last.flags === box.flags && last.kind === box.kind && box.start - last.start - last.bytes < 1 << 16 && last.fresh === box.fresh) {
        last.pieces.push(box);
        last.bytes = box.start + box.bytes - last.start;
      } else found.push({ ...box, pieces: [box] });
    }
    return found;
  }
  // Real storage: the frames of every machine, in runs; the VMM's tables; what is free.
  function realBoxes(map) {
    const rows = [];
    store.machines.forEach((one, machine) => {
      const its = machine === store.machine ? map : store.mapOf(machine);
      for (const [from, to, bytes] of its?.frames ?? []) rows.push({ start: to, bytes, from, machine, kind: machine === store.machine ? "kernel" : "other", name: one.name });
      for (const [start, bytes] of one.pool) rows.push({ start, bytes, machine, kind: "vmm", name: store.say("memory_map.shadow_of", { vm: one.name }), table: true });
    });
    rows.sort((a, b) => a.start - b.start);
    const found = [];
    for (const row of rows) {
      const last = found.at(-1);
      const near = last && last.machine === row.machine && last.table === row.table && row.start - last.start - last.bytes < (row.table ? 1 << 18 : 1 << 14);
      if (near && row.start >= last.start) { last.bytes = Math.max(last.bytes, row.start + row.bytes - last.start); last.pieces.push(row); }
      else found.push({ ...row, pieces: [row] });
    }
    const all = [];
    let at = store.real.base;
    for (const box of found) {
      if (box.start - at >= 1 << 16) all.push({ start: at, bytes: box.start - at, kind: "free", name: store.say("memory_map.free"), pieces: [], small: true });
      all.push(box);
      at = box.start + box.bytes;
    }
    const end = store.real.base + store.real.memory;
    if (end - at >= 1 << 16) all.push({ start: at, bytes: end - at, kind: "free", name: store.say("memory_map.free"), pieces: [], small: true });
    return all;
  }

  function drawPicture(map, change) {
    const { virtual, physical, real } = columnsOf(map, change), walk = chosen === null ? null : walkOf(map);
    const height = Math.max(stacked(virtual), stacked(physical), stacked(real)) + 6;
    const title = [...virtual.map((b) => `${hex(b.start)} ${size(b.bytes)} ${letters(b.flags)}`), ...physical.map((b) => `${hex(b.start)} ${size(b.bytes)} ${b.name} ${b.rights}`)].join("; ");
    const svg = s("svg", { viewBox: `0 0 ${WIDE} ${height}`, role: "group", "aria-label": store.say("memory_map.picture", { vm: store.name(store.machine) }) }, s("desc", {}, title));
    const reached = (box, address) => address !== null && address !== undefined && address >= box.start && address < box.start + box.bytes;
    const within = (address, box) => reached(box, address);
    // Ribbons first, so that they run behind the boxes.
    const ribbon = (x1, [a1, b1], x2, [a2, b2], kind, lit) => {
      const middle = (x1 + x2) / 2;
      svg.append(s("path", { class: `kit-ribbon ${kind}${lit ? " chosen" : ""}`, d: `M${x1} ${a1}C${middle} ${a1} ${middle} ${a2} ${x2} ${a2}V${b2}C${middle} ${b2} ${middle} ${b1} ${x1} ${b1}Z` }));
    };
    for (const box of virtual) for (const piece of box.pieces ?? [box]) for (const other of physical) {
      const shared = overlap([piece.to, piece.bytes], [other.start, other.bytes]);
      if (!shared) continue;
      const from = Math.max(piece.to, other.start), lit = walk && reached(piece, chosen) && within(walk.physical, other);
      ribbon(V_X + COLUMN, part(box, piece.start + from - piece.to, shared), P_X, part(other, from, shared), other.kind, lit);
    }
    for (const box of real) for (const piece of box.pieces) {
      if (piece.machine !== store.machine || piece.table) continue;
      for (const other of physical) {
        const shared = overlap([piece.from, piece.bytes], [other.start, other.bytes]);
        if (!shared) continue;
        const from = Math.max(piece.from, other.start);
        ribbon(P_X + COLUMN, part(other, from, shared), R_X, part(box, piece.start + from - piece.from, shared), other.kind, walk && within(walk.physical, other) && walk.real >= piece.start && walk.real < piece.start + piece.bytes);
      }
    }
    const heading = (x, text, sub) => svg.append(s("text", { x, y: 14, class: "bold", "font-size": 13 }, text), s("text", { x, y: 29, class: "soft" }, sub));
    heading(V_X + 1, store.say("memory_map.virtual"), map.guest.paged ? store.say("memory_map.by_tables", { satp: hex(map.guest.satp) }) : store.say("memory_map.unpaged"));
    heading(P_X + 1, store.say(store.real ? "memory_map.physical" : "memory_map.storage"), map.guest.pmp ? store.say("memory_map.pmp_short", { count: map.guest.pmp.length }) : "");
    if (store.real) heading(R_X + 1, store.say("memory_map.real"), store.say("memory_map.all_frames"));
    const event = store.atEvent(), own = event >= 0 && store.vm[event] === store.machine && store.costOf(event) > 0;
    const pc = own ? store.pc[event] : store.frameOf(store.machine)?.words[31];
    const boxed = (box, x, text, sub, address, here, lit, more = "") => {
      // What is seen is part of what is read aloud, so it is one text.
      const marker = here ? " ◀ pc" : "", describe = `${text} ${sub}${marker}${more}`, high = box.height >= 30;
      const act = () => { if (address !== null) choose(address); };
      const middle = box.y + box.height / 2 + 4;
      const place = high ? { x: x + 7, y: box.y + 27 } : { x: x + COLUMN - 7, y: middle, "text-anchor": "end" };
      svg.append(s("g", { tabindex: 0, role: "button", "aria-label": describe, onclick: act, onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act(); } } },
        s("rect", { class: `kit-box ${box.kind}${lit ? " chosen" : ""}${here ? " here" : ""}${box.fresh ? " new" : ""}`, x: x + 1, y: box.y, width: COLUMN - 2, height: box.height, rx: 3 }),
        s("text", {}, s("tspan", { x: x + 7, y: high ? box.y + 14 : middle }, text), " ", s("tspan", { ...place, class: "soft", "font-size": 10.5 }, sub),
          here ? s("tspan", { x: x + COLUMN + 3, y: middle, "text-anchor": "start", class: "bold" }, marker) : null)));
    };
    for (const box of virtual) {
      const flags = letters(box.flags & ~1), text = `${hex(box.start)} ${flags}`;
      boxed(box, V_X, text, size(box.bytes), box.start, map.guest.paged && reached(box, pc), chosen !== null && reached(box, chosen), box.fresh ? `, ${store.say("memory_map.new")}` : "");
    }
    for (const box of physical) {
      const name = store.say(`owner.${box.kind === "device" ? "device" : box.name}`, { name: box.name }), rights = box.rights ? ` U:${box.rights}` : "";
      boxed(box, P_X, `${hex(box.start)} ${box.kind === "device" ? box.name : name}${rights}`, size(box.bytes), map.guest.paged ? null : box.start, !map.guest.paged && reached(box, pc), walk && within(walk.physical, box));
    }
    for (const box of real) {
      const its = box.machine === store.machine && !box.table;
      boxed(box, R_X, `${hex(box.start)} ${box.name}`, size(box.bytes), null, false, walk && its && within(walk.real, box));
    }
    if (!virtual.length) {
      const text = store.say("memory_map.identity");
      svg.append(s("foreignObject", { x: V_X, y: TOP, width: COLUMN, height: 90 }, h("div", { class: "kit-soft", style: "font-size:12px" }, text)));
    }
    const kinds = ["program", "kernel", "table", "device"].filter((kind) => physical.some((b) => b.kind === kind));
    const keyed = [...kinds.map((kind) => [kind === "program" ? "user" : kind, store.say(`owner.${kind}`, { name: "" })]), ...(real.some((b) => b.table) ? [["vmm", store.say("owner.vmm")]] : []), ["free", store.say("owner.other")]];
    put(picture, svg, legend(keyed), h("p", { class: "kit-soft" }, store.say("memory_map.scale"), map.clock !== store.moment ? ` ${store.say("memory_map.as_of", { clock: count(map.clock) })}` : ""));
  }

  // -- the side: walk, shadow, PMP, changes -------------------------------------------------------

  // The walk of the chosen address: Python's own where there is Python, or from the recorded map.
  function walkOf(map) {
    const given = store.walk;
    if (given && given.address === chosen && store.live && store.live.moment === store.moment) return { ...given, exact: true };
    const { guest, frames } = map, vpn = [chosen >>> 22, (chosen >>> 12) & 0x3ff];
    const found = { address: chosen, entries: [], physical: null, real: null, flags: null, exact: false };
    if (!guest.paged) found.physical = chosen;
    else {
      const row = guest.mapped.find((one) => chosen >= one[0] && chosen < one[0] + one[2]);
      const tables = guest.tables, first = tables.find((one) => one[1] === 1)?.[0];
      const second = tables.find((one) => one[1] === 0 && one[2] === vpn[0] * 2 ** 22)?.[0];
      if (first !== undefined) found.entries.push([1, first + 4 * vpn[0], second === undefined ? (row ? "leaf" : null) : second]);
      if (second !== undefined) found.entries.push([0, second + 4 * vpn[1], row ? "leaf" : null]);
      if (row) { found.flags = row[3]; found.physical = row[1] + chosen - row[0]; }
    }
    const frame = found.physical === null ? null : frames.find((one) => found.physical >= one[0] && found.physical < one[0] + one[2]);
    if (frame) found.real = frame[1] + found.physical - frame[0];
    return found;
  }

  function walkSteps(map, walk) {
    const { guest } = map, steps = [], say = (id, values) => store.say(`walk.${id}`, values);
    if (!guest.paged) steps.push(say("bare"));
    else {
      steps.push(say("root", { satp: hex(guest.satp), root: hex((guest.satp & 0x3fffff) * PAGE, 9) }));
      for (const [level, place, value] of walk.entries) {
        const index = level ? chosen >>> 22 : (chosen >>> 12) & 0x3ff;
        const numeric = typeof value === "number", raw = numeric && walk.exact;
        const what = value === null || (raw && !(value & 1)) ? say("invalid")
          : raw ? (value & 14 ? say("leaf", { flags: letters(value), page: hex(Math.floor(value / 1024) * PAGE, 9) }) : say("pointer", { table: hex(Math.floor(value / 1024) * PAGE, 9) }))
          : numeric ? say("pointer", { table: hex(value, 9) }) : say("leaf", { flags: letters(walk.flags ?? 0), page: hex(Math.floor((walk.physical ?? 0) / PAGE) * PAGE, 9) });
        steps.push(say("entry", { level, index, place: hex(place, 9), what }));
      }
    }
    if (walk.physical === null) { steps.push(say("fault")); return steps; }
    const region = guest.pmp?.find((row) => row[1] <= walk.physical && walk.physical < row[1] + row[2]);
    if (guest.pmp) steps.push(region ? say("pmp", { entry: region[0], rights: rwx(region[3]), locked: region[3] & 128 ? "L" : "" }) : say("no_pmp"));
    steps.push(say("physical", { address: hex(walk.physical, 9) }));
    if (store.real) steps.push(walk.real === null ? say("no_frame") : say("real", { address: hex(walk.real), vm: store.name(store.machine) }));
    if (walk.exact) {
      const verdicts = Object.entries(walk.allowed).map(([access, cause]) => `${store.say(`walk.${access}`)}: ${cause === null ? "✓" : `✕ ${store.causes[cause]}`}`);
      steps.push(say("verdict", { mode: walk.mode, verdicts: verdicts.join(", ") }));
    }
    return steps;
  }

  function drawSide(map, change) {
    const names = ["walk", ...(map.shadow.length ? ["shadow"] : []), ...(map.guest.pmp ? ["pmp"] : []), ...(change ? ["changes"] : [])];
    if (!names.includes(tab)) tab = "walk";
    const shown = { walk: walkSide, shadow: shadowSide, pmp: pmpSide, changes: changeSide }[tab];
    put(side, choice(store.say("memory_map.side"), names.map((name) => store.say(`memory_map.${name}_tab`)), names.indexOf(tab), (k) => { tab = names[k]; draw(); }), shown(map, change));
  }
  function walkSide(map) {
    if (chosen === null) return h("p", { class: "kit-soft" }, store.say("memory_map.choose"));
    const walk = walkOf(map), steps = walkSteps(map, walk);
    step = Math.min(step, steps.length - 1);
    const bits = map.guest.paged ? h("div", { class: "kit-bits", role: "img", "aria-label": store.say("walk.bits", { address: hex(chosen) }) },
      h("span", {}, `${chosen >>> 22}`, h("small", {}, "VPN[1]")), h("span", {}, `${(chosen >>> 12) & 0x3ff}`, h("small", {}, "VPN[0]")), h("span", {}, hex(chosen & 0xfff, 3), h("small", {}, store.say("walk.offset")))) : null;
    return h("div", {}, h("div", { class: "kit-h mono" }, hex(chosen)), bits,
      h("ol", { class: "kit-steps" }, steps.map((text, k) => h("li", k === step ? { "aria-current": "step" } : { class: k > step ? "later" : "" }, text))),
      h("div", { class: "kit-row" }, button(store.say("walk.previous"), "◀", () => { step = Math.max(0, step - 1); draw(); }), button(store.say("walk.next"), "▶", () => { step = Math.min(steps.length - 1, step + 1); draw(); }), button(store.say("walk.whole"), store.say("walk.whole_short"), () => { step = steps.length - 1; draw(); })));
  }
  // What the guest's tables say, and what the VMM's shadow has of it.
  function shadowSide(map) {
    const tree = map.shadow.find((one) => one.current) ?? map.shadow[0], guest = map.guest;
    const rowsFor = (tree.paged ? guest.mapped : tree.mapped.map((row) => [row[0], row[0], row[2], null])).slice(0, 40);
    const filled = (row) => tree.mapped.filter((one) => overlap([one[0], one[2]], [row[0], row[2]]));
    return h("div", {}, h("p", {}, store.say("shadow.tree", { mode: tree.mode, count: map.shadow.length })),
      h("div", { class: "kit-scroll", style: "max-height:30em", tabindex: 0, role: "region", "aria-label": store.say("memory_map.shadow_tab") }, h("table", {}, h("thead", {}, h("tr", {}, ["range", "guest", "shadow"].map((name) => h("th", { scope: "col" }, store.say(`shadow.${name}`))))),
        h("tbody", {}, rowsFor.map((row) => {
          const its = filled(row), pages = its.reduce((sum, one) => sum + overlap([one[0], one[2]], [row[0], row[2]]), 0) / PAGE;
          const withheld = row[3] !== null && row[3] & 4 && its.some((one) => !(one[3] & 4));
          const kinds = [...new Set(its.map((one) => rwx(one[3] >> 1)))].join(" ");
          return h("tr", {}, h("td", { class: "mono" }, hex(row[0]), h("br"), h("span", { class: "kit-soft" }, size(row[2]))),
            h("td", { class: "mono" }, row[3] === null ? "–" : `${rwx(row[3] >> 1)} ${row[3] & 16 ? "U" : ""}${row[3] & 128 ? " D" : ""}`),
            h("td", {}, its.length ? h("span", { class: "mono" }, kinds) : "", " ", its.length ? store.say("shadow.pages", { count: pages, all: row[2] / PAGE }) : store.say("shadow.empty"), withheld ? h("div", { class: "kit-soft" }, store.say("shadow.withheld")) : null));
        })))));
  }
  function pmpSide(map) {
    if (!map.guest.pmp.length) return h("p", { class: "kit-soft" }, store.say("pmp.none"));
    return h("table", {}, h("thead", {}, h("tr", {}, ["entry", "range", "rights", "kind"].map((name) => h("th", { scope: "col" }, store.say(`pmp.${name}`))))),
      h("tbody", {}, map.guest.pmp.map(([entry, start, bytes, config]) => h("tr", {}, h("td", {}, entry), h("td", { class: "mono" }, hex(start, 9), h("br"), h("span", { class: "kit-soft" }, bytes >= 2 ** 34 ? store.say("pmp.all") : size(bytes))), h("td", { class: "mono" }, rwx(config), config & 128 ? " L" : ""), h("td", {}, ["", "TOR", "NA4", "NAPOT"][(config >> 3) & 3])))));
  }
  function changeSide(map, change) {
    const list = (rows, sign) => rows.slice(0, 30).map((row) => h("li", { class: "mono" }, `${sign} ${hex(row[0])} → ${hex(row[1], 9)}  ${size(row[2])} ${row[3] === undefined ? "" : letters(row[3] & ~1)}`));
    const lines = [...list(change.added, "+"), ...list(change.gone, "−")];
    return h("div", {}, change.satp ? h("p", {}, store.say("change.satp")) : null, change.pmp ? h("p", {}, store.say("change.pmp")) : null,
      h("p", {}, store.say("change.counts", { added: change.added.length, gone: change.gone.length, frames: change.frames.length })), h("ul", { style: "padding-left:1em;margin:0" }, lines));
  }
  function drawTable(map) {
    if (!table.open) return;
    put(table.lastChild, h("table", {}, h("thead", {}, h("tr", {}, ["virtual", "physical", "bytes", "rights"].map((name) => h("th", { scope: "col" }, store.say(`map.${name}`))))),
      h("tbody", {}, map.guest.mapped.map((row) => h("tr", {}, h("td", { class: "mono" }, hex(row[0])), h("td", { class: "mono" }, hex(row[1], 9)), h("td", { class: "num" }, size(row[2])), h("td", { class: "mono" }, letters(row[3])))),
        map.guest.storage.map((row) => h("tr", {}, h("td", {}, "–"), h("td", { class: "mono" }, hex(row[0], 9)), h("td", { class: "num" }, size(row[1])), h("td", {}, store.say(`owner.${row[2] === "device" ? "device" : row[4]}`, { name: row[4] }), ` ${row[3]}`))))));
  }
  table.addEventListener("toggle", draw);

  function update() {
    const key = `${store.machine} ${store.moment} ${store.tick} ${store.busy} ${JSON.stringify(store.walk ?? null)}`;
    if (key === shownFor) return;
    shownFor = key;
    draw();
  }
  keys(root, store);
  if (options.address !== undefined) { chosen = options.address; input.value = hex(chosen); step = 99; }
  if (options.tab) tab = options.tab;
  update();
  const ends = [store.listen(update), () => bar?.end()];
  return () => ends.forEach((end) => end());
}

export { memoryMap };
export default widget(memoryMap, "memory_map");

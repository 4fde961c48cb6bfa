// The machine view: a recorded run, scrubbed forwards and backwards.
//
// Python hands the run over as one traitlet (`recording`, made by kit.trace.Recording.to_json) and
// shares one number with this module: `cursor`, in half-steps. 2i is event i, while the VMM is at
// work; 2i + 1 is the stretch after it, while hardware runs the guest. Text has the page's colour and
// all other colours are readable on white and on black, so light and dark pages need no cases.

const STYLE = `
.kit-mv { font: 13px/1.4 system-ui, sans-serif; max-width: 1100px; }
.kit-mv .row { display: flex; flex-wrap: wrap; gap: .4em 1.2em; align-items: center; margin: .3em 0; }
.kit-mv .lamps { display: flex; gap: .25em; align-items: center; }
.kit-mv .lamp { width: 1.7em; line-height: 1.7em; border-radius: 50%; border: 1px solid #888; text-align: center; }
.kit-mv .lamp.lit { background: #1f6fc4; border-color: #1f6fc4; color: #fff; font-weight: bold; }
.kit-mv .real .lamp.lit { background: #b5560f; border-color: #b5560f; }
.kit-mv button { font: inherit; min-width: 2.2em; padding: .15em .4em; border: 1px solid #888; border-radius: 4px; background: #8882; color: inherit; cursor: pointer; }
.kit-mv input { flex: 1; min-width: 8em; accent-color: #1f6fc4; }
.kit-mv svg { display: block; width: 100%; font: 12px system-ui, sans-serif; }
.kit-mv svg text { fill: currentColor; }
.kit-mv .lanes { border: 1px solid #8888; border-radius: 4px; touch-action: pan-y; cursor: crosshair; }
.kit-mv :focus-visible { outline: 2px solid #2f7fd6; outline-offset: 1px; }
.kit-mv .words { min-height: 3.6em; margin: .4em 0; }
.kit-mv .key { display: inline-block; width: .9em; height: .9em; margin-right: .3em; vertical-align: -.1em; }
`;
const HARDWARE = "#2e8b57", GUEST = "#d0661a", VMM = "#2f7fd6";
const OWNERS = { kernel: "#2f7fd6", program: "#2e8b57", device: "#8e6cd0", free: "#888888" };
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 150, LANE = 26, PLAY_MS = 350;

const hex = (n) => "0x" + n.toString(16).padStart(8, "0");
const short = (name) => (name.length > 9 ? name.slice(0, 8) + "…" : name);
const count = (n) => n.toLocaleString("en");
const size = (n) => (n >= 1 << 20 && n % (1 << 20) === 0 ? `${n >> 20} MiB` : n >= 1024 ? `${+(n / 1024).toFixed(1)} KiB` : `${n} B`);

function make(parent, tag, attributes = {}, text = "") {
  const svg = tag === "svg" || parent.namespaceURI === SVG;
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== "") node.textContent = text; // never innerHTML: texts come from guests
  parent.appendChild(node);
  return node;
}

function legend(row, colours) {
  for (const [text, colour] of Object.entries(colours)) {
    const item = make(row, "span");
    make(item, "span", { class: "key", style: `background:${colour}` });
    item.append(text);
  }
}

// The rows of numbers that Python sends, as objects.
function unpack(data) {
  const { vms = [], strings = [], kinds = {}, modes = [], regions = [], frames = [] } = data;
  const events = (data.events ?? []).map(([step, vm, kind, before, after, pc, cause, text, time]) => ({
    step, vm: vms[vm], kind: strings[kind], before: modes[before], after: modes[after],
    pc, cause: strings[cause], text: strings[text], time,
    guest: kinds[strings[kind]][0] === "guest", means: kinds[strings[kind]][1],
  }));
  return { vms, events, regions, frames, dropped: data.dropped ?? 0 };
}

// The lanes from top to bottom: the modes of each VM that occur, then the VMM.
function lanesOf(run) {
  const lanes = [];
  for (const vm of run.vms) {
    const used = new Set(run.events.filter((e) => e.vm === vm).flatMap((e) => [e.before, e.after]));
    for (const mode of "USM") {
      if (!used.has(mode)) continue;
      const role = mode === "U" ? "program" : mode === "S" || !used.has("S") ? "kernel" : "firmware";
      lanes.push({ key: `${vm} ${mode}`, label: `${short(vm)}: ${role}`, mode });
    }
  }
  lanes.push({ key: "VMM", label: "VMM", mode: "real M" });
  return lanes;
}

// Where hardware runs after event i: the lane in which the next event begins.
function laneAfter(run, i) {
  const e = run.events[i + 1];
  if (e) return `${e.vm} ${e.before}`;
  const last = run.events[i];
  return `${last.vm} ${last.after}`;
}

// The virtual mode of each VM at a cursor.
function modesAt(run, cursor) {
  const modes = {};
  for (const e of run.events) modes[e.vm] ??= e.before;
  for (let i = 0; 2 * i < cursor; i++) modes[run.events[i].vm] = run.events[i].after;
  return modes;
}

function words(run, cursor) {
  const e = run.events[cursor >> 1];
  if (!e) return ["No events were recorded.", ""];
  if (cursor & 1) {
    const next = run.events[(cursor >> 1) + 1];
    if (!next) return ["After the last recorded event.", `${e.vm} is in virtual mode ${e.after}.`];
    const steps = next.step - e.step;
    return [
      `Hardware runs ${next.vm} directly, in real mode U and virtual mode ${next.before}.`,
      `${count(steps)} step${steps === 1 ? "" : "s"} from here to the next event, and the VMM is not called in between.`,
    ];
  }
  const mode = e.before === e.after ? `Virtual mode stays ${e.after}.` : `Virtual mode goes from ${e.before} to ${e.after}.`;
  return [
    `${e.kind} in ${e.vm} at pc ${hex(e.pc)}: ${e.text || e.means}.`,
    `${e.cause ? `Hardware called the VMM (real cause: ${e.cause}). ` : ""}` +
      `This is ${e.means}. ${e.guest ? "The VMM hands it to the guest's kernel." : "The VMM does it on the virtual machine."} ${mode} ` +
      `Step ${count(e.step)} of the real machine; ${e.vm}'s own clock says ${count(e.time)}.`,
  ];
}

export function render({ model, el }) {
  const root = make(el, "section", { class: "kit-mv", "aria-label": "Machine view" });
  make(root, "style", {}, STYLE);
  const lamps = make(root, "div", { class: "row" });
  const bar = make(root, "div", { class: "row" });
  const stage = make(root, "div", { class: "lanes", tabindex: 0, role: "group", "aria-label": "Trap timeline. Arrow keys move, plus and minus zoom." });
  legend(make(root, "div", { class: "row", "aria-hidden": "true" }), {
    "hardware runs the guest": HARDWARE, "the VMM does it": VMM, "the VMM hands it to the guest's kernel": GUEST,
  });
  const line = make(root, "p", { class: "words", "aria-live": "polite" });
  const map = make(root, "div");

  let run, lanes, zoom, start, timer;
  const last = () => Math.max(0, 2 * run.events.length - 1);
  const cursor = () => Math.min(Math.max(0, model.get("cursor")), last());
  const width = () => root.clientWidth || 760;
  const room = () => width() - LEFT - 10;

  function move(to) {
    model.set("cursor", Math.min(Math.max(0, to), last()));
    model.save_changes();
  }
  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => (cursor() < last() ? move(cursor() + 1) : play(false)), PLAY_MS) : undefined;
    for (const name of ["aria-label", "title"]) buttons.play.setAttribute(name, on ? "pause" : "play");
    buttons.play.textContent = on ? "pause" : "play";
  }
  function zoomBy(factor, at = room() / 2) {
    const index = start + at / zoom;
    const least = room() / Math.max(1, run.events.length);
    zoom = Math.min(120, Math.max(Math.min(least, 40), zoom * factor));
    start = index - at / zoom;
    drawLanes();
  }

  const buttons = {};
  for (const [name, sign, label, act] of [
    ["first", "|◀", "first event", () => move(0)],
    ["back", "◀", "one half-step back", () => move(cursor() - 1)],
    ["play", "play", "play", () => play(timer === undefined)],
    ["on", "▶", "one half-step on", () => move(cursor() + 1)],
    ["last", "▶|", "last event", () => move(last())],
    ["out", "−", "zoom out", () => zoomBy(1 / 1.5)],
    ["in", "+", "zoom in", () => zoomBy(1.5)],
  ]) {
    buttons[name] = make(bar, "button", { type: "button", "aria-label": label, title: label }, sign);
    buttons[name].addEventListener("click", act);
  }
  const slider = make(bar, "input", { type: "range", min: 0, "aria-label": "position in the run" });
  slider.addEventListener("input", () => move(+slider.value));

  function drawLamps() {
    lamps.replaceChildren();
    const now = cursor(), modes = modesAt(run, now), inVmm = !(now & 1) && run.events.length > 0;
    const group = (title, letters, lit, says, kind) => {
      const box = make(lamps, "div", { class: `lamps ${kind}`, role: "img", "aria-label": `${title}: mode ${lit}, ${says}`, title: says });
      make(box, "span", {}, title);
      for (const letter of letters) make(box, "span", { class: letter === lit ? "lamp lit" : "lamp" }, letter);
    };
    group("real machine", "MSU", inVmm ? "M" : "U", inVmm ? "the VMM is at work" : "hardware runs a guest", "real");
    for (const vm of run.vms) group(vm, "MSU", modes[vm] ?? "M", "the mode the guest believes in", "virtual");
  }

  function drawLanes() {
    stage.replaceChildren();
    const n = run.events.length, height = LANE * lanes.length + 34, now = cursor();
    start = Math.min(Math.max(0, start), Math.max(0, n - room() / zoom));
    const y = Object.fromEntries(lanes.map((lane, k) => [lane.key, 14 + LANE * k + LANE / 2]));
    const x = (i) => LEFT + (i - start + 0.5) * zoom;
    const [first, end] = [Math.max(0, Math.floor(start) - 1), Math.min(n, Math.ceil(start + room() / zoom) + 1)];
    const svg = make(stage, "svg", { role: "img", height, viewBox: `0 0 ${width()} ${height}` });
    make(svg, "title", {}, `Trap timeline, ${count(n)} events. ${words(run, now).join(" ")}`);
    lanes.forEach((lane, k) => {
      const fill = lane.key === "VMM" ? "#d0661a22" : k % 2 ? "#8881" : "#8882";
      make(svg, "rect", { x: 0, y: y[lane.key] - LANE / 2, width: width(), height: LANE, fill });
      make(svg, "text", { x: 6, y: y[lane.key] + 4 }, `${lane.label} (${lane.mode})`);
    });
    const clip = make(svg, "svg", { x: LEFT, y: 0, width: Math.max(0, room() + 10), height, viewBox: `${LEFT} 0 ${room() + 10} ${height}` });
    make(clip, "rect", { x: x(now / 2) - Math.max(3, zoom / 4), y: 8, width: Math.max(6, zoom / 2), height: LANE * lanes.length + 12, fill: "#ffb00055", stroke: "#b5560f", class: "cursor" });
    const paths = { run: "", guest: "", vmm: "" }, half = Math.min(zoom / 6, 8), heads = zoom >= 10;
    for (let i = first; i < end; i++) {
      const e = run.events[i], down = y[`${e.vm} ${e.before}`], up = y[laneAfter(run, i)];
      const kind = e.guest ? "guest" : "vmm", low = y.VMM;
      paths[kind] += `M${x(i) - half} ${down}V${low}H${x(i) + half}V${up}`;
      if (heads) paths[kind] += `m-3 5l3 -5l3 5M${x(i) - half - 3} ${low - 5}l3 5l3 -5`;
      paths.run += `M${x(i) + half} ${up}H${i + 1 < n ? x(i + 1) - half : x(i) + zoom / 2}`;
    }
    make(clip, "path", { d: paths.run, fill: "none", stroke: HARDWARE, "stroke-width": 4 });
    make(clip, "path", { d: paths.guest, fill: "none", stroke: GUEST, "stroke-width": 1.5 });
    make(clip, "path", { d: paths.vmm, fill: "none", stroke: VMM, "stroke-width": 1.5 });
    let free = LEFT;
    for (let i = first; i < end; i++) {
      const label = zoom >= 55 ? run.events[i].kind : count(run.events[i].step), reach = 3.5 * label.length;
      // A number that is cut off would be read as another one.
      if (x(i) < free || x(i) - reach < LEFT || x(i) + reach > LEFT + room() + 10) continue;
      make(clip, "text", { x: x(i), y: height - 4, "text-anchor": "middle" }, label);
      free = x(i) + 70;
    }
    if (zoom < 55) make(svg, "text", { x: 6, y: height - 4 }, "step");
  }

  function drawMap() {
    map.replaceChildren();
    if (!run.regions.length && !run.frames.length) return;
    // While hardware runs a guest, the next event tells which one, and where it is.
    const e = run.events[(cursor() + 1) >> 1] ?? run.events.at(-1), column = 215, box = 30, top = 22;
    const columns = run.vms.map((vm) => run.regions.filter((r) => r.vm === vm).sort((a, b) => a.start - b.start));
    const frames = [...run.frames].sort((a, b) => a.real - b.real);
    const height = top + box * Math.max(1, frames.length, ...columns.map((c) => c.length)) + 6;
    const wide = column * (run.vms.length + (frames.length ? 1 : 0)) + 40;
    const svg = make(map, "svg", { role: "img", viewBox: `0 0 ${wide} ${height}`, style: `max-width:${wide}px` });
    const title = run.regions.map((r) => `${r.vm} ${r.name} at ${hex(r.start)}, ${size(r.size)}, ${r.owner} ${r.rights}`).join("; ");
    make(svg, "title", {}, `Memory map. ${title}`);
    const middle = (k) => top + box * k + box / 2 - 2;
    const cell = (x, k, colour, name, address, bytes, here) => {
      make(svg, "rect", { x, y: top + box * k, width: column - 30, height: box - 4, rx: 3, fill: colour + "33", stroke: colour, "stroke-width": here ? 3 : 1, class: here ? "here" : "" });
      make(svg, "text", { x: x + 6, y: top + box * k + 11, "font-size": 11 }, name);
      make(svg, "text", { x: x + 6, y: top + box * k + 23, "font-size": 10 }, `${hex(address)}  ${size(bytes)}`);
    };
    // Lines first, so that they run behind the boxes; only the current VM's, or they would be a tangle.
    columns.forEach((regions, c) => regions.forEach((r, k) => frames.forEach((f, j) => {
      if (r.vm !== e?.vm || f.vm !== r.vm || f.start >= r.start + r.size || r.start >= f.start + f.size) return;
      const from = (c + 1) * column - 30, to = run.vms.length * column + 10;
      make(svg, "path", { d: `M${from} ${middle(k)}C${from + 20} ${middle(k)} ${to - 20} ${middle(j)} ${to} ${middle(j)}`, fill: "none", stroke: "#888" });
    })));
    columns.forEach((regions, c) => {
      make(svg, "text", { x: c * column, y: 14, "font-weight": "bold" }, `${short(run.vms[c])}: guest-physical`);
      regions.forEach((r, k) => {
        const here = e && e.vm === r.vm && e.pc >= r.start && e.pc < r.start + r.size;
        cell(c * column + 1, k, OWNERS[r.owner] ?? OWNERS.free, `${r.name} ${r.rights}`, r.start, r.size, here);
      });
    });
    if (frames.length) make(svg, "text", { x: run.vms.length * column + 10, y: 14, "font-weight": "bold" }, "real storage");
    frames.forEach((f, j) => cell(run.vms.length * column + 10, j, "#b5560f", `${short(f.vm)}: ${hex(f.start)}`, f.real, f.size, false));
    const used = Object.entries(OWNERS).filter(([owner]) => run.regions.some((r) => r.owner === owner));
    legend(make(map, "div", { class: "row" }), Object.fromEntries(used));
  }

  function draw() {
    const at = cursor() / 2;
    slider.max = last();
    slider.value = cursor();
    slider.setAttribute("aria-valuetext", words(run, cursor()).join(" "));
    if (at < start + 0.5 || at > start + room() / zoom - 1) start = at - room() / zoom / 2;
    drawLamps();
    drawLanes();
    line.replaceChildren();
    const [head, rest] = words(run, cursor());
    make(line, "strong", {}, head);
    line.append(" " + rest);
    if (run.dropped) line.append(` (${count(run.dropped)} earlier events were not kept.)`);
    drawMap();
  }
  function load() {
    run = unpack(model.get("recording") ?? {});
    lanes = lanesOf(run);
    zoom = Math.min(40, Math.max(20, room() / Math.max(1, run.events.length)));
    start = 0;
    draw();
  }

  const keys = {
    ArrowLeft: () => move(cursor() - 1), ArrowRight: () => move(cursor() + 1),
    PageUp: () => move(cursor() - 20), PageDown: () => move(cursor() + 20),
    Home: () => move(0), End: () => move(last()),
    "+": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5),
  };
  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    event.stopPropagation(); // a notebook has other plans for these keys
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  const indexAt = (event) => {
    const box = stage.getBoundingClientRect();
    return start + (((event.clientX - box.left) / box.width) * width() - LEFT) / zoom;
  };
  // A page must still scroll past the timeline: the wheel zooms only where it was clicked before.
  stage.addEventListener("wheel", (event) => {
    if (document.activeElement !== stage && !event.ctrlKey) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { start += event.deltaX / zoom; drawLanes(); }
    else zoomBy(event.deltaY < 0 ? 1.25 : 0.8, (indexAt(event) - start) * zoom);
  }, { passive: false });
  let grip = null;
  stage.addEventListener("pointerdown", (event) => { grip = { x: event.clientX, start, dragged: false }; });
  stage.addEventListener("pointermove", (event) => {
    if (!grip) return;
    if (!grip.dragged && Math.abs(event.clientX - grip.x) > 4) {
      grip.dragged = true; // captured only now: an earlier capture would swallow the click
      stage.setPointerCapture(event.pointerId);
    }
    if (grip.dragged) { start = grip.start - (event.clientX - grip.x) / zoom; drawLanes(); }
  });
  stage.addEventListener("pointerup", (event) => {
    if (grip && !grip.dragged) {
      const at = indexAt(event);
      const half = Math.abs(at - Math.floor(at) - 0.5) < 0.3 ? 0 : 1;
      if (at > start) move(2 * Math.floor(half ? at - 0.5 : at) + half);
      stage.focus();
    }
    grip = null;
  });
  stage.addEventListener("pointercancel", () => { grip = null; });

  const sizes = new ResizeObserver(() => draw());
  load();
  sizes.observe(root);
  model.on("change:recording", load);
  model.on("change:cursor", draw);
  return () => {
    play(false);
    sizes.disconnect();
    model.off("change:recording", load);
    model.off("change:cursor", draw);
  };
}

export default { render };

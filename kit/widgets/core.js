// What all views share: elements, words, the decoded run, and the moment at which all of them look.
//
// A view is a function (root, store, options). `store` is the run of `kit.widgets.run`, decoded once
// on a page however many views it has; whoever moves its moment moves all of them.
//
// A bundle (kit.widgets.bundle) puts STYLE, the shared style sheet, before these files.

const VOID_NODE = "http://www.w3.org/2000/svg";
const BLOCK = 64; // events in one entry of the index of sums
const RUN_U = 0, COST = 4, STEPS = 5, GUEST = 6, EVENTS = 7, SUMS = 8; // sums for each machine
const PLAY_MS = 450;
const FORGOTTEN_MS = 20000;

// -- elements -----------------------------------------------------------------------------------

// Text never becomes markup: it comes from guests.
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  return fill(node, attributes, children);
}
function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(VOID_NODE, tag), attributes, children);
}
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}
// Replaces what an element has, without taking the focus away from what stays alike.
function put(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}
function button(label, text, act, extra = {}) {
  // What is read aloud contains what is seen.
  const name = /\p{L}/u.test(text) ? `${text}: ${label}` : label;
  return h("button", { type: "button", "aria-label": name, title: label, onclick: act, ...extra }, text);
}

const hex = (n, digits = 8) => "0x" + n.toString(16).padStart(digits, "0");
const size = (n) =>
  n >= 2 ** 30 && n % 2 ** 30 === 0 ? `${n / 2 ** 30} GiB`
  : n >= 2 ** 20 ? `${+(n / 2 ** 20).toFixed(n % 2 ** 20 ? 1 : 0)} MiB`
  : n >= 1024 ? `${+(n / 1024).toFixed(1)} KiB` : `${n} B`;
const MODES = ["U", "S", "?", "M"];
const DISPLAY = { clock: new Intl.NumberFormat("en") };
const count = (n) => DISPLAY.clock.format(Math.round(n));
const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");

// A colour of the style sheet as the canvas wants it. Custom properties are resolved by the browser.
function colours(root, names) {
  const probe = h("span", { style: "display:none" });
  root.append(probe);
  const found = {};
  for (const name of names) {
    probe.style.color = `var(--kit-${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}
// Calls `draw` when the page changes between light and dark. Returns what ends that.
function onTheme(draw) {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const seen = new MutationObserver(draw);
  media.addEventListener("change", draw);
  for (const node of [document.documentElement, document.body])
    seen.observe(node, { attributes: true, attributeFilter: ["class", "data-theme", "data-jp-theme-light"] });
  return () => { media.removeEventListener("change", draw); seen.disconnect(); };
}
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
// Draws at most once for each frame of the screen.
function once(draw) {
  let asked = 0;
  return () => { asked ||= requestAnimationFrame(() => { asked = 0; draw(); }); };
}

// -- columns (kit.widgets.packing) ----------------------------------------------------------------

function bytesOf(data) {
  if (data instanceof DataView) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const text = atob(data.base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
async function inflate(data) {
  const stream = new Blob([bytesOf(data)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
async function column(packed) {
  const { count: n, width, delta } = packed, planes = await inflate(packed.data);
  const wide = width === 8 || delta;
  const values = wide ? new Float64Array(n) : width === 1 ? new Uint8Array(n) : width === 2 ? new Uint16Array(n) : new Uint32Array(n);
  if (width === 1) for (let i = 0; i < n; i++) values[i] = planes[i];
  else
    for (let i = 0; i < n; i++) {
      let low = planes[i] | (planes[n + i] << 8), high = 0;
      if (width >= 4) low |= (planes[2 * n + i] << 16) | (planes[3 * n + i] << 24);
      if (width === 8)
        high = planes[4 * n + i] + planes[5 * n + i] * 256 + planes[6 * n + i] * 65536 + planes[7 * n + i] * 16777216;
      values[i] = (low >>> 0) + high * 4294967296;
    }
  if (delta) for (let i = 1; i < n; i++) values[i] += values[i - 1];
  return values;
}
async function plain(packed) {
  return packed && packed.json ? JSON.parse(new TextDecoder().decode(await inflate(packed.data))) : packed;
}
function joined(before, from, after) {
  if (!before || from === 0) return after;
  const kind = before.BYTES_PER_ELEMENT >= after.BYTES_PER_ELEMENT ? before.constructor : after.constructor;
  const all = new kind(from + after.length);
  all.set(before.subarray(0, from));
  all.set(after, from);
  return all;
}
const unzigzag = (n) => (n % 2 ? -(n + 1) / 2 : n / 2);

// The last index of a sorted column whose value is at most `value`; -1 if there is none.
function lastUpTo(values, value, low = 0, high = values.length) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// -- the run --------------------------------------------------------------------------------------

class Store {
  constructor(id) {
    this.id = id;
    this.moment = 0;
    this.machine = 0;
    this.pinned = null;
    this.live = null;
    this.busy = false;
    this.problem = "";
    this.tick = 0;
    this.size = 0;
    this.listeners = new Set();
    this.models = new Set();
    this.texts = {};
  }

  async take(doc) {
    const names = Object.keys(doc.columns);
    const columns = await Promise.all(names.map((name) => column(doc.columns[name])));
    names.forEach((name, k) => { this[name === "text" ? "textOf" : name] = joined(this[name === "text" ? "textOf" : name], doc.first, columns[k]); });
    for (const name of ["title", "machines", "kinds", "causes", "registers", "csrs", "real", "end", "ends", "lost", "frameWords"]) this[name] = doc[name];
    this.size = doc.count;
    for (const [name, first] of [["strings", "firstString"], ["parts", "firstPart"], ["codes", "firstCode"], ["maps", "firstMap"], ["outputs", "firstOutput"]])
      this[name] = [...(this[name] ?? []).slice(0, doc[first]), ...(await plain(doc[name]))];
    if (doc.listing) this.listings = (await plain(doc.listing)).map(readListing);
    this.costs = Float64Array.from(this.kinds, (kind) => kind.cost);
    await this.takeFrames(doc);
    this.index();
    this.tick++;
  }

  // Frames arrive as differences from the frame before of the same machine.
  async takeFrames(doc) {
    const [events, words] = [await column(doc.frameEvents), await column(doc.frames)];
    const width = doc.frameWords, known = new Map();
    for (let k = 0; k < events.length; k++) {
      const at = k * width, machine = this.vm[events[k]], before = known.get(machine);
      if (before !== undefined) for (let w = 0; w < width; w++) words[at + w] ^= words[before + w];
      known.set(machine, at);
    }
    const from = lastUpTo(this.frameEvents ?? [], doc.first - 1) + 1;
    this.frames = joined(this.frames, from * width, words);
    this.frameEvents = joined(this.frameEvents, from, events);
  }

  // Sums up to every BLOCK-th event, and each machine's last event before it.
  index() {
    const n = this.size, machines = this.machines.length, width = machines * SUMS;
    const blocks = Math.floor(n / BLOCK) + 1;
    this.sums = new Float64Array(blocks * width);
    this.lasts = new Int32Array(blocks * machines).fill(-1);
    const now = new Float64Array(width), last = new Int32Array(machines).fill(-1);
    for (let i = 0; i < n; i++) {
      if (i % BLOCK === 0) { this.sums.set(now, (i / BLOCK) * width); this.lasts.set(last, (i / BLOCK) * machines); }
      this.add(now, i, this.run[i], this.costs[this.kind[i]], 1);
      last[this.vm[i]] = i;
    }
    if (n % BLOCK === 0) { this.sums.set(now, (n / BLOCK) * width); this.lasts.set(last, (n / BLOCK) * machines); }
    this.sumWidth = width;
    this.modesSeen = this.machines.map(() => new Set());
    for (let i = 0; i < n; i++) { const m = this.mode[i]; this.modesSeen[this.vm[i]].add(m & 3).add((m >> 2) & 3); }
  }
  add(sums, i, run, cost, whole) {
    const at = this.vm[i] * SUMS, kind = this.kinds[this.kind[i]];
    sums[at + RUN_U + (this.mode[i] & 3)] += run;
    sums[at + COST] += cost;
    if (!whole) return;
    sums[at + STEPS] += kind.step ? 1 : 0;
    sums[at + GUEST] += kind.handler === "guest" ? 1 : 0;
    sums[at + EVENTS] += 1;
  }

  // All sums at a clock, into `into`: events are counted when they have begun.
  sumsAt(clock, into = new Float64Array(this.sumWidth)) {
    const e = lastUpTo(this.t, clock, 0, this.size), block = Math.floor((e + 1) / BLOCK);
    into.set(this.sums.subarray(block * this.sumWidth, (block + 1) * this.sumWidth));
    for (let i = block * BLOCK; i <= e; i++) this.add(into, i, this.run[i], this.costs[this.kind[i]], 1);
    if (e >= 0) {
      const left = this.t[e] + this.costs[this.kind[e]] - clock;
      if (left > 0) into[this.vm[e] * SUMS + COST] -= left;
    }
    if (e + 1 < this.size) {
      const part = clock - (this.t[e + 1] - this.run[e + 1]);
      if (part > 0) into[this.vm[e + 1] * SUMS + RUN_U + (this.mode[e + 1] & 3)] += part;
    }
    return into;
  }

  // -- where a moment is --------------------------------------------------------------------------

  get last() { return Math.max(this.end, 0); }
  eventAt(clock = this.moment) { return lastUpTo(this.t, clock, 0, this.size); }
  costOf(e) { return this.costs[this.kind[e]]; }
  endOf(e) { return this.t[e] + this.costOf(e); }
  inVmm(clock = this.moment) {
    const e = this.eventAt(clock);
    return e >= 0 && clock < this.endOf(e);
  }
  // Is an event shown as happening now?
  atEvent(clock = this.moment) {
    const e = this.eventAt(clock);
    return e >= 0 && (clock === this.t[e] || clock < this.endOf(e)) ? e : -1;
  }
  // The machine that hardware runs at a clock, or -1 while the VMM is at work or all wait.
  running(clock = this.moment) {
    if (this.inVmm(clock)) return -1;
    const e = this.eventAt(clock), next = e + 1;
    if (next >= this.size) return -1;
    return clock >= this.t[next] - this.run[next] ? this.vm[next] : -1;
  }
  lastOf(machine, clock = this.moment) {
    const e = this.eventAt(clock), machines = this.machines.length, block = Math.floor((e + 1) / BLOCK);
    for (let i = e; i >= block * BLOCK; i--) if (this.vm[i] === machine) return i;
    return this.lasts[block * machines + machine];
  }
  nextOf(machine, e) {
    for (let i = e + 1; i < this.size; i++) if (this.vm[i] === machine) return i;
    return -1;
  }
  modeOf(machine, clock = this.moment) {
    const now = this.live?.moment === clock ? this.live.modes?.[machine] : undefined;
    if (now !== undefined) return now;
    const e = this.lastOf(machine, clock);
    if (e < 0) { const first = this.nextOf(machine, -1); return first < 0 ? 3 : this.mode[first] & 3; }
    const within = this.costOf(e) > 0 && clock < this.endOf(e);
    return within ? this.mode[e] & 3 : (this.mode[e] >> 2) & 3;
  }
  stateOf(machine, clock = this.moment) {
    const ended = this.ends.find((row) => row[1] === machine && row[0] <= clock);
    if (ended) return ended[2];
    if (this.running(clock) === machine) return "running";
    const e = this.lastOf(machine, clock);
    if (e >= 0 && clock < this.endOf(e)) return "vmm";
    if (e >= 0 && this.mode[e] & 16) return "waiting";
    return "ready";
  }
  // The moments before and after one: where an event begins, and where hardware goes on.
  after(clock = this.moment) {
    const e = this.eventAt(clock);
    if (e >= 0 && clock < this.endOf(e) && (e + 1 >= this.size || this.t[e + 1] > this.endOf(e))) return this.endOf(e);
    return e + 1 < this.size ? this.t[e + 1] : this.last;
  }
  before(clock = this.moment) {
    const e = this.eventAt(clock);
    if (e < 0) return 0;
    if (clock > this.endOf(e)) return this.endOf(e);
    if (clock > this.t[e]) return this.t[e];
    if (e === 0) return 0;
    return Math.max(this.t[e - 1], Math.min(this.endOf(e - 1), this.t[e] - 1));
  }
  // The next or previous event of some kinds.
  find(ids, from, way) {
    const wanted = this.kinds.map((kind) => ids.includes(kind.id));
    for (let i = from; i >= 0 && i < this.size; i += way) if (wanted[this.kind[i]]) return i;
    return -1;
  }

  // -- registers, maps, outputs -------------------------------------------------------------------

  // The registers of a machine, as {words, before, event}; `before` is the frame before them.
  frameOf(machine, clock = this.moment) {
    const live = this.live?.frames?.[machine];
    if (live && this.live.moment === clock) return { words: live.words, before: live.before, event: -1, exact: true };
    const e = this.eventAt(clock);
    let k = lastUpTo(this.frameEvents, e);
    while (k >= 0 && this.vm[this.frameEvents[k]] !== machine) k--;
    const initial = this.machines[machine]?.initial;
    if (k < 0) return initial ? { words: initial, before: null, event: -1, exact: this.lastOf(machine, clock) < 0 } : null;
    const width = this.frameWords;
    let j = k - 1;
    while (j >= 0 && this.vm[this.frameEvents[j]] !== machine) j--;
    const cut = (n) => this.frames.subarray(n * width, (n + 1) * width);
    const event = this.frameEvents[k];
    return { words: cut(k), before: j < 0 ? null : cut(j), event, exact: event === this.lastOf(machine, clock) };
  }
  mapOf(machine, clock = this.moment) {
    const live = this.live?.maps?.[machine];
    if (live && this.live.moment === clock) return { clock, guest: live[0], frames: live[1] ?? [], shadow: live[2] ?? [] };
    let found = null;
    for (const row of this.maps) {
      if (row[1] !== machine) continue;
      if (row[0] > clock && found) break;
      found = row;
    }
    if (!found) return null;
    const [at, , guest, frames, shadow] = found;
    return { clock: at, guest: this.parts[guest], frames: this.parts[frames] ?? [], shadow: this.parts[shadow] ?? [] };
  }
  outputOf(machine, what, clock = this.moment) {
    return this.outputs.filter((row) => row[1] === machine && row[0] <= clock && row[2] === what);
  }

  // -- moving -------------------------------------------------------------------------------------

  go(clock, from = null) {
    const to = Math.min(Math.max(0, clock), this.last);
    if (to === this.moment && from === null) return;
    this.moment = to;
    if (from === null) this.tell({ moment: to });
    this.changed();
  }
  choose(machine) {
    if (machine === this.machine) return;
    this.machine = machine;
    this.tell({ machine });
    this.changed();
  }
  goToEvent(e) {
    if (e < 0 || e >= this.size) return;
    this.machine = this.vm[e];
    this.go(this.t[e]);
  }
  tell(values) {
    for (const model of this.models) {
      for (const [name, value] of Object.entries(values)) model.set(name, value);
      model.save_changes();
    }
  }
  // Asks Python, if there is one: {action, ...}.
  ask(request) {
    for (const model of this.models) { model.send(request); return true; }
    return false;
  }
  changed() { for (const listener of [...this.listeners]) listener(); }
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // -- words --------------------------------------------------------------------------------------

  say(id, values = {}) {
    let text = values.count === 1 ? this.texts[`${id}.one`] ?? this.texts[id] : this.texts[id];
    if (text === undefined) return id;
    for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{${name}}`, value);
    return text;
  }
  name(machine) { return this.machines[machine]?.name ?? ""; }
  kindOf(e) { return this.kinds[this.kind[e]]; }
  what(e) {
    const [id, argument] = this.strings[this.textOf[e]];
    const it = id === "event.trap" || id === "event.interrupt" ? this.causes[argument] ?? argument : argument;
    return this.say(id, { it, value: hex(this.value[e]), data: hex(this.data[e], 1) });
  }
  headline(e) { return `${this.say(`kind.${this.kindOf(e).id}`)}: ${this.what(e)}`; }
  // The moment in two sentences: what happens, and what it means.
  words(clock = this.moment) {
    if (!this.size) return [this.say("moment.none"), ""];
    const e = this.eventAt(clock), at = this.atEvent(clock);
    if (at >= 0) {
      const kind = this.kindOf(at), [before, after] = [this.mode[at] & 3, (this.mode[at] >> 2) & 3];
      const modes = before === after ? this.say("moment.mode_stays", { mode: MODES[after] }) : this.say("moment.mode_changes", { before: MODES[before], after: MODES[after] });
      const called = this.cause && this.cause[at] !== 255 ? this.say("moment.called", { cause: this.causes[this.cause[at] & 128 ? 2 ** 31 + (this.cause[at] & 127) : this.cause[at]] ?? "" }) : "";
      const cost = kind.cost ? this.say("moment.cost", { count: count(kind.cost) }) : "";
      return [
        `${this.name(this.vm[at])} · ${this.headline(at)}`,
        [called, this.say(`means.${kind.id}`), this.say(`handler.${kind.handler}`), modes, cost].filter(Boolean).join(" "),
      ];
    }
    const machine = this.running(clock);
    if (machine < 0) return e + 1 >= this.size ? [this.say("moment.over"), ""] : [this.say("moment.idle"), ""];
    const mode = MODES[this.mode[e + 1] & 3], left = this.t[e + 1] - clock;
    const virtual = this.machines[machine].virtual;
    return [
      this.say(virtual ? "moment.direct" : "moment.bare", { vm: this.name(machine), mode }),
      this.say("moment.until", { count: left === 1 ? 1 : count(left) }),
    ];
  }
}

function readListing(listing) {
  const byAddress = new Map(listing.rows.map((row, k) => [row[0], k]));
  return { rows: listing.rows, byAddress, source: listing.source };
}

// -- one store for each run of a page -------------------------------------------------------------

const STORES = (globalThis[Symbol.for("vmm-kit.runs.2")] ??= new Map());

async function storeOf(model) {
  const given = model.get("run");
  let doc = given, run = null;
  if (typeof given === "string") {
    run = await model.widget_manager.get_model(given.replace("IPY_MODEL_", ""));
    doc = run.get("document");
  }
  let known = STORES.get(doc.id);
  if (!known) {
    const store = new Store(doc.id);
    known = store.take(doc).then(() => store);
    STORES.set(doc.id, known);
    store.moment = run ? run.get("moment") : model.get("moment") ?? 0;
    store.machine = run ? run.get("machine") : model.get("machine") ?? 0;
    if (run) connect(store, run);
  }
  const store = await known;
  // The run went on since the first view of it was made.
  if (doc.count > store.size && !store.driven) await store.take(doc);
  store.texts = { ...store.texts, ...model.get("texts") };
  return store;
}

// A run that nobody looks at any more need not stay in the page's memory.
function forgetLater(store) {
  if (store.models.size) return; // Python may still tell more of it
  setTimeout(() => { if (!store.listeners.size) STORES.delete(store.id); }, FORGOTTEN_MS);
}

// Ties a store to the run's model in a notebook, through which Python moves it and is moved.
function connect(store, run) {
  store.models.add(run);
  store.driven = run.get("driven");
  run.on("change:document", async () => { await store.take(run.get("document")); store.changed(); });
  run.on("change:moment", () => store.go(run.get("moment"), run));
  run.on("change:machine", () => { store.machine = run.get("machine"); store.changed(); });
  let turn = Promise.resolve();
  run.on("msg:custom", (message, buffers) => {
    turn = turn.then(async () => {
      if (message.part) await store.take(restored(message.part, buffers));
      for (const name of ["live", "busy", "problem", "room"]) if (name in message) store[name] = message[name];
      for (const [machine, listing] of Object.entries(message.live?.listings ?? {})) message.live.listings[machine] = readListing(listing);
      store.answer = message.answer ?? "";
      store.walk = message.walk ?? null;
      if ("moment" in message) store.moment = message.moment;
      store.changed();
    });
  });
}
// Bytes travel beside a message; {buffer: n} stands for them.
function restored(value, buffers) {
  if (Array.isArray(value)) return value.map((one) => restored(one, buffers));
  if (value && typeof value === "object") {
    if (typeof value.buffer === "number") return buffers[value.buffer];
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, restored(one, buffers)]));
  }
  return value;
}

function addStyle() {
  if (document.getElementById("vmm-kit-style")) return;
  document.head.append(h("style", { id: "vmm-kit-style" }, STYLE));
}

// Makes a view's function a widget's module.
function widget(view, title) {
  return {
    async render({ model, el }) {
      addStyle();
      const store = await storeOf(model);
      const root = h("section", { class: `kit kit-${title}`, "aria-label": store.say(`${title}.title`) });
      el.replaceChildren(root);
      const options = model.get("options") ?? {};
      const end = view(root, store, { transport: true, ...options });
      return () => { end(); forgetLater(store); };
    },
  };
}

// -- parts of views -------------------------------------------------------------------------------

// The bar that every view has: where we are, and buttons to go elsewhere.
function transport(root, store, { title }) {
  const heading = h("div", { class: "kit-title" }, store.say(`${title}.title`), title === "overview" && store.title ? h("span", { class: "kit-soft" }, ` · ${store.title}`) : null);
  const slider = h("input", {
    type: "range", min: 0, step: "any", "aria-label": store.say("moment.position"),
    oninput: () => store.go(store.t[Math.max(0, store.eventAt(+slider.value))] ?? 0),
  });
  const clock = h("output", { class: "kit-clock" });
  let timer;
  const play = (on) => {
    clearInterval(timer);
    timer = on ? setInterval(() => (store.moment < store.last ? store.go(store.after()) : play(false)), PLAY_MS) : undefined;
    const label = store.say(on ? "moment.pause" : "moment.play");
    fill(playing, { "aria-label": label, title: label, "aria-pressed": on ? "true" : "false" }, []);
    playing.textContent = on ? "❙❙" : "▶";
  };
  const playing = button(store.say("moment.play"), "▶", () => play(timer === undefined), { class: "kit-play", "aria-pressed": "false" });
  const bar = h("div", { class: "kit-bar" }, heading,
    h("div", { class: "kit-buttons", role: "group", "aria-label": store.say("moment.move") },
      button(store.say("moment.first"), "|◀◀", () => store.go(0)),
      button(store.say("moment.back"), "◀|", () => store.go(store.before())),
      playing,
      button(store.say("moment.on"), "|▶", () => store.go(store.after())),
      button(store.say("moment.last"), "▶▶|", () => store.go(store.last))),
    slider, clock);
  root.append(bar);
  return {
    update() {
      slider.max = store.last;
      slider.value = store.moment;
      const words = store.words();
      slider.setAttribute("aria-valuetext", words.join(" "));
      put(clock, store.say("moment.cycle", { clock: count(store.moment) }));
    },
    end: () => play(false),
  };
}

// Keys that every view knows. A notebook has other plans for them, so they go no farther.
function keys(root, store, more = {}) {
  const act = {
    ArrowLeft: () => store.go(store.before()), ArrowRight: () => store.go(store.after()),
    PageUp: () => store.goToEvent(Math.max(0, store.eventAt() - 20)),
    PageDown: () => store.goToEvent(Math.min(store.size - 1, store.eventAt() + 20)),
    Home: () => store.go(0), End: () => store.go(store.last), ...more,
  };
  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const field = event.target.closest("input:not([type=range]), select, textarea, .xterm, [role=tab]");
    event.stopPropagation();
    if (field || !(event.key in act)) return;
    event.preventDefault();
    act[event.key]();
  });
}

// Buttons, one of which is pressed: which machine, which part.
function choice(label, names, chosen, choose) {
  return h("div", { class: "kit-choice", role: "group", "aria-label": label },
    names.map((name, k) => h("button", { type: "button", "aria-pressed": k === chosen ? "true" : "false", onclick: () => choose(k) }, name)));
}
function machines(store) {
  if (store.machines.length < 2) return null;
  return choice(store.say("machine.which"), store.machines.map((one) => one.name), store.machine, (k) => store.choose(k));
}

// Three lamps, one of which is lit.
function lamps(title, lit, says, kind) {
  return h("span", { class: `kit-lamps ${kind}`, role: "img", "aria-label": `${title}: ${says}`, title: says },
    h("span", { class: "kit-lampname" }, title),
    ["M", "S", "U"].map((letter) => h("span", { class: letter === lit ? "kit-lamp lit" : "kit-lamp", "aria-hidden": "true" }, letter)));
}
function allLamps(store, only = null) {
  const list = [], now = store.inVmm(), virtual = store.machines.some((one) => one.virtual);
  if (virtual) {
    const idle = !now && store.running() < 0;
    const says = now ? store.say("lamp.vmm") : idle ? store.say("lamp.idle") : store.say("lamp.direct", { vm: store.name(store.running()) });
    list.push(lamps(store.say("lamp.real"), now || idle ? "M" : "U", says, "real"));
  }
  store.machines.forEach((one, k) => {
    if (only !== null && k !== only) return;
    const mode = MODES[store.modeOf(k)];
    list.push(lamps(one.name, mode, store.say(one.virtual ? "lamp.virtual" : "lamp.bare", { mode }), one.virtual ? "virtual" : "real"));
  });
  return list;
}

// A list of what colours mean, for those who see them.
function legend(items) {
  return h("div", { class: "kit-legend" }, items.map(([kind, text]) => h("span", {}, h("span", { class: `kit-key ${kind}`, "aria-hidden": "true" }), text)));
}

// The events around the moment as a table, which needs no eyes for the pictures.
function eventTable(store, options = {}) {
  const details = h("details", { class: "kit-table" });
  const body = h("tbody");
  const ids = [...new Set(store.kinds.map((kind) => kind.id))];
  const filter = h("select", { "aria-label": store.say("table.filter") },
    h("option", { value: "" }, store.say("table.all")), ids.map((id) => h("option", { value: id }, store.say(`kind.${id}`))));
  const jump = (way) => {
    const from = store.eventAt() + way, e = filter.value ? store.find([filter.value], from, way) : from;
    store.goToEvent(e);
  };
  details.append(
    h("summary", {}, store.say("table.title")),
    h("div", { class: "kit-row" }, filter, button(store.say("table.previous"), "↑", () => jump(-1)), button(store.say("table.next"), "↓", () => jump(1))),
    h("table", {},
      h("thead", {}, h("tr", {}, ["clock", "machine", "mode", "pc", "event", "cost"].map((name) => h("th", { scope: "col" }, store.say(`table.${name}`))))),
      body));
  const rowsAround = () => {
    const at = Math.max(0, store.eventAt()), found = [];
    const fits = (i) => !filter.value || store.kindOf(i).id === filter.value;
    for (let i = at, left = 4; i >= 0 && left >= 0; i--) if (fits(i)) { found.unshift(i); left--; }
    for (let i = at + 1; i < store.size && found.length < 12; i++) if (fits(i)) found.push(i);
    return found;
  };
  const update = () => {
    if (!details.open) return;
    const now = store.eventAt();
    put(body, rowsAround().map((i) => {
      const [before, after] = [store.mode[i] & 3, (store.mode[i] >> 2) & 3];
      return h("tr", i === now ? { "aria-current": "true" } : {},
        h("td", { class: "num" }, h("button", { type: "button", class: "kit-link", onclick: () => store.goToEvent(i) }, count(store.t[i]))),
        h("td", {}, store.name(store.vm[i])),
        h("td", {}, before === after ? MODES[before] : `${MODES[before]} → ${MODES[after]}`),
        h("td", { class: "mono" }, hex(store.pc[i])),
        h("td", {}, store.headline(i)),
        h("td", { class: "num" }, store.costOf(i) ? count(store.costOf(i)) : ""));
    }));
  };
  details.addEventListener("toggle", update);
  filter.addEventListener("change", update);
  return { node: details, update };
}

export { addStyle, h, s, fill, put, button, hex, size, count, percent, MODES, DISPLAY, colours, onTheme, calm, once, lastUpTo, Store, widget, transport, keys, choice, machines, lamps, allLamps, legend, eventTable, unzigzag, RUN_U, COST, STEPS, GUEST, EVENTS, SUMS };

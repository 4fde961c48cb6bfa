// The devices of one machine: card reader, line printer, disk and terminal, as they were at a moment.
/* global KitXterm */
import { widget, h, s, put, button, count, transport, keys, machines, legend, colours, onTheme } from "./core.js";

const COLUMNS = 80, CARD = { width: 560, height: 248, left: 16, top: 34, x: 6.62, y: 16.6 };
const SHEETS = 3; // pages of paper that are shown
const CELLS = 128; // blocks of the disk in a row

// The holes of a character as the IBM 029 punched it: rows 12, 11 and 0 to 9 from top to bottom.
const SPECIAL = {
  "&": "12", "-": "11", "/": "0 1", ".": "12 3 8", "<": "12 4 8", "(": "12 5 8", "+": "12 6 8", "|": "12 7 8", "!": "11 2 8", $: "11 3 8", "*": "11 4 8",
  ")": "11 5 8", ";": "11 6 8", ",": "0 3 8", "%": "0 4 8", _: "0 5 8", ">": "0 6 8", "?": "0 7 8", ":": "2 8", "#": "3 8", "@": "4 8", "'": "5 8", "=": "6 8", '"': "7 8",
};
function holes(character) {
  const c = character.toUpperCase(), code = c.charCodeAt(0);
  if (c >= "0" && c <= "9") return [+c];
  if (c >= "A" && c <= "I") return [12, code - 64];
  if (c >= "J" && c <= "R") return [11, code - 73];
  if (c >= "S" && c <= "Z") return [0, code - 81];
  return (SPECIAL[c] ?? "").split(" ").filter(Boolean).map(Number);
}
const rowOf = (row) => (row === 12 ? 0 : row === 11 ? 1 : row + 2);

function cardPicture(store, text) {
  const { width, height, left, top, x, y } = CARD;
  const svg = s("svg", { class: "kit-card", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": store.say("devices.card", { text: text.trimEnd() || store.say("devices.blank") }) },
    s("path", { class: "stock", d: `M26 1H${width - 3}a2 2 0 0 1 2 2V${height - 3}a2 2 0 0 1-2 2H3a2 2 0 0 1-2-2V30Z` }));
  let path = "";
  [...text.slice(0, COLUMNS)].forEach((character, column) => {
    for (const row of holes(character)) path += `M${left + column * x} ${top + rowOf(row) * y}h3.4v9.5h-3.4z`;
    if (character !== " ") svg.append(s("text", { x: left + column * x + 1.7, y: 20, "font-size": 10, "text-anchor": "middle", "font-family": "monospace" }, character));
  });
  for (let row = 0; row < 10; row++) for (let column = 4; column < COLUMNS; column += 10)
    svg.append(s("text", { x: left + column * x, y: top + (row + 2) * y + 8, "font-size": 7, opacity: 0.45, "font-family": "monospace" }, row));
  svg.append(s("path", { class: "hole", d: path }));
  return svg;
}

// The text that is on the paper, as sheets; what came with the last event is marked.
function sheets(rows, moment) {
  const pages = [[]];
  for (const [clock, , , text] of rows) {
    if (text === "\f") { pages.push([]); continue; }
    pages.at(-1).push([text.replace(/\n$/, ""), clock]);
  }
  if (pages.length > 1 && !pages.at(-1).length) pages.pop();
  return pages;
}

function devices(root, store, options = {}) {
  const bar = options.transport ? transport(root, store, { title: "devices" }) : null;
  const top = h("div", { class: "kit-row" });
  const reader = h("div"), paper = h("div", { class: "kit-fanfold", tabindex: 0, role: "region", "aria-label": store.say("devices.printer") });
  const printed = h("div", { class: "kit-soft" });
  const diskCanvas = h("canvas", { class: "kit-disk", role: "img" });
  const diskWords = h("div", { class: "kit-soft" }), diskBox = h("div", {}, h("div", { class: "kit-h" }, store.say("devices.disk")), diskCanvas, diskWords, legend([["user", store.say("devices.read")], ["kernel", store.say("devices.written")], ["free", store.say("devices.untouched")]]));
  const screen = h("div", { class: "kit-terminal" });
  const hint = h("div", { class: "kit-soft" });
  const screenBox = h("div", {}, h("div", { class: "kit-h" }, store.say("devices.terminal")), screen, hint);
  const live = store.driven && options.drive !== false;
  const cards = live ? feeding(store) : null;
  root.append(top, h("div", { class: "kit-desk" },
    h("div", {}, h("div", { class: "kit-h" }, store.say("devices.reader")), reader, cards, diskBox),
    h("div", {}, h("div", { class: "kit-h" }, store.say("devices.printer")), paper, printed, screenBox)));
  let theme = null, shown = { machine: -1, text: null, paper: "" };
  const terminal = openTerminal(screen, store, live);

  function drawReader(machine) {
    const all = store.outputs.filter((row) => row[1] === machine && row[2] === "card"), fed = all.filter((row) => row[0] <= store.moment);
    const left = all.length - fed.length + (store.room?.[store.name(machine)]?.hopper ?? store.machines[machine].hopper);
    put(reader, fed.length ? cardPicture(store, fed.at(-1)[3]) : h("p", { class: "kit-soft" }, store.say("devices.no_card")),
      h("div", { class: "kit-soft" }, store.say("devices.cards", { read: count(fed.length), left: count(left) })));
  }
  function drawPaper(machine) {
    const rows = store.outputOf(machine, "paper"), pages = sheets(rows, store.moment), last = rows.at(-1)?.[0];
    const key = `${machine} ${rows.length}`;
    const lines = pages.reduce((sum, page) => sum + page.length, 0);
    put(printed, store.say("devices.printed", { lines: count(lines), pages: count(lines ? pages.length : 0) }));
    if (key === shown.paper) return;
    shown.paper = key;
    const fresh = (clock) => clock >= Math.max(store.t[Math.max(0, store.eventAt())] ?? 0, 0) && clock === last;
    put(paper, pages.slice(-SHEETS).map((page) => h("div", { class: "kit-sheet" }, page.length ? page.map(([text, clock]) => h("div", fresh(clock) ? { class: "fresh" } : {}, text || " ")) : "\n\n\n")));
    paper.scrollTop = paper.scrollHeight;
  }
  // Each cell is some sectors of the disk: read, written or both; the last request is framed.
  function drawDisk(machine) {
    const total = store.machines[machine].disk;
    diskBox.hidden = !total;
    if (!total) return;
    theme ??= colours(root, ["panel", "line", "user", "kernel", "ink", "paper"]);
    const rows = Math.min(24, Math.ceil(total / CELLS)), each = Math.max(1, total / (CELLS * rows)), side = 5;
    diskCanvas.width = CELLS * side;
    diskCanvas.height = rows * side;
    const pen = diskCanvas.getContext("2d");
    const touched = new Map();
    let reads = 0, writes = 0, last = null;
    for (const [clock, who, what, text] of store.outputs) {
      if (who !== machine || clock > store.moment || !what.startsWith("disk ")) continue;
      const [sector, sectors] = text.split(" ").map(Number), bit = what === "disk read" ? 1 : 2;
      if (bit === 1) reads += sectors; else writes += sectors;
      for (let n = sector; n < sector + sectors; n++) touched.set(Math.floor(n / each), (touched.get(Math.floor(n / each)) ?? 0) | bit);
      last = [what, sector, sectors];
    }
    for (let cell = 0; cell < CELLS * rows; cell++) {
      const bits = touched.get(cell) ?? 0, [px, py] = [(cell % CELLS) * side, Math.floor(cell / CELLS) * side];
      pen.fillStyle = bits & 2 ? theme.kernel : bits ? theme.user : theme.panel;
      pen.fillRect(px, py, side - 1, side - 1);
      if (bits === 3) { pen.fillStyle = theme.user; pen.fillRect(px, py, (side - 1) / 2, side - 1); }
    }
    if (last) { const cell = Math.floor(last[1] / each); pen.strokeStyle = theme.ink; pen.strokeRect((cell % CELLS) * side - 0.5, Math.floor(cell / CELLS) * side - 0.5, side, side); }
    const words = store.say("devices.blocks", { reads: count(reads), writes: count(writes), all: count(total) });
    diskCanvas.setAttribute("aria-label", words);
    put(diskWords, words, last ? ` ${store.say(last[0] === "disk read" ? "devices.last_read" : "devices.last_write", { sector: count(last[1]), count: last[2] })}` : "");
  }
  function drawTerminal(machine) {
    const text = store.outputOf(machine, "console").map((row) => row[3]).join("");
    if (machine === shown.machine && text === shown.text) return;
    const goesOn = machine === shown.machine && shown.text !== null && text.startsWith(shown.text);
    if (!goesOn) terminal.reset();
    terminal.write(goesOn ? text.slice(shown.text.length) : text);
    shown.machine = machine;
    shown.text = text;
    screenBox.hidden = !live && !store.outputs.some((row) => row[1] === machine && row[2] === "console");
    put(hint, live ? store.say("devices.type") : "");
  }
  function update() {
    put(top, machines(store));
    bar?.update();
    drawReader(store.machine);
    drawPaper(store.machine);
    drawDisk(store.machine);
    drawTerminal(store.machine);
  }
  keys(root, store);
  update();
  const ends = [store.listen(update), onTheme(() => { theme = null; update(); }), () => bar?.end(), () => terminal.end()];
  return () => ends.forEach((end) => end());
}

// Cards for the reader, as an operator writes them.
function feeding(store) {
  const text = h("textarea", { rows: 2, class: "mono", style: "width:100%;max-width:560px", "aria-label": store.say("devices.deck"), placeholder: store.say("devices.deck") });
  const feed = () => { store.ask({ action: "feed", machine: store.machine, cards: text.value }); text.value = ""; };
  return h("div", {}, text, button(store.say("devices.feed"), store.say("devices.feed_short"), feed));
}

// A whole terminal where the page has one, or else plain text.
function openTerminal(node, store, live) {
  if (typeof KitXterm === "undefined") {
    const pre = h("pre", { class: "kit-console", tabindex: 0, role: "region", "aria-label": store.say("devices.terminal") });
    node.append(pre);
    node.classList.remove("kit-terminal");
    let text = "";
    const plain = (data) => data.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
    return { reset() { text = ""; }, write(data) { text += data; pre.textContent = utf8(plain(text)); pre.scrollTop = pre.scrollHeight; }, end() {} };
  }
  if (!document.getElementById("vmm-kit-xterm")) document.head.append(h("style", { id: "vmm-kit-xterm" }, KitXterm.style));
  const terminal = new KitXterm.Terminal({ rows: 12, cols: 80, fontSize: 12, convertEol: true, screenReaderMode: true, disableStdin: !live, scrollback: 5000, cursorBlink: false, theme: { background: "#11151a", foreground: "#e6e6e6" } });
  const fit = new KitXterm.FitAddon();
  terminal.loadAddon(fit);
  terminal.open(node);
  const sizes = new ResizeObserver(() => { const wide = fit.proposeDimensions(); if (wide?.cols > 20) terminal.resize(wide.cols, 12); });
  sizes.observe(node);
  // Tab is for the guest; after Escape it leaves, so that nobody is caught in here.
  let leaving = false;
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type !== "keydown") return true;
    const out = leaving && event.key === "Tab";
    leaving = event.key === "Escape" || (leaving && event.key === "Shift");
    return !out;
  });
  terminal.onData((data) => live && store.ask({ action: "type", machine: store.machine, text: data }));
  terminal.textarea?.setAttribute("aria-label", store.say("devices.terminal"));
  return { reset: () => terminal.reset(), write: (data) => terminal.write(Uint8Array.from(data, (c) => c.charCodeAt(0))), end: () => { sizes.disconnect(); terminal.dispose(); } };
}
// A console's bytes come as characters from 0 to 255.
const utf8 = (text) => new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0)));

export { devices, utf8 };
export default widget(devices, "devices");

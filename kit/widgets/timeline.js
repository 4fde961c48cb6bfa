// The trap timeline: who executes at each moment, and every trap as an arrow.
//
// While events lie far enough apart, each is drawn. Where many share a pixel, the height of a lane
// says which part of that time was spent in it: from the sums of the store, so a million events cost
// no more than a thousand.
import { widget, h, put, button, count, MODES, colours, onTheme, once, transport, keys, allLamps, legend, eventTable, SUMS, RUN_U, COST } from "./core.js";

const GUTTER = 132, LANE_HEIGHT = 24, GROUP_GAP = 8, AXIS = 22, STRIP = 30, APART = 5; // pixels
const COLOURS = ["paper", "panel", "line", "ink", "soft", "user", "kernel", "firmware", "vmm", "free", "mark", "fault"];
const ROLE = { U: "user", S: "kernel", M: "firmware" };

// The lanes from top to bottom: the modes of each machine that occur, then the VMM.
function lanesOf(store) {
  const lanes = [];
  store.machines.forEach((one, machine) => {
    const seen = [...store.modesSeen[machine]].filter((mode) => mode !== 2).sort();
    seen.forEach((mode, k) => {
      const letter = MODES[mode], role = letter === "M" && !seen.includes(1) ? "kernel" : ROLE[letter];
      lanes.push({ machine, mode, role, label: store.say(`lane.${role}`), letter, first: k === 0, name: one.name });
    });
  });
  if (store.machines.some((one) => one.virtual)) lanes.push({ machine: -1, mode: 3, role: "vmm", label: store.say("lane.vmm"), letter: "M", first: true, name: "" });
  let y = 4;
  for (const lane of lanes) {
    if (lane.first && y > 4) y += GROUP_GAP;
    lane.y = y;
    y += LANE_HEIGHT;
  }
  lanes.height = y + AXIS;
  return lanes;
}

function ticks(from, to, room) {
  const rough = ((to - from) * 90) / room, unit = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= rough) ?? rough;
  const found = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) found.push(t);
  return found;
}

function timeline(root, store, options = {}) {
  const bar = options.transport ? transport(root, store, { title: "timeline" }) : null;
  const lampRow = options.lamps === false ? null : h("div", { class: "kit-row" });
  const canvas = h("canvas", { "aria-hidden": "true" });
  const tip = h("div", { class: "kit-tip", hidden: true });
  const stage = h("div", { class: "kit-stage", tabindex: 0, role: "slider", "aria-label": store.say("timeline.stage"), "aria-valuemin": 0, "aria-orientation": "horizontal" }, canvas, tip);
  const strip = h("canvas", { "aria-hidden": "true" });
  const stripBox = h("div", { class: "kit-stage kit-strip" }, strip);
  const zoomButtons = h("div", { class: "kit-buttons", role: "group", "aria-label": store.say("timeline.zoom") },
    button(store.say("timeline.zoom_out"), "−", () => zoomBy(1.6)), button(store.say("timeline.zoom_in"), "+", () => zoomBy(1 / 1.6)),
    button(store.say("timeline.near"), store.say("timeline.near_short"), () => near()), button(store.say("timeline.whole"), store.say("timeline.whole_short"), () => show(0, store.last)));
  const line = h("p", { class: "kit-words", "aria-live": "polite" });
  const table = eventTable(store);
  const virtual = store.machines.some((one) => one.virtual);
  const row = h("div", { class: "kit-row" }, h("div", { style: "flex:1" }), zoomButtons);
  put(root, ...root.children, lampRow, stage, stripBox, row, line, table.node);

  let lanes, theme, from = 0, to = 1, shape = "", wide = 0, tick = -1;
  const vector = { now: null, before: null };
  const room = () => Math.max(50, wide - GUTTER - 6);
  const x = (clock) => GUTTER + ((clock - from) / (to - from)) * room();
  const clockAt = (px) => from + ((px - GUTTER) / room()) * (to - from);

  function layout() {
    lanes = lanesOf(store);
    tick = store.tick;
    const keyList = ["user", "kernel", "firmware"].filter((role) => lanes.some((lane) => lane.role === role)).map((role) => [role, store.say(`legend.${role}${virtual ? "" : "_bare"}`)]);
    if (virtual) keyList.push(["vmm", store.say("legend.vmm")], ["guest", store.say("legend.guest")]);
    else keyList.push(["device", store.say("legend.device")]);
    put(row, legend(keyList), h("div", { style: "flex:1" }), zoomButtons);
  }
  function show(a, b) {
    const least = 40, span = Math.min(Math.max(b - a, least), Math.max(least, store.last));
    from = Math.max(0, Math.min((a + b) / 2 - span / 2, store.last - span));
    to = from + span;
    redraw();
  }
  function zoomBy(factor, at = null) {
    const middle = at ?? (store.moment >= from && store.moment <= to ? store.moment : (from + to) / 2);
    show(middle - (middle - from) * factor, middle + (to - middle) * factor);
  }
  // The stretch around the moment in which each event can be told from the next.
  function near() {
    const e = Math.max(0, store.eventAt()), a = Math.max(0, e - 5), b = Math.min(store.size - 1, e + 6);
    if (!store.size) return;
    const margin = (store.t[b] - store.t[a]) * 0.04 + 20;
    show(store.t[a] - margin, store.t[b] + store.costOf(b) + margin);
  }

  function sized(node, height) {
    const ratio = devicePixelRatio || 1, width = wide;
    if (node.width !== Math.round(width * ratio) || node.height !== Math.round(height * ratio)) {
      node.width = Math.round(width * ratio);
      node.height = Math.round(height * ratio);
      node.style.height = `${height}px`;
    }
    const pen = node.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return pen;
  }

  // For each pixel and lane, the part of its time spent there, drawn as a bar of that height.
  function drawSums(pen, left, right, a, b, tops, height) {
    const width = store.sumWidth;
    vector.now ??= new Float64Array(width);
    vector.before ??= new Float64Array(width);
    if (vector.now.length !== width) { vector.now = new Float64Array(width); vector.before = new Float64Array(width); }
    const pixels = Math.max(1, Math.round(right - left)), step = (b - a) / pixels;
    store.sumsAt(a, vector.before);
    const paths = new Map();
    for (let p = 0; p < pixels; p++) {
      store.sumsAt(a + (p + 1) * step, vector.now);
      let all = 0;
      for (const lane of lanes) {
        let part = 0;
        if (lane.machine < 0) for (let k = COST; k < width; k += SUMS) part += vector.now[k] - vector.before[k];
        else { const k = lane.machine * SUMS + RUN_U + lane.mode; part = vector.now[k] - vector.before[k]; }
        if (part <= 0) continue;
        const tall = Math.max(1.2, Math.min(1, part / step) * height);
        if (!paths.has(lane.role)) paths.set(lane.role, new Path2D());
        paths.get(lane.role).rect(left + p, tops(lane) + height - tall, 1, tall);
        all += part;
      }
      const spare = vector.before;
      vector.before = vector.now;
      vector.now = spare;
    }
    for (const [role, path] of paths) { pen.fillStyle = theme[role]; pen.fill(path); }
  }

  function laneY(machine, mode) {
    const lane = lanes.find((one) => one.machine === machine && (machine < 0 || one.mode === mode));
    return lane ? lane.y : lanes[0].y;
  }

  function hatch(pen) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const small = tile.getContext("2d");
    small.fillStyle = theme.paper;
    small.fillRect(0, 0, 8, 8);
    small.strokeStyle = theme.kernel;
    small.lineWidth = 2.6;
    for (const shift of [-8, 0, 8]) { small.beginPath(); small.moveTo(shift, 8); small.lineTo(shift + 8, 0); small.stroke(); }
    return pen.createPattern(tile, "repeat");
  }

  // Every event by itself: bars while hardware runs, arrows down to the VMM and up again.
  function drawEvents(pen, first, last) {
    const bottom = virtual ? lanes.at(-1).y : 0, pattern = hatch(pen);
    let free = GUTTER, freeUp = GUTTER;
    for (let i = first; i <= last; i++) {
      const machine = store.vm[i], kind = store.kindOf(i), t = store.t[i], cost = store.costOf(i);
      const before = store.mode[i] & 3, after = (store.mode[i] >> 2) & 3;
      const lane = lanes.find((one) => one.machine === machine && one.mode === before) ?? lanes[0];
      const y = laneY(machine, before), [a, b] = [x(t - store.run[i]), x(t)];
      pen.fillStyle = theme[lane.role];
      if (store.run[i] > 0) {
        const [left, right] = [Math.max(a, GUTTER - 4), Math.min(b, wide + 4)];
        pen.beginPath();
        pen.roundRect(left, y + 4, Math.max(1.5, right - left), LANE_HEIGHT - 8, 2);
        pen.fill();
      }
      const handed = kind.handler === "guest", c = virtual ? x(t + Math.max(cost, 1)) : b;
      if (virtual) {
        arrow(pen, b, y + LANE_HEIGHT / 2, bottom + 3, theme.ink, c - b > 7 || b - a > 7);
        pen.fillStyle = handed ? pattern : theme.vmm;
        pen.strokeStyle = handed ? theme.kernel : theme.vmm;
        pen.lineWidth = 1.2;
        pen.beginPath();
        pen.roundRect(b, bottom + 3, Math.max(2, c - b), LANE_HEIGHT - 6, 2);
        pen.fill();
        pen.stroke();
        const name = ["emulate", "wait"].includes(kind.id) ? store.what(i) : store.say(`kind.${kind.id}`), space = c - b - 8;
        if (space > 24 && kind.cost) label(pen, name, b + 4, bottom + LANE_HEIGHT / 2, space, handed);
        const next = i + 1 < store.size && store.vm[i + 1] === machine ? laneY(machine, after) : y;
        if (i + 1 < store.size && store.vm[i + 1] === machine) arrow(pen, c, bottom + 3, next + LANE_HEIGHT / 2, handed ? theme.kernel : theme.vmm, c - b > 7);
      } else if (before !== after) {
        arrow(pen, b, y + LANE_HEIGHT / 2, laneY(machine, after) + LANE_HEIGHT / 2, handed ? theme.kernel : theme.soft, true);
        if (b > free) { pen.fillStyle = theme.soft; pen.font = "11px system-ui, sans-serif"; pen.textAlign = "left"; const name = store.say(`kind.${kind.id}`); pen.fillText(name, b + 4, y + 3); free = b + pen.measureText(name).width + 8; }
      } else { pen.fillStyle = theme.device ?? theme.soft; pen.fillRect(b - 1, y + 2, 2, LANE_HEIGHT - 4); }
    }
  }
  function label(pen, text, at, y, space, handed) {
    pen.font = "600 11px system-ui, sans-serif";
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    let shown = text;
    while (shown.length > 1 && pen.measureText(shown).width > space) shown = shown.slice(0, -2).trimEnd() + (shown.length > 3 ? "…" : "");
    if (shown.length < 3) return;
    if (handed) { pen.fillStyle = theme.paper; const wideText = pen.measureText(shown).width; pen.fillRect(at - 2, y - 7, wideText + 4, 14); }
    pen.fillStyle = handed ? theme.ink : theme.paper;
    pen.fillText(shown, at, y + 0.5);
  }
  function arrow(pen, at, begin, end, colour, head) {
    if (at < GUTTER - 4 || at > wide + 4) return;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = 1.4;
    pen.beginPath();
    pen.moveTo(at, begin);
    pen.lineTo(at, end);
    pen.stroke();
    if (!head) return;
    const way = end > begin ? 1 : -1;
    pen.beginPath();
    pen.moveTo(at, end);
    pen.lineTo(at - 3.5, end - 6 * way);
    pen.lineTo(at + 3.5, end - 6 * way);
    pen.fill();
  }

  function drawStage() {
    const height = lanes.height, pen = sized(canvas, height);
    pen.textBaseline = "middle";
    for (const lane of lanes) {
      pen.fillStyle = theme.panel;
      pen.fillRect(GUTTER, lane.y, wide, LANE_HEIGHT);
      pen.font = "12px system-ui, sans-serif";
      pen.fillStyle = theme[lane.role];
      pen.fillRect(GUTTER - 5, lane.y + 2, 3, LANE_HEIGHT - 4);
      pen.fillStyle = theme.ink;
      pen.textAlign = "right";
      pen.fillText(`${lane.label} ${lane.letter}`, GUTTER - 10, lane.y + LANE_HEIGHT / 2);
      if (lane.first && lane.name && store.machines.length > 1) {
        pen.textAlign = "left";
        pen.font = "bold 12px system-ui, sans-serif";
        pen.fillText(lane.name.length > 8 ? lane.name.slice(0, 7) + "…" : lane.name, 6, lane.y + LANE_HEIGHT / 2);
      }
    }
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER - 1, 0, wide, height);
    pen.clip();
    const bottom = height - AXIS;
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "center";
    for (const clock of ticks(from, to, room())) {
      pen.fillStyle = theme.line;
      pen.fillRect(x(clock), 0, 1, bottom);
      pen.fillStyle = theme.soft;
      const text = count(clock), half = pen.measureText(text).width / 2, at = Math.min(Math.max(x(clock), GUTTER + half), wide - half - 4);
      pen.fillText(text, at, height - AXIS / 2);
    }
    const first = Math.max(0, store.eventAt(from)), last = Math.min(store.size - 1, store.eventAt(to) + 1);
    const now = store.atEvent(), a = x(store.moment), b = now >= 0 && virtual ? x(store.endOf(now)) : a;
    pen.fillStyle = theme.mark;
    pen.fillRect(a - 3, 0, Math.max(6, b - a + 6), bottom);
    if (store.size) {
      if ((last - first) * APART < room()) drawEvents(pen, first, last);
      else drawSums(pen, GUTTER, GUTTER + room(), from, to, (lane) => lane.y + 2, LANE_HEIGHT - 4);
    }
    pen.fillStyle = theme.fault;
    pen.fillRect(a - 0.75, 0, 1.5, bottom);
    pen.beginPath();
    pen.moveTo(a - 5, 0);
    pen.lineTo(a + 5, 0);
    pen.lineTo(a, 7);
    pen.fill();
    if (store.pinned !== null) { pen.fillStyle = theme.soft; pen.fillRect(x(store.pinned), 0, 1, bottom); }
    pen.restore();
    pen.textAlign = "right";
    pen.fillStyle = theme.soft;
    pen.fillText(store.say("timeline.cycles"), GUTTER - 10, height - AXIS / 2);
  }

  // The whole run, small, with the part that is shown above. It is drawn anew only when it changes.
  let stripImage = null, stripFor = "";
  function drawStrip() {
    const key = `${wide} ${store.tick} ${theme.paper} ${devicePixelRatio}`;
    const pen = sized(strip, STRIP);
    const left = GUTTER, right = GUTTER + room();
    if (stripFor !== key) {
      const ratio = devicePixelRatio || 1;
      stripImage = document.createElement("canvas");
      stripImage.width = strip.width;
      stripImage.height = strip.height;
      const small = stripImage.getContext("2d");
      small.setTransform(ratio, 0, 0, ratio, 0, 0);
      const rows = lanes.length, tall = (STRIP - 6) / rows;
      if (store.size) drawSums(small, left, right, 0, store.last, (lane) => 3 + lanes.indexOf(lane) * tall, tall - 1);
      stripFor = key;
    }
    pen.save();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(stripImage, 0, 0);
    pen.restore();
    const px = (clock) => left + (clock / store.last) * (right - left), [a, b] = [px(from), px(to)];
    pen.fillStyle = theme.paper;
    pen.globalAlpha = 0.62;
    pen.fillRect(left, 0, a - left, STRIP);
    pen.fillRect(b, 0, right - b, STRIP);
    pen.globalAlpha = 1;
    pen.strokeStyle = theme.ink;
    pen.lineWidth = 1.5;
    pen.strokeRect(a, 1, Math.max(3, b - a), STRIP - 2);
    pen.fillStyle = theme.fault;
    pen.fillRect(px(store.moment) - 0.75, 0, 1.5, STRIP);
    pen.fillStyle = theme.soft;
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(store.say("timeline.strip"), GUTTER - 10, STRIP / 2);
  }

  function draw() {
    wide = stage.clientWidth;
    if (!wide) return;
    theme ??= colours(root, [...COLOURS, "device"]);
    drawStage();
    drawStrip();
  }
  const redraw = once(draw);

  function update() {
    if (tick !== store.tick) {
      const whole = from <= 0 && to >= shape;
      layout();
      if (whole) show(0, store.last);
      shape = store.last;
    }
    if (store.moment < from || store.moment > to) show(store.moment - (to - from) / 2, store.moment + (to - from) / 2);
    const words = store.words();
    stage.setAttribute("aria-valuenow", Math.round(store.moment));
    stage.setAttribute("aria-valuemax", Math.round(store.last));
    stage.setAttribute("aria-valuetext", words.join(" "));
    if (lampRow) put(lampRow, allLamps(store));
    put(line, h("strong", {}, words[0]), h("span", {}, words[1]), store.lost ? ` ${store.say("moment.lost", { count: count(store.lost) })}` : "");
    bar?.update();
    table.update();
    redraw();
  }

  // -- hands --------------------------------------------------------------------------------------

  const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
  const reached = (px) => {
    const clock = clockAt(px), e = store.eventAt(clock), found = [e, e + 1].filter((i) => i >= 0 && i < store.size);
    const near = found.find((i) => px >= x(store.t[i]) - 6 && px <= x(store.endOf(i)) + 3);
    return { clock, event: near ?? -1 };
  };
  stage.addEventListener("wheel", (event) => {
    // A page must still scroll past the timeline: the wheel zooms only where it was clicked before.
    if (document.activeElement !== stage && !event.ctrlKey) return;
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) show(from + (event.deltaX / room()) * (to - from), to + (event.deltaX / room()) * (to - from));
    else zoomBy(event.deltaY < 0 ? 0.8 : 1.25, clockAt(place(event)));
  }, { passive: false });
  let grip = null;
  stage.addEventListener("pointerdown", (event) => { grip = { x: place(event), from, to, dragged: false }; });
  stage.addEventListener("pointermove", (event) => {
    if (!grip) return hover(event);
    if (!grip.dragged && Math.abs(place(event) - grip.x) > 4) {
      grip.dragged = true; // captured only now: an earlier capture would swallow the click
      stage.setPointerCapture(event.pointerId);
    }
    if (grip.dragged) { const shift = ((grip.x - place(event)) / room()) * (grip.to - grip.from); show(grip.from + shift, grip.to + shift); }
  });
  stage.addEventListener("pointerup", (event) => {
    if (grip && !grip.dragged && grip.x > GUTTER) {
      const { clock, event: e } = reached(grip.x);
      if (e >= 0) store.goToEvent(e);
      else store.go(Math.round(clock));
      stage.focus();
    }
    grip = null;
  });
  stage.addEventListener("pointercancel", () => { grip = null; });
  stage.addEventListener("pointerleave", () => { tip.hidden = true; });
  function hover(event) {
    const px = place(event), { event: e } = reached(px);
    tip.hidden = e < 0 || px < GUTTER || !store.size;
    if (tip.hidden) return;
    const cost = store.costOf(e);
    put(tip, h("b", {}, store.name(store.vm[e])), ` ${store.headline(e)}`, cost ? ` · ${store.say("moment.cost", { count: count(cost) })}` : "");
    tip.style.left = `${Math.min(px + 12, wide - 350)}px`;
    tip.style.top = "6px";
  }
  const along = (event) => {
    const box = strip.getBoundingClientRect(), middle = ((event.clientX - box.left - GUTTER) / room()) * store.last, half = (to - from) / 2;
    show(middle - half, middle + half);
  };
  let sliding = false;
  stripBox.addEventListener("pointerdown", (event) => { sliding = true; stripBox.setPointerCapture(event.pointerId); along(event); });
  stripBox.addEventListener("pointermove", (event) => { if (sliding) along(event); });
  stripBox.addEventListener("pointerup", () => { sliding = false; });
  keys(root, store, { "+": () => zoomBy(1 / 1.6), "-": () => zoomBy(1.6), 0: () => show(0, store.last), n: () => near() });

  const sizes = new ResizeObserver(() => redraw());
  layout();
  shape = store.last;
  if (options.near) near();
  else show(0, store.last);
  draw();
  performance.mark("kit timeline drawn");
  update();
  sizes.observe(stage);
  const ends = [store.listen(update), onTheme(() => { theme = null; stripFor = ""; redraw(); }), () => sizes.disconnect(), () => bar?.end()];
  root.kitTimeline = { show, zoomBy, draw, range: () => [from, to] };
  return () => ends.forEach((end) => end());
}

export { timeline };
export default widget(timeline, "timeline");

// All views of a run together: the timeline on top, and one of the others beneath it.
import { widget, h, put, transport, keys, allLamps } from "./core.js";
import { timeline } from "./timeline.js";
import { panel } from "./panel.js";
import { memoryMap } from "./memory_map.js";
import { machineRoom } from "./machine_room.js";
import { devices } from "./devices.js";
import { charts } from "./charts.js";

const PARTS = { machine_room: machineRoom, panel, memory_map: memoryMap, devices, charts };

function overview(root, store, options = {}) {
  const bar = transport(root, store, { title: "overview" });
  const lampRow = h("div", { class: "kit-row" });
  const top = h("div", { class: "kit" }), bottom = h("div", { class: "kit", role: "tabpanel", tabindex: -1, id: `kit-panel-${Math.random().toString(36).slice(2)}` });
  const names = (options.parts ?? Object.keys(PARTS)).filter((name) => name in PARTS);
  let chosen = names.includes(options.part) ? options.part : names.find((name) => name !== "machine_room" || store.machines.length > 1) ?? names[0], end = null;
  const tabs = h("div", { class: "kit-tabs", role: "tablist", "aria-label": store.say("overview.parts") });
  root.append(lampRow, top, tabs, bottom);

  function drawTabs() {
    tabs.hidden = names.length < 2;
    put(tabs, names.map((name) => h("button", { type: "button", role: "tab", "aria-selected": name === chosen ? "true" : "false", "aria-controls": bottom.id, tabindex: name === chosen ? 0 : -1, onclick: () => open(name) }, store.say(`${name}.title`))));
  }
  function open(name) {
    end?.();
    chosen = name;
    drawTabs();
    bottom.setAttribute("aria-label", store.say(`${name}.title`));
    bottom.className = `kit kit-${name}`;
    put(bottom);
    end = PARTS[name](bottom, store, { ...options, transport: false, lamps: false });
  }
  tabs.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    open(names[(names.indexOf(chosen) + way + names.length) % names.length]);
    tabs.querySelector("[aria-selected=true]").focus();
  });
  const update = () => { bar.update(); put(lampRow, allLamps(store)); };
  const endTimeline = timeline(top, store, { ...options, transport: false, lamps: false });
  keys(root, store);
  open(chosen);
  update();
  const stop = store.listen(update);
  return () => { stop(); end?.(); endTimeline(); bar.end(); };
}

export { overview };
export default widget(overview, "overview");

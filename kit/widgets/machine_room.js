// The machine room: every machine with its state, its share of the time, and what it puts out.
import { widget, h, put, button, count, percent, MODES, transport, keys, allLamps, legend, RUN_U, COST, STEPS, SUMS } from "./core.js";
import { driving } from "./panel.js";
import { utf8 } from "./devices.js";

const TAIL = 900; // characters of a console, and of paper

function machineRoom(root, store, options = {}) {
  const bar = options.transport ? transport(root, store, { title: "machine_room" }) : null;
  const top = h("div", { class: "kit-row" });
  const drive = store.driven && options.drive !== false ? driving(store) : null;
  const room = h("div", { class: "kit-room" });
  const cards = store.machines.map((_, machine) => machineCard(store, machine, drive !== null));
  const virtual = store.machines.some((one) => one.virtual);
  root.append(top, ...(drive ? [drive.node] : []), room,
    legend([["user", store.say("room.user")], ["kernel", store.say("room.kernel")], ...(virtual ? [["vmm", store.say("room.vmm")]] : []), ["idle", store.say("room.others")]]));

  function update() {
    while (cards.length < store.machines.length) cards.push(machineCard(store, cards.length, drive !== null));
    if (room.childElementCount !== cards.length) put(room, cards.map((card) => card.node));
    if (options.lamps !== false) put(top, allLamps(store));
    bar?.update();
    drive?.update();
    const sums = store.sumsAt(store.moment), whole = Math.max(1, store.moment);
    for (const card of cards) card.update(sums, whole);
  }
  keys(root, store);
  update();
  const ends = [store.listen(update), () => bar?.end()];
  return () => ends.forEach((end) => end());
}

function machineCard(store, machine, driven) {
  const name = h("button", { type: "button", class: "kit-link", onclick: () => store.choose(machine) }, h("b", {}, store.name(machine)));
  const state = h("span", { class: "kit-chip kit-state" });
  const held = driven ? button(store.say("room.hold"), "", () => store.ask({ action: "hold", machine, held: !store.room?.[store.name(machine)]?.held })) : null;
  const share = h("div", { class: "kit-share", role: "img" });
  const facts = h("dl", { class: "kit-facts" });
  const out = h("pre", { class: "kit-console", tabindex: 0, role: "region" });
  const node = h("div", { class: "kit-machine", role: "group", "aria-label": store.name(machine) }, h("div", { class: "kit-row" }, name, state, h("span", { style: "flex:1" }), held), share, facts, out);
  return {
    node,
    update(sums, whole) {
      const at = machine * SUMS, of = (k) => sums[at + k], its = store.machines[machine];
      const [user, kernel, vmm] = [of(RUN_U), of(RUN_U + 1) + of(RUN_U + 3), of(COST)], direct = user + kernel, all = direct + vmm;
      const virtual = of(STEPS) + direct, ratio = its.virtual && virtual ? all / virtual : null;
      const now = store.stateOf(machine), ended = store.ends.find((row) => row[1] === machine && row[0] <= store.moment);
      node.classList.toggle("chosen", machine === store.machine);
      name.setAttribute("aria-pressed", machine === store.machine ? "true" : "false");
      const stopped = store.room?.[its.name]?.held;
      state.className = `kit-chip kit-state ${now}`;
      put(state, stopped ? store.say("state.held") : store.say(`state.${now}`, { mode: MODES[store.modeOf(machine)], why: ended?.[3] ?? "" }));
      if (held) { put(held, store.say(stopped ? "room.start_short" : "room.stop_short")); held.setAttribute("aria-label", `${store.say(stopped ? "room.start_short" : "room.stop_short")} ${its.name}`); held.disabled = !its.virtual; }
      put(share, [["user", user], ["kernel", kernel], ["vmm", vmm]].map(([kind, part]) => h("i", { class: kind, style: `width:${(100 * part) / whole}%` })));
      share.setAttribute("aria-label", store.say("room.share_text", { user: percent(user, whole), kernel: percent(kernel, whole), vmm: percent(vmm, whole) }));
      const paper = store.outputOf(machine, "paper"), cards = store.outputs.filter((row) => row[1] === machine && row[2] === "card");
      const fed = cards.filter((row) => row[0] <= store.moment).length;
      const entries = [["share", percent(all, whole)], ["steps", count(its.steps + virtual)], ["ratio", ratio === null ? "–" : ratio.toFixed(2)],
        ["cards", `${count(fed)} / ${count(cards.length + its.hopper)}`], ["lines", count(paper.filter((row) => row[3] !== "\f").length)], ["disk", count(store.outputs.filter((row) => row[1] === machine && row[0] <= store.moment && row[2].startsWith("disk")).length)]];
      put(facts, entries.flatMap(([id, value]) => [h("dt", { title: store.say(`room.${id}_means`) }, store.say(`room.${id}`)), h("dd", {}, value)]));
      const console_ = utf8(store.outputOf(machine, "console").map((row) => row[3]).join("").slice(-TAIL)).replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, "");
      const printed = paper.slice(-24).map((row) => (row[3] === "\f" ? "- - - - - - - - - - - - - - -\n" : row[3])).join("");
      const text = console_ || printed;
      out.setAttribute("aria-label", store.say(console_ || !printed ? "room.console" : "room.paper", { vm: its.name }));
      out.hidden = text === "";
      out.classList.toggle("paper", !console_ && printed !== "");
      if (out.textContent !== text) { out.textContent = text; out.scrollTop = out.scrollHeight; }
    },
  };
}

export { machineRoom };
export default widget(machineRoom, "machine_room");

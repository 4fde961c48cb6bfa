// The proof view: which lemma holds for which instruction; and a counterexample, side by side.
import { h, put, button, count, choice, addStyle } from "./core.js";

const SIGNS = { proved: "✓", refuted: "✕", unknown: "?" };

function proofView(root, model) {
  const texts = model.get("texts"), proof = model.get("proof") ?? {}, examples = model.get("counterexamples") ?? [];
  const say = (id, values = {}) => Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`{${name}}`, value), texts[id] ?? id);
  const results = proof.results ?? [], mutants = proof.mutants ?? [];
  const word = (verdict) => (verdict in SIGNS ? verdict : "unknown");
  const lemmas = [...new Set(results.map((one) => one.lemma))], instructions = [...new Set(results.map((one) => one.instruction || ""))].sort((a, b) => (a === "" ? -1 : b === "" ? 1 : 0));
  const at = new Map(results.map((one) => [`${one.lemma} ${one.instruction || ""}`, one]));
  const body = h("div");
  let tab = results.length || !examples.length ? 0 : 1, chosen = null;
  const tabs = ["matrix", ...(examples.length ? ["examples"] : []), ...(mutants.length ? ["mutants"] : [])];

  function describe(one) {
    return say("proof_view.cell", { lemma: one.lemma, instruction: one.instruction || say("proof_view.all"), verdict: say(`verdict.${word(one.verdict)}`), seconds: (one.seconds ?? 0).toFixed(2) });
  }
  function matrix() {
    const detail = h("p", { "aria-live": "polite", class: "kit-words" }, chosen ? h("strong", {}, describe(chosen)) : say("proof_view.choose"));
    const proved = results.filter((one) => one.verdict === "proved").length;
    return h("div", {},
      h("p", {}, h("strong", {}, say("proof_view.sum", { proved: count(proved), all: count(results.length), seconds: count(proof.seconds ?? 0) }))),
      h("div", { class: "kit-matrix", tabindex: 0, role: "region", "aria-label": say("proof_view.matrix") }, h("table", {},
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("proof_view.lemma")), instructions.map((name) => h("th", { scope: "col" }, h("span", {}, name || say("proof_view.all")))))),
        h("tbody", {}, lemmas.map((lemma) => h("tr", {}, h("th", { scope: "row" }, lemma), instructions.map((instruction) => {
          const one = at.get(`${lemma} ${instruction}`);
          return h("td", {}, one ? h("button", { type: "button", class: `kit-verdict ${word(one.verdict)}`, "aria-label": describe(one), title: describe(one), onclick: () => { chosen = one; draw(); } }, SIGNS[word(one.verdict)]) : h("span", { class: "kit-verdict none" }, "·"));
        })))))), detail,
      h("div", { class: "kit-legend" }, Object.keys(SIGNS).map((verdict) => h("span", {}, h("span", { class: `kit-verdict ${verdict}`, style: "display:inline-block" }, SIGNS[verdict]), ` ${say(`verdict.${verdict}`)}`))));
  }
  // Two machines from the same state: what the bare one does, and what the virtual one did.
  function example(one) {
    const before = one.registers ?? {}, differing = new Set(one.differing ?? []);
    const names = [...new Set([...differing, ...Object.keys(one.bare ?? {}), ...Object.keys(one.vm ?? {}), ...Object.keys(before)])];
    const shown = (value) => (typeof value === "number" ? `0x${value.toString(16).padStart(8, "0")}` : value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
    const rows = names.map((name) => {
      const marked = differing.has(name), mark = marked ? "differs" : "";
      const changed = (side) => (side !== undefined && side !== before[name] ? " →" : "");
      return h("tr", marked ? { class: "differs" } : {}, h("th", { scope: "row" }, marked ? `≠ ${name}` : name), h("td", { class: `mono ${mark}` }, shown(before[name])), h("td", { class: `mono ${mark}` }, shown(one.bare?.[name]), changed(one.bare?.[name])), h("td", { class: `mono ${mark}` }, shown(one.vm?.[name]), changed(one.vm?.[name])));
    });
    return h("div", {}, h("p", {}, h("strong", {}, one.title)), h("p", { class: "kit-soft" }, say("proof_view.both")),
      h("pre", { class: "mono kit-scroll", tabindex: 0, role: "region", "aria-label": say("proof_view.program"), style: "margin:.3em 0" }, one.program ?? ""),
      h("table", { class: "kit-twin" }, h("thead", {}, h("tr", {}, ["register", "before", "bare", "vm"].map((name) => h("th", { scope: "col" }, say(`proof_view.${name}`))))), h("tbody", {}, rows)));
  }
  let number = 0;
  function draw() {
    const name = tabs[Math.min(tab, tabs.length - 1)];
    const shown = name === "matrix" ? matrix()
      : name === "examples" ? h("div", {}, examples.length > 1 ? h("div", { class: "kit-row" }, button(say("proof_view.previous"), "◀", () => { number = Math.max(0, number - 1); draw(); }), `${number + 1} / ${examples.length}`, button(say("proof_view.next"), "▶", () => { number = Math.min(examples.length - 1, number + 1); draw(); })) : null, example(examples[number]))
      : h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("proof_view.mutant")), h("th", { scope: "col" }, say("proof_view.verdict")))), h("tbody", {}, mutants.map((one) => h("tr", {}, h("td", {}, one.name), h("td", {}, `${SIGNS[word(one.verdict)]} ${say(`mutant.${word(one.verdict)}`)}`)))));
    put(body, tabs.length > 1 ? choice(say("proof_view.part"), tabs.map((one) => say(`proof_view.${one}_tab`)), tabs.indexOf(name), (k) => { tab = k; draw(); }) : null, shown);
  }
  put(root, h("div", { class: "kit-bar" }, h("div", { class: "kit-title" }, say("proof_view.title"))), body);
  draw();
}

export default {
  render({ model, el }) {
    addStyle();
    const root = h("section", { class: "kit kit-proof_view", "aria-label": model.get("texts")["proof_view.title"] });
    el.replaceChildren(root);
    proofView(root, model);
    const again = () => proofView(root, model);
    model.on("change:proof", again);
    model.on("change:counterexamples", again);
  },
};

// Runs Python under Pyodide, offline: evaluates one expression for each line of standard input.
//
//     node pyodide.mjs MODULE PATH=FOLDER...
//
// Each FOLDER is mounted at PATH, and expressions see the names of MODULE. An expression comes as a
// JSON string; the answer is a line {"value": ...} or {"error": ...}. What Python prints goes to
// standard error.

import { createInterface } from "node:readline";
import { loadPyodide } from "pyodide";

const python = await loadPyodide({ stdout: (line) => console.error(line) });
const [module, ...mounts] = process.argv.slice(2);
for (const mount of mounts) {
  const [path, folder] = mount.split("=");
  python.mountNodeFS(path, folder);
}
python.globals.set("module", module);
python.runPython(`
import importlib, json, sys, traceback
sys.dont_write_bytecode = True  # a mounted folder is the real one
sys.path[:0] = ["/project", "/packages"]

def answer(expression):
    try:
        return json.dumps({"value": eval(expression, vars(importlib.import_module(module)))})
    except BaseException:
        return json.dumps({"error": traceback.format_exc()})
`);
const answer = python.globals.get("answer");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(answer(JSON.parse(line)));
}

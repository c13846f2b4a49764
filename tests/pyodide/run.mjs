// Runs drive.py inside CPython 3.14 for WebAssembly, with the source of the client at /tellback. Its last line is JSON.
import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const [source, script] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdirTree("/tellback");
python.FS.mount(python.FS.filesystems.NODEFS, { root: source }, "/tellback");
console.log(python.runPython(readFileSync(script, "utf8")));

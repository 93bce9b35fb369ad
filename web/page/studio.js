// The studio's worker: a module of its own, with SQLite and everything that reads files.
import init from "./veneer-studio.js";

await init({ module_or_path: new URL("./veneer-studio_bg.wasm", import.meta.url) });

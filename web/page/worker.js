// The same module as the page: it looks where it runs.
import init from "./veneer-web.js";

await init({ module_or_path: new URL("./veneer-web_bg.wasm", import.meta.url) });

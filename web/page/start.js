// Loads the app, and says why where it cannot be loaded: the page is never blank.
import init from "./veneer-web.js";

init({ module_or_path: new URL("./veneer-web_bg.wasm", import.meta.url) }).catch((error) => {
  const status = document.getElementById("shell-status");
  if (!status) throw error;
  status.dataset.state = "failed";
  status.setAttribute("role", "alert");
  status.dataset.testid = "error";
  status.textContent =
    `The app could not be loaded (${error.message ?? error}). It needs a browser of 2023 or later ` +
    "with WebAssembly SIMD; reload the page to try again.";
});

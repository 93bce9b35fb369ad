// Loads the app, and says why where it cannot be loaded: the page is never blank.
const WORDS = {
  en: {
    starting: "Starting …",
    failed: (why) =>
      `The app could not be loaded (${why}). It needs a browser of 2023 or later with ` +
      "WebAssembly SIMD; reload the page to try again.",
  },
  es: {
    starting: "Iniciando …",
    failed: (why) =>
      `No se pudo cargar la aplicación (${why}). Necesita un navegador de 2023 o posterior con ` +
      "WebAssembly SIMD; recargue la página para intentarlo de nuevo.",
  },
  ja: {
    starting: "起動中…",
    failed: (why) =>
      `アプリを読み込めませんでした（${why}）。WebAssembly SIMD に対応した 2023 年以降の` +
      "ブラウザーが必要です。ページを再読み込みしてください。",
  },
};

const words = WORDS[document.documentElement.lang] ?? WORDS.en;
const shown = document.getElementById("shell-status");
if (shown) shown.textContent = words.starting;

try {
  const { default: init } = await import("./veneer-web.js");
  await init({ module_or_path: new URL("./veneer-web_bg.wasm", import.meta.url) });
} catch (error) {
  const status = document.getElementById("shell-status");
  if (!status) throw error;
  status.dataset.state = "failed";
  status.setAttribute("role", "alert");
  status.dataset.testid = "error";
  status.textContent = words.failed(error.message ?? error);
}

// Sets colours and language before the first paint, as they were chosen last time.
(() => {
  const kept = (name) => {
    try { return localStorage.getItem(name); } catch { return null; }
  };
  const theme = kept("veneer-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  document.documentElement.lang = kept("veneer-language") ?? "en";
})();

// Sets colours and language before the first paint, as they were chosen last time.
(() => {
  const kept = (name) => {
    try { return localStorage.getItem(name); } catch { return null; }
  };
  const theme = kept("veneer-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const tags = [kept("veneer-language") ?? "", ...navigator.languages];
  const languages = tags.map((tag) => tag.split(/[-_]/)[0].toLowerCase());
  const known = languages.find((language) => ["en", "es", "ja"].includes(language));
  document.documentElement.lang = known ?? "en";
})();

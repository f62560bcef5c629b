// A chosen theme must hold from the first pixel: without this a dark window would flash white.
(function () {
  const theme = window.__LUMINOUS_START__?.settings.theme;
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();

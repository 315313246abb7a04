// The sidebar can be made narrow; this browser remembers it.
const root = document.documentElement;
const buttons = () => document.querySelectorAll("[data-sidebar-toggle]");

function tell() {
  const narrow = root.dataset.sidebar === "narrow";
  for (const button of buttons()) {
    button.setAttribute("aria-pressed", String(narrow));
    button.setAttribute("aria-label", narrow ? "Expand the sidebar" : "Collapse the sidebar");
    button.title = button.getAttribute("aria-label");
  }
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-sidebar-toggle]")) return;
  root.dataset.sidebar = root.dataset.sidebar === "narrow" ? "wide" : "narrow";
  try {
    localStorage.setItem("sidebar", root.dataset.sidebar);
  } catch {
    // Storage is switched off; the choice lasts for this page.
  }
  tell();
});
tell();

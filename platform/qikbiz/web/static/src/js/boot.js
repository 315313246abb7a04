// Runs before the first paint, so that nothing jumps: JavaScript is there, and the sidebar is as it was left.
document.documentElement.classList.add("has-js");
try {
  const sidebar = localStorage.getItem("sidebar");
  if (sidebar === "narrow") document.documentElement.dataset.sidebar = "narrow";
} catch {
  // Storage is switched off; the sidebar starts wide.
}

// data-guard warns before unsaved changes are lost; no form is sent twice by an impatient hand.
const AGAIN_AFTER = 8000;
const changed = new Set();

document.addEventListener("input", ({ target }) => {
  if (target.form?.matches("[data-guard]")) changed.add(target.form);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  changed.delete(form);
  if (form.method !== "post") return;
  if (form.classList.contains("is-sending")) return event.preventDefault();
  form.classList.add("is-sending");
  form.setAttribute("aria-busy", "true");
  // A form answered by a download leaves the page standing, and must be usable again.
  setTimeout(() => release(form), AGAIN_AFTER);
});

function release(form) {
  form.classList.remove("is-sending");
  form.removeAttribute("aria-busy");
}

addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});
// A page taken from the browser's memory must be usable again.
addEventListener("pageshow", () => document.querySelectorAll(".is-sending").forEach(release));

document.querySelector("[data-focus]")?.focus();

// The small form that takes a field's place is typed into at once, and left with Esc.
document.addEventListener("htmx:load", ({ detail }) => detail.elt.querySelector?.(".fact-form .input")?.focus());
// When the field is back, saved or not, the focus is on the pencil again and not at the top of the page.
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!detail.requestConfig?.elt.closest(".fact-form")) return;
  const pencil = document.getElementById(detail.target.id)?.querySelector(".fact-edit");
  pencil?.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.target.closest?.(".fact-form")?.querySelector(".fact-actions a")?.click();
});

// data-guard warns before unsaved changes are lost; data-autosubmit sends a filter by itself; no form goes twice.
const changed = new Set();
let timer;

document.addEventListener("input", ({ target }) => {
  const form = target.form;
  if (form?.matches("[data-guard]")) changed.add(form);
  if (form?.matches("[data-autosubmit]")) sendSoon(form, target.type === "search" ? 350 : 0);
});

function sendSoon(form, delay) {
  clearTimeout(timer);
  timer = setTimeout(() => form.requestSubmit(), delay);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  changed.delete(form);
  // An empty search or filter would only make the address longer.
  if (form.matches("[data-autosubmit]")) dropEmpty(form);
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.classList.contains("is-sending")) return event.preventDefault();
  form.classList.add("is-sending");
  form.setAttribute("aria-busy", "true");
});

function dropEmpty(form) {
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
}

addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});
// A page taken from the browser's memory must be usable again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll(".is-sending")) {
    form.classList.remove("is-sending");
    form.removeAttribute("aria-busy");
  }
  for (const field of document.querySelectorAll("[data-autosubmit] :disabled")) field.disabled = false;
});

document.querySelector("[data-focus]")?.focus();
const search = document.querySelector("[data-autosubmit] input[type=search]");
// The page was loaded again while somebody was typing: go on where they were.
if (search?.value && new URLSearchParams(location.search).has("q")) {
  search.focus();
  search.setSelectionRange(search.value.length, search.value.length);
}

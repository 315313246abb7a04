// Messages at the corner. Done and notice go by themselves unless looked at; a failed one stays.
const STAYS = 8000;
const region = () => document.getElementById("toasts");

export function toast(text, kind = "done") {
  const element = document.createElement("div");
  element.className = `toast toast-${kind}`;
  element.dataset.toast = "";
  if (kind === "failed") element.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-action";
  close.dataset.toastClose = "";
  close.textContent = "Dismiss";
  element.append(words, close);
  region()?.append(element);
  leaveLater(element);
}

function leaveLater(element) {
  if (element.matches(".toast-failed, [data-toast-stays]")) return;
  setTimeout(() => (element.matches(":hover, :focus-within") ? leaveLater(element) : element.remove()), STAYS);
}

document.addEventListener("click", ({ target }) => target.closest("[data-toast-close]")?.closest("[data-toast]").remove());
// The server may answer a fragment with the header HX-Trigger: {"toast": {"text": "…", "kind": "done"}}.
document.addEventListener("toast", ({ detail }) => toast(detail.text, detail.kind));
for (const element of document.querySelectorAll("[data-toast]")) leaveLater(element);

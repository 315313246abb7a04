// Ticked rows of a form with data-selection bring its bar; shift-click ticks a range.
let last = null;
const boxes = (form) => [...form.querySelectorAll('input[name="ids"]')];

document.addEventListener("change", ({ target }) => {
  const form = target.closest("[data-selection]");
  if (!form) return;
  if (target.matches("[data-select-all]")) for (const box of boxes(form)) box.checked = target.checked;
  show(form);
});

document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-selection]");
  if (!form) return;
  if (event.target.closest("[data-bulk-clear]")) {
    for (const box of boxes(form)) box.checked = false;
    show(form);
  }
  if (!event.target.matches('input[name="ids"]')) return;
  if (event.shiftKey && last) tickRange(boxes(form), last, event.target);
  last = event.target;
  show(form);
});

function tickRange(all, from, to) {
  const [start, end] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  if (start >= 0) for (const box of all.slice(start, end + 1)) box.checked = to.checked;
}

function show(form) {
  const ticked = boxes(form).filter((box) => box.checked).length;
  form.querySelector("[data-bulk-bar]")?.classList.toggle("is-shown", ticked > 0);
  const count = form.querySelector("[data-bulk-count]");
  if (count) count.textContent = ticked.toLocaleString("en");
  const all = form.querySelector("[data-select-all]");
  if (all) {
    all.checked = ticked > 0 && ticked === boxes(form).length;
    all.indeterminate = ticked > 0 && !all.checked;
  }
}

// Going back brings the ticks back, so the bar must come too.
addEventListener("pageshow", () => document.querySelectorAll("[data-selection]").forEach(show));

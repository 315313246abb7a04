// data-opens="id" shows a dialog; a field with data-typed keeps the button off until it holds that text.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    open(document.getElementById(opener.dataset.opens), opener);
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  // A click on the backdrop is a click on the dialog itself.
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

document.addEventListener("keydown", (event) => {
  // Openers that are links must answer to the space bar as buttons do.
  if (event.key === " " && event.target.matches?.('a[role="button"]')) {
    event.preventDefault();
    event.target.click();
  }
});

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-typed]")) check(target);
});

export function open(dialog, opener) {
  if (!dialog || dialog.open) return;
  for (const field of dialog.querySelectorAll("[data-typed]")) {
    field.value = "";
    check(field);
  }
  dialog.addEventListener("close", () => opener?.focus(), { once: true });
  dialog.showModal();
}

function check(field) {
  field.form.querySelector('[type="submit"]').disabled = field.value.trim() !== field.dataset.typed;
}

// data-strength="url" on a password field: the server says how good it is, shown as a bar and in words.
const AFTER = 250;
let waiting;
let asked = 0;

document.addEventListener("input", ({ target }) => {
  if (!target.matches?.("[data-strength]")) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => judge(target), AFTER);
});

async function judge(field) {
  const box = document.querySelector(`[data-strength-of="${field.id}"]`);
  box.hidden = !field.value;
  if (!field.value) return;
  const turn = ++asked;
  const body = new FormData();
  body.set("password", field.value);
  body.set("name", field.form.elements.name?.value ?? "");
  body.set("email", field.form.querySelector('[autocomplete="username"]')?.value ?? "");
  const headers = { Accept: "application/json", "X-CSRF-Token": field.form.elements.csrf_token.value };
  try {
    const response = await fetch(field.dataset.strength, { method: "POST", headers, body });
    // Only the answer to what stands in the field now.
    if (response.ok && turn === asked) show(box, await response.json());
  } catch {
    box.hidden = true;
  }
}

function show(box, { level, word, text }) {
  box.dataset.level = level;
  box.querySelector("meter").value = level;
  box.querySelector(".strength-words").textContent = text ? `${word}. ${text}` : word;
}

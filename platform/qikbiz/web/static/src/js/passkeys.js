// data-passkey="url of the question" on a form: asks the device, puts its answer into the form and sends it.
// With data-passkey-new the device makes a passkey, else it answers with one that it has.
const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const known = (list) => (list ?? []).map((one) => ({ ...one, id: decode(one.id) }));

const WORDS = {
  NotAllowedError: "The device did not respond, or you cancelled. Try again.",
  InvalidStateError: "This device already has a passkey for this account.",
  SecurityError: "This browser can't create passkeys for this address.",
};

async function question(form) {
  const headers = { Accept: "application/json", "X-CSRF-Token": form.elements.csrf_token.value };
  const response = await fetch(form.dataset.passkey, { method: "POST", headers });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? answer.title);
  return answer;
}

async function make(options) {
  const user = { ...options.user, id: decode(options.user.id) };
  const publicKey = { ...options, user, challenge: decode(options.challenge), excludeCredentials: known(options.excludeCredentials) };
  const made = await navigator.credentials.create({ publicKey });
  return { made, response: { attestationObject: encode(made.response.attestationObject) } };
}

async function ask(options) {
  const publicKey = { ...options, challenge: decode(options.challenge), allowCredentials: known(options.allowCredentials) };
  const made = await navigator.credentials.get({ publicKey });
  const { authenticatorData, signature, userHandle } = made.response;
  const response = { authenticatorData: encode(authenticatorData), signature: encode(signature) };
  if (userHandle) response.userHandle = encode(userHandle);
  return { made, response };
}

async function answer(form) {
  const options = await question(form);
  const { made, response } = await ("passkeyNew" in form.dataset ? make(options) : ask(options));
  response.clientDataJSON = encode(made.response.clientDataJSON);
  return JSON.stringify({ id: made.id, rawId: encode(made.rawId), type: made.type, response });
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target.closest?.("[data-passkey]");
    if (!form || form.elements.credential.value) return;
    // Before forms.js marks the form as being sent.
    event.preventDefault();
    event.stopPropagation();
    const told = form.querySelector("[data-passkey-error]");
    const button = form.querySelector("[type=submit]");
    told.hidden = true;
    button.disabled = true;
    try {
      form.elements.credential.value = await answer(form);
      form.submit();
    } catch (error) {
      told.textContent = WORDS[error.name] ?? error.message;
      told.hidden = false;
    }
    button.disabled = false;
  },
  true,
);
// A browser without passkeys is not offered any.
if (!window.PublicKeyCredential) document.querySelectorAll("[data-passkey]").forEach((form) => form.remove());
// A page taken from the browser's memory asks again.
addEventListener("pageshow", () => document.querySelectorAll("[data-passkey]").forEach((form) => (form.elements.credential.value = "")));

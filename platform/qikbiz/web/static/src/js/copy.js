// data-copy="text" puts the text on the clipboard and says so.
import { toast } from "./toasts.js";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    toast("Copied.", "notice");
  } catch {
    toast("The browser did not allow copying. Select the text and copy it yourself.", "failed");
  }
});

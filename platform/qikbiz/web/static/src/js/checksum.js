// The SHA-256 of a file that is chosen or dropped, computed here: the file is read in pieces and never sent. The form
// that takes the sum is named by data-checksum-into; it is sent as soon as the sum is there.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const PIECE = 4 * 1024 * 1024;

document.addEventListener("change", async ({ target }) => {
  const form = document.getElementById(target.dataset?.checksumInto ?? "");
  const [file] = target.files ?? [];
  if (!form || !file) return;
  const progress = document.getElementById(`${target.id}-progress`);
  const say = (words) => { progress.textContent = words; };
  try {
    const sum = await sumOf(file, (share) => say(`Computing the checksum of ${file.name}: ${share} %`));
    if (target.files[0] !== file) return; // Another one was chosen meanwhile.
    say("Computed. Comparing …");
    form.elements.checksum.value = sum;
    form.requestSubmit();
  } catch {
    say(`${file.name} could not be read. Choose it again, or download it again.`);
  }
});

async function sumOf(file, watch) {
  const hash = sha256.create();
  for (let begin = 0; begin < file.size; begin += PIECE) {
    watch(Math.floor((100 * begin) / file.size));
    hash.update(new Uint8Array(await file.slice(begin, begin + PIECE).arrayBuffer()));
  }
  return bytesToHex(hash.digest());
}

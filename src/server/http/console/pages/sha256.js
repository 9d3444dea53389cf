// SHA-256, because browsers give theirs to pages that came by TLS or from this machine alone.

/** The first 32 bits of the fractions of what `root` makes of the first primes. */
function fractions(count, root) {
  const words = [];
  for (let number = 2; words.length < count; number += 1) {
    let isPrime = true;
    for (let part = 2; part * part <= number; part += 1) isPrime &&= number % part !== 0;
    if (isPrime) words.push(((root(number) % 1) * 2 ** 32) | 0);
  }
  return words;
}

const ROUND = fractions(64, Math.cbrt);
const START = fractions(8, Math.sqrt);

const turned = (word, by) => (word >>> by) | (word << (32 - by));

/**
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} the 32 bytes of the digest
 */
export function sha256(bytes) {
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  const state = [...START];
  for (let block = 0; block < padded.length; block += 64) mix(state, view, block);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, at) => digest.setInt32(at * 4, word));
  return new Uint8Array(digest.buffer);
}

function mix(state, view, block) {
  const words = [];
  for (let at = 0; at < 64; at += 1) {
    if (at < 16) {
      words.push(view.getInt32(block + at * 4));
      continue;
    }
    const [old, late] = [words[at - 15], words[at - 2]];
    const first = turned(old, 7) ^ turned(old, 18) ^ (old >>> 3);
    const second = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    words.push((words[at - 16] + first + words[at - 7] + second) | 0);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let at = 0; at < 64; at += 1) {
    const high = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const one = (h + high + ((e & f) ^ (~e & g)) + ROUND[at] + words[at]) | 0;
    const low = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const two = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, h] = [(one + two) | 0, a, b, c, (d + one) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, at) => {
    state[at] = (state[at] + word) | 0;
  });
}

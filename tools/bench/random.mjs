// SPDX-License-Identifier: Apache-2.0
// Numbers that are the same in every run: the xorshift generator of ../shared/prototypes/bench.mjs.

/** A function that gives 32-bit numbers. */
export function random(seed) {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The numbers below `count`, each once. */
export function permutation(count) {
  const next = random(count);
  const numbers = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
  }
  return numbers;
}

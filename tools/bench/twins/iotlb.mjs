// SPDX-License-Identifier: Apache-2.0
// What a translation costs at the least: the lookup of ../shared/prototypes/smmu2.mjs in its closure form, the same loads, tests and
// stores in the same order with names for a reader. One array of memory, a root table and a domain by StreamID, no events.

const HASH = 0x9e3779b1 | 0;

/**
 * `memory` holds tables of 4 KiB pages in four levels from physical address `base` on, `roots` their first words by domain, `domains`
 * a domain by StreamID or -1. Gives translate(sid, hi, lo, permissions): 0, with the address in `out` (hi, lo), or an error.
 */
export function iotlbTwin({ memory, base, roots, domains, log2Entries, out }) {
  const mask = (1 << log2Entries) - 1;
  const entries = new Int32Array((1 << log2Entries) * 4);

  const miss = (at, domain, page, tag, hi, lo, permissions) => {
    let descriptor = memory[roots[domain] + ((hi >>> 6) & 1022)];
    let offsetMask = 4095;
    if ((descriptor & 3) !== 3) return 3;
    let word = (((descriptor & ~4095) - base) >>> 2) + (((hi << 3) | (lo >>> 29)) & 1022);
    descriptor = memory[word];
    if ((descriptor & 3) !== 3) {
      if ((descriptor & 1) === 0) return 3;
      offsetMask = 0x3fffffff;
    } else {
      word = (((descriptor & ~4095) - base) >>> 2) + ((lo >>> 20) & 1022);
      descriptor = memory[word];
      if ((descriptor & 3) !== 3) {
        if ((descriptor & 1) === 0) return 3;
        offsetMask = 0x1fffff;
      } else {
        word = (((descriptor & ~4095) - base) >>> 2) + ((lo >>> 11) & 1022);
        descriptor = memory[word];
        if ((descriptor & 3) !== 3) return 3;
      }
    }
    if ((descriptor & 1024) === 0) return 4;
    const allowed = (descriptor & 0x80) !== 0 ? 1 : 3;
    if ((allowed & permissions) !== permissions) return 2;
    const outLo = (descriptor & ~offsetMask) | (lo & offsetMask);
    const outHi = memory[word + 1] & 0xffff;
    entries[at] = page;
    entries[at + 1] = tag;
    entries[at + 2] = (outHi << 20) | (outLo >>> 12);
    entries[at + 3] = (allowed << 28) | (outHi >>> 12);
    out[0] = outHi;
    out[1] = outLo;
    return 0;
  };

  return (sid, hi, lo, permissions) => {
    const domain = domains[sid];
    if (domain === undefined || domain < 0) return 1;
    const page = (hi << 20) | (lo >>> 12);
    const tag = -2147483648 | (domain << 4) | (hi >>> 12);
    const at = ((page ^ (page >>> 9) ^ (Math.imul(domain, HASH) >>> 7)) & mask) << 2;
    if (entries[at] === page && entries[at + 1] === tag) {
      const pa = entries[at + 2];
      const flags = entries[at + 3];
      if (((flags >>> 28) & permissions) !== permissions) return 2;
      out[0] = ((flags & 0xf) << 12) | (pa >>> 20);
      out[1] = (pa << 12) | (lo & 4095);
      return 0;
    }
    return miss(at, domain, page, tag, hi, lo, permissions);
  };
}

// SPDX-License-Identifier: Apache-2.0
// What page tables cost at the least: `LpaeL` of lpae.mjs in ../shared/prototypes, the same loads, tests and stores in the same
// order with names for a reader. One window of flat memory, 4K granule, four levels, stage 1; no table ever goes, nothing is split.

const HIGH = 2 ** 32;
const TO_HIGH = 2 ** -32;
const INPUT_END = 2 ** 48;
const TABLE_WORDS = 1024;
const LEAF_PAGE = 3;
const LEAF_BLOCK = 1;
const READ = 1;
const WRITE = 2;
const CACHE = 4;
const NOEXEC = 8;
const MMIO = 16;
const PRIV = 32;

// A descriptor as a double: its exponent is bits [62:52], 0 or, with XN, 6, so that a step in the address is one exact sum.
const scratch = new ArrayBuffer(8);
const scratchWords = new Int32Array(scratch);
const scratchDouble = new Float64Array(scratch);
const stepWithoutXn = (shift) => 2 ** shift * 5e-324;
const stepWithXn = (shift) => 2 ** shift * 2 ** (6 - 1075);
const STEPS = Float64Array.from({ length: 32 }, (_, shift) => stepWithoutXn(shift));
const STEPS_XN = Float64Array.from({ length: 32 }, (_, shift) => stepWithXn(shift));

function attributes(prot) {
  let low = 1 << 11;
  if (!(prot & WRITE) && prot & READ) low |= 2 << 6;
  if (!(prot & PRIV)) low |= 1 << 6;
  if (prot & MMIO) low |= 2 << 2;
  else if (prot & CACHE) low |= 1 << 2;
  low |= prot & CACHE ? 3 << 8 : 2 << 8;
  return low | (1 << 10);
}

/** What a driver would invalidate: one range, one call for each run. */
export class GatherTwin {
  constructor() {
    this.reset();
  }

  reset() {
    this.first = 1e300;
    this.last = 0.5;
    this.pageBytes = 0;
  }

  add(iova, sizeBytes, pageBytes) {
    if (
      (this.pageBytes !== 0 && this.pageBytes !== pageBytes) ||
      (this.last !== 0.5 && (iova + sizeBytes < this.first || iova > this.last + 1))
    )
      this.reset();
    this.pageBytes = pageBytes;
    if (this.first > iova) this.first = iova;
    const last = iova + sizeBytes - 1;
    if (this.last < last) this.last = last;
  }
}

export class PageTableTwin {
  /** `bytes` of memory for tables, from a multiple of 4 GiB less than `base` on. */
  constructor(bytes, base) {
    this.words = new Int32Array(bytes / 4);
    this.doubles = new Float64Array(this.words.buffer);
    this.base = base | 0;
    this.nrTables = 1;
    this.first = 0;
  }

  newTable(word) {
    const table = this.nrTables++;
    this.words[word] = (this.base + table * TABLE_WORDS * 4) | 3;
    this.words[word + 1] = 0;
    return table * TABLE_WORDS;
  }

  /** `shift`: 12, 21 or 30. The pages mapped; negative where it fails. */
  mapPages(iova, pa, shift, count, prot) {
    if (!(iova >= 0 && iova < INPUT_END && pa >= 0 && pa < INPUT_END)) return -34;
    if (!(prot & 3)) return -22;
    return this.map((iova * TO_HIGH) | 0, iova | 0, (pa * TO_HIGH) | 0, pa | 0, shift, count, prot);
  }

  map(hi, lo, paHi, paLo, shift, count, prot) {
    const { words, base } = this;
    let word = this.first + ((hi >>> 6) & 1022);
    let entry = words[word];
    let table = entry !== 0 ? ((entry & ~4095) - base) >>> 2 : this.newTable(word);
    word = table + (((hi << 3) | (lo >>> 29)) & 1022);
    if (shift !== 30) {
      entry = words[word];
      if ((entry & 3) === 3) table = ((entry & ~4095) - base) >>> 2;
      else if (entry === 0) table = this.newTable(word);
      else return -17;
      word = table + ((lo >>> 20) & 1022);
      if (shift === 12) {
        entry = words[word];
        if ((entry & 3) === 3) table = ((entry & ~4095) - base) >>> 2;
        else if (entry === 0) table = this.newTable(word);
        else return -17;
        word = table + ((lo >>> 11) & 1022);
      } else if (shift !== 21) return -22;
    }
    const leafLo = (paLo & ~4095) | attributes(prot) | (shift === 12 ? LEAF_PAGE : LEAF_BLOCK);
    const leafHi = (paHi & 0xffff) | (prot & NOEXEC ? 3 << 21 : 0);
    if (count === 1) {
      if ((words[word] & 1) !== 0) return -17;
      words[word] = leafLo;
      words[word + 1] = leafHi;
      return 1;
    }
    let nr = 512 - ((word >>> 1) & 511);
    if (count < nr) nr = count | 0;
    return this.fillRun(word, nr, leafLo, leafHi, shift);
  }

  fillRun(from, nr, leafLo, leafHi, shift) {
    const { words, doubles } = this;
    const end = from + (nr << 1);
    let any = 0;
    let i = from;
    for (const last = end - 6; i < last; i += 8) any |= words[i] | words[i + 2] | words[i + 4] | words[i + 6];
    for (; i < end; i += 2) any |= words[i];
    if ((any & 1) !== 0) return -17;
    scratchWords[0] = leafLo;
    scratchWords[1] = leafHi;
    let leaf = scratchDouble[0];
    const step = (leafHi & 0x7ff00000) === 0 ? STEPS[shift] : STEPS_XN[shift];
    const step2 = step + step;
    const step3 = step2 + step;
    const step4 = step2 + step2;
    const endDouble = end >> 1;
    i = from >> 1;
    for (const last = endDouble - 3; i < last; i += 4) {
      doubles[i] = leaf;
      doubles[i + 1] = leaf + step;
      doubles[i + 2] = leaf + step2;
      doubles[i + 3] = leaf + step3;
      leaf += step4;
    }
    for (; i < endDouble; i++) {
      doubles[i] = leaf;
      leaf += step;
    }
    return nr;
  }

  /** The pages unmapped. */
  unmapPages(iova, shift, count, gather) {
    if (!(iova >= 0 && iova < INPUT_END)) return 0;
    const nr = this.unmap((iova * TO_HIGH) | 0, iova | 0, shift, count);
    if (nr > 0) gather.add(iova, nr * (1 << shift), 1 << shift);
    return nr;
  }

  unmap(hi, lo, shift, count) {
    const { words, base } = this;
    let entry = words[this.first + ((hi >>> 6) & 1022)];
    if (entry === 0) return 0;
    let word = (((entry & ~4095) - base) >>> 2) + (((hi << 3) | (lo >>> 29)) & 1022);
    if (shift !== 30) {
      entry = words[word];
      if ((entry & 3) !== 3) return 0;
      word = (((entry & ~4095) - base) >>> 2) + ((lo >>> 20) & 1022);
      if (shift === 12) {
        entry = words[word];
        if ((entry & 3) !== 3) return 0;
        word = (((entry & ~4095) - base) >>> 2) + ((lo >>> 11) & 1022);
      }
    }
    const leaf = shift === 12 ? LEAF_PAGE : LEAF_BLOCK;
    if (count === 1) {
      if ((words[word] & 3) !== leaf) return 0;
      words[word] = 0;
      words[word + 1] = 0;
      return 1;
    }
    return this.clearRun(word, count, leaf);
  }

  clearRun(from, count, leaf) {
    const { words } = this;
    let nr = 512 - ((from >>> 1) & 511);
    if (count < nr) nr = count | 0;
    let i = from;
    let other = 0;
    const end = from + (nr << 1);
    for (const last = end - 6; i < last; i += 8)
      other |= (words[i] ^ leaf) | (words[i + 2] ^ leaf) | (words[i + 4] ^ leaf) | (words[i + 6] ^ leaf);
    for (; i < end; i += 2) other |= words[i] ^ leaf;
    if ((other & 3) !== 0) {
      for (i = from; i < end; i += 2) if ((words[i] & 3) !== leaf) break;
      nr = (i - from) >> 1;
    }
    words.fill(0, from, from + (nr << 1));
    return nr;
  }

  iovaToPhys(iova) {
    const { words, base } = this;
    if (!(iova >= 0 && iova < INPUT_END)) return 0;
    const hi = (iova * TO_HIGH) | 0;
    const lo = iova | 0;
    let entry = words[this.first + ((hi >>> 6) & 1022)];
    if (entry === 0) return 0;
    let word = (((entry & ~4095) - base) >>> 2) + (((hi << 3) | (lo >>> 29)) & 1022);
    entry = words[word];
    if ((entry & 3) !== 3) return entry === 0 ? 0 : output(words, word, (entry & 0xc0000000) | (lo & 0x3fffffff));
    word = (((entry & ~4095) - base) >>> 2) + ((lo >>> 20) & 1022);
    entry = words[word];
    if ((entry & 3) !== 3) return entry === 0 ? 0 : output(words, word, (entry & 0xffe00000) | (lo & 0x1fffff));
    word = (((entry & ~4095) - base) >>> 2) + ((lo >>> 11) & 1022);
    entry = words[word];
    return (entry & 3) !== 3 ? 0 : output(words, word, (entry & ~4095) | (lo & 4095));
  }
}

const output = (words, word, lo) => (words[word + 1] & 0xffff) * HIGH + (lo >>> 0);

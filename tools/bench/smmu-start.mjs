// SPDX-License-Identifier: Apache-2.0
// An SMMUv3 as software leaves it that maps one page for each of many streams: a linear stream table, and for each stream a context
// descriptor with an ASID of its own and stage 1 tables. Arm IHI 0070, chapters 5 and 6; Arm DDI 0487, chapter D8.
import { layouts, regs } from '@irqkit/smmu-v3';

export const SMMU = { base: 0x905_0000, sizeBytes: 0x2_0000 };

const PAGE_BYTES = 0x1000;
const { STE, CD } = layouts;
const STAGE_1 = 0b101;
const TABLE = 3;
/** nG, AF, inner shareable, read and written by all. */
const PAGE = 0xf43;
/** 48 bits of input, 44 of output. */
const [T0SZ, IPS] = [16, 4];

/** Every stream below `nrStreams` finds at `iova` what is at `pa`; both are below 4 GiB. */
export function startSmmu(bus, nrStreams, iova, pa) {
  const { memory } = bus;
  const streams = memory.alloc(nrStreams * STE.bytes, 0x1_0000);
  const contexts = memory.alloc(nrStreams * CD.bytes);
  for (let stream = 0; stream < nrStreams; stream++) {
    const ste = wordsOf(streams, stream, STE.bytes);
    STE.V.put(ste, 1);
    STE.Config.put(ste, STAGE_1);
    STE.S1ContextPtr.put(ste, contexts.base + stream * CD.bytes);
    const cd = wordsOf(contexts, stream, CD.bytes);
    for (const field of ['V', 'EPD1', 'AA64', 'R', 'A', 'ASET']) CD[field].put(cd, 1);
    CD.T0SZ.put(cd, T0SZ);
    CD.IPS.put(cd, IPS);
    CD.ASID.put(cd, stream + 1);
    CD.TTB0.put(cd, tablesOf(memory, iova, pa));
  }
  const frame = bus.map(SMMU);
  const write64 = ({ offset }, address) => frame.write64(offset, address % 2 ** 32, Math.floor(address / 2 ** 32));
  write64(regs.STRTAB_BASE, streams.base);
  frame.write(regs.STRTAB_BASE_CFG.offset, Math.ceil(Math.log2(nrStreams)), 4);
  frame.write(regs.CR0.offset, regs.CR0.SMMUEN.mask, 4);
}

function wordsOf({ words }, index, bytes) {
  return words.subarray((index * bytes) / 4, ((index + 1) * bytes) / 4);
}

/** The level 0 table of a tree of four that maps one page. */
function tablesOf(memory, iova, pa) {
  let descriptor = pa - (pa % PAGE_BYTES) + PAGE;
  let base = 0;
  for (let shift = 12; shift <= 39; shift += 9) {
    const table = memory.alloc(PAGE_BYTES);
    const index = Math.floor(iova / 2 ** shift) % 512;
    table.words.set([descriptor % 2 ** 32, Math.floor(descriptor / 2 ** 32)], index * 2);
    base = table.base;
    descriptor = base + TABLE;
  }
  return base;
}

// SPDX-License-Identifier: Apache-2.0
// From (StreamID, address) to a physical address by the SMMUv2 model beside the SMMUv3 model, on the same flat tables: with every
// page remembered, and with 16 pages remembered of thousands.
import { SMMU_V2_SILICON, SmmuV2Model, regs as v2 } from '@irqkit/smmu-v2';
import { SmmuV3Model, VIRT_SILICON, layouts, regs as v3 } from '@irqkit/smmu-v3';
import { random } from './random.mjs';

/** Exported, so that no result is for nothing. */
export let sink = 0;

const NR_DEVICES = 64;
const NR_ACCESSES = 2 ** 16;
const SLICE = 2 ** 10;
const BASE = 0x4000_0000;
const MEMORY_BYTES = 64 << 20;
const FIRST_IOVA = 0xffff_0000_000;
/** Physical addresses below 2^31: larger ones are doubles, which V8 boxes where a call returns them. */
const TARGET = 0x6000_0000;
/** AF, inner shareable, writable by all, nG. */
const PAGE = 0xf43;

export function cases() {
  const hit = once(() => pairOf(16, 14));
  const miss = once(() => pairOf(256, 4));
  return [...beside('translate hit', hit, 1e7), ...beside('translate miss, 4 levels', miss)];
}

function beside(name, pair, allocatesNothingOver) {
  return [
    { name: `${name}, SMMUv3`, ops: NR_ACCESSES, run: () => run(someV3, pair()) },
    {
      name: `${name}, SMMUv2`,
      beside: `${name}, SMMUv3`,
      ops: NR_ACCESSES,
      run: () => run(someV2, pair()),
      allocatesNothingOver,
    },
  ];
}

/** Slices, so that the loop is compiled as a function that was left before. */
function run(some, pair) {
  for (let from = 0; from < NR_ACCESSES; from += SLICE) sink = (sink + some(pair, from, from + SLICE)) | 0;
}

/** Each model has a loop of its own, as each route of a board has its model. */
function someV2({ smmuV2, requesters, sids, addresses }, from, to) {
  let sum = 0;
  for (let i = from; i < to; i++) {
    const pa = smmuV2.translate(requesters[sids[i]], addresses[i], true);
    if (pa < 0) throw new Error('the SMMUv2 faulted');
    sum = (sum + pa) | 0;
  }
  return sum;
}

function someV3({ smmuV3, requesters, sids, addresses }, from, to) {
  let sum = 0;
  for (let i = from; i < to; i++) {
    const pa = smmuV3.translate(requesters[sids[i]], addresses[i], true);
    if (pa < 0) throw new Error('the SMMUv3 faulted');
    sum = (sum + pa) | 0;
  }
  return sum;
}

/** Two models on the same tables: `nrPages` of each device, in an order of accesses that is the same for both. */
function pairOf(nrPages, log2Iotlb) {
  const tables = new Tables();
  const roots = Array.from({ length: NR_DEVICES }, (_, device) => tables.map(device, nrPages));
  const smmuV2 = modelV2(tables, roots, log2Iotlb);
  const smmuV3 = modelV3(tables, roots, log2Iotlb);
  const sids = new Int32Array(NR_ACCESSES);
  const addresses = new Float64Array(NR_ACCESSES);
  const device = random(4242);
  const page = random(31337);
  for (let i = 0; i < NR_ACCESSES; i++) {
    sids[i] = device() % NR_DEVICES;
    device();
    addresses[i] = FIRST_IOVA + (page() % nrPages) * 4096 + (i & 4095);
  }
  const all = requesters();
  for (let i = 0; i < 1000; i++) {
    const [two, three] = [smmuV2, smmuV3].map((model) => model.translate(all[sids[i]], addresses[i], true));
    if (two !== three) throw new Error(`the SMMUv2 gives ${two}, the SMMUv3 ${three}`);
  }
  return { smmuV2, smmuV3, requesters: all, sids, addresses };
}

function requesters() {
  return Array.from({ length: NR_DEVICES }, (_, streamId) =>
    Object.freeze({
      kind: 'device',
      cpu: -1,
      requesterId: streamId,
      streamId,
      substreamId: undefined,
      deviceId: streamId,
    }),
  );
}

/** Memory from BASE on, given out by pages; also the models' way to it. */
class Tables {
  words = new Uint32Array(MEMORY_BYTES / 4);
  #next = 0;

  /** The address of a new page. */
  page() {
    return BASE + this.#next++ * 4096;
  }

  load(pa, into) {
    const bytes = new Uint8Array(this.words.buffer);
    const at = pa - BASE;
    if (!(at >= 0 && at + into.length <= MEMORY_BYTES)) return false;
    for (let i = 0; i < into.length; i++) into[i] = bytes[at + i];
    return true;
  }

  load64(pa, into) {
    const at = (pa - BASE) / 4;
    if (!(at >= 0 && at < this.words.length)) return false;
    into[0] = this.words[at];
    into[1] = this.words[at + 1];
    return true;
  }

  store() {
    return false;
  }

  /** Maps the pages of a device; gives the address of its root table. */
  map(device, nrPages) {
    const root = this.page();
    for (let i = 0; i < nrPages; i++)
      this.#mapPage(root, FIRST_IOVA + i * 4096, TARGET + (device * nrPages + i) * 4096);
    return root;
  }

  #mapPage(root, iova, pa) {
    let table = root;
    for (const shift of [39, 30, 21]) {
      const at = (table - BASE) / 4 + (Math.floor(iova / 2 ** shift) % 512) * 2;
      if (this.words[at] === 0) this.words[at] = this.page() + 3;
      table = this.words[at] - (this.words[at] % 4096);
    }
    this.words[(table - BASE) / 4 + (Math.floor(iova / 4096) % 512) * 2] = pa + PAGE;
  }
}

/** A bank for each device: 64 of them, in 128 pages of 4 KiB. */
function modelV2(tables, roots, log2Iotlb) {
  const { CBAR, CBAR_TYPE, CBA2R, CR0, S2CR, SCTLR, SMR, TCR, TCR2, TTBR0 } = v2;
  const silicon = { ...SMMU_V2_SILICON, log2Iotlb, NUMCB: NR_DEVICES };
  const node = { path: '/smmuv2', regs: [{ base: 0, sizeBytes: 0x10_0000 }], interrupts: [], u32: () => 1 };
  const model = new SmmuV2Model(node, silicon, tables, [], { guest: fail, unimp() {} });
  const [frame] = model.frames;
  const { globalSpace1, contextBanks, pageBytes } = v2.registerLayout(frame.read(v2.IDR1.offset, 4));
  for (let sid = 0; sid < NR_DEVICES; sid++) {
    const bank = contextBanks + sid * pageBytes;
    frame.write(SMR.offset + sid * 4, SMR.VALID.set(sid, 1), 4);
    frame.write(S2CR.offset + sid * 4, sid, 4);
    frame.write(globalSpace1 + CBAR.offset + sid * 4, CBAR.TYPE.set(0, CBAR_TYPE.STAGE1_BYPASS), 4);
    frame.write(globalSpace1 + CBA2R.offset + sid * 4, CBA2R.VA64.set(0, 1), 4);
    frame.write(bank + TCR2.offset, TCR2.AS.set(TCR2.SEP.set(TCR2.PASize.set(0, 4), 7), 1), 4);
    frame.write(bank + TCR.offset, TCR.EPD1.set(TCR.T0SZ.set(0, 16), 1), 4);
    frame.write64(bank + TTBR0.offset, roots[sid], (sid + 1) * 2 ** 16);
    frame.write(bank + SCTLR.offset, SCTLR.M.set(0, 1), 4);
  }
  frame.write(CR0.offset, CR0.USFCFG.mask, 4);
  return model;
}

function modelV3(tables, roots, log2Iotlb) {
  const { CD, STE, STE_CONFIG } = layouts;
  const strtab = tables.page();
  const contexts = tables.page();
  for (let sid = 0; sid < NR_DEVICES; sid++) {
    const of = (table) => tables.words.subarray((table - BASE) / 4 + sid * 16, (table - BASE) / 4 + (sid + 1) * 16);
    const ste = of(strtab);
    STE.V.put(ste, 1);
    STE.Config.put(ste, STE_CONFIG.S1);
    STE.S1ContextPtr.put(ste, contexts + sid * 64);
    const cd = of(contexts);
    for (const field of ['V', 'EPD1', 'AA64', 'A', 'R']) CD[field].put(cd, 1);
    CD.T0SZ.put(cd, 16);
    CD.IPS.put(cd, 4);
    CD.ASID.put(cd, sid + 1);
    CD.TTB0.put(cd, roots[sid]);
  }
  const silicon = { ...VIRT_SILICON, log2Iotlb };
  const log = { guest: fail, unimp: fail };
  const model = new SmmuV3Model({ path: '/smmuv3', strings: () => undefined }, silicon, tables, [], undefined, log);
  const [frame] = model.frames;
  frame.write64(v3.STRTAB_BASE.offset, strtab, 0);
  frame.write(v3.STRTAB_BASE_CFG.offset, 6, 4);
  frame.write(v3.CR0.offset, v3.CR0.SMMUEN.mask, 4);
  return model;
}

function fail(format) {
  throw new Error(format);
}

function once(make) {
  let made;
  return () => (made ??= make());
}
